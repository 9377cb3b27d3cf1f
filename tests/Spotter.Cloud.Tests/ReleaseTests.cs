using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Spotter.Cloud.Tests;

/// <summary>A release as deploy/aws/package makes it, once for all tests that need one.</summary>
public sealed class Release : IAsyncLifetime
{
    private readonly Folder folder = new();

    /// <summary>Why there is none here; null when there is.</summary>
    public static string? Missing { get; } =
        OperatingSystem.IsLinux() && System.Runtime.InteropServices.RuntimeInformation.OSArchitecture == System.Runtime.InteropServices.Architecture.X64
            ? Tools.NoCloud : "releases are made on Linux on x86-64";

    /// <summary>Where the file is.</summary>
    public string File => folder.File("spotter.tar.gz");

    public async Task InitializeAsync()
    {
        if (Missing is null)
            (await Shell.RunAsync(Repository.File("deploy", "aws", "package"), [File])).Good();
    }

    public Task DisposeAsync()
    {
        folder.Dispose();
        return Task.CompletedTask;
    }
}

/// <summary>A test that needs a release; counted as skipped where none can be made.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ReleaseFactAttribute : FactAttribute
{
    public ReleaseFactAttribute() => Skip = Release.Missing;
}

/// <summary>What a machine does with the template's first start and the release: it ends with a gateway that answers.</summary>
public sealed class ReleaseTests(Release release, Cloud cloud) : IClassFixture<Release>, IClassFixture<Cloud>
{
    // systemd, packages and users are the machine's; what the first start hands to them is looked at, and the service is started from its unit.
    private const string Systemctl = """
        #!/bin/bash
        echo "systemctl $*" >>"$SPOTTER_BOOT_ROOT/asked"
        [ "$1" = enable ] && [ "$3" = spotter.service ] || exit 0
        unit=$SPOTTER_BOOT_ROOT/etc/systemd/system/spotter.service
        export RUNTIME_DIRECTORY=$SPOTTER_BOOT_ROOT/run/spotter
        mkdir -p "$RUNTIME_DIRECTORY" "$SPOTTER_BOOT_ROOT/var/lib/spotter"
        set -e -a
        . "$SPOTTER_BOOT_ROOT/etc/spotter/environment"
        $(sed -n 's/^ExecStartPre=//p' "$unit")
        cd "$SPOTTER_BOOT_ROOT/var/lib/spotter"
        $(sed -n 's/^ExecStart=//p' "$unit") >"$SPOTTER_BOOT_ROOT/gateway.log" 2>&1 </dev/null &
        echo $! >"$SPOTTER_BOOT_ROOT/pid"
        """;

    [ReleaseFact]
    public async Task A_machine_that_starts_for_the_first_time_serves()
    {
        await cloud.ResetAsync();
        using var folder = new Folder();
        var (certificate, key) = Cloud.MakeCertificate(folder);
        (await Shell.RunAsync(
            Repository.File("deploy", "aws", "up"),
            ["--release", release.File, "--certificate", await cloud.ImportAsync(certificate, key), "--template", folder.Write("t.json", Open()), "access=open"],
            cloud.Environment)).Good();
        var port = FreePort();
        var root = folder.File("root");
        var script = folder.Write("boot", Here(await UserDataAsync(), root, port));
        foreach (var (name, text) in new[] { ("systemctl", Systemctl), ("dnf", "#!/bin/bash\necho \"dnf $*\" >>\"$SPOTTER_BOOT_ROOT/asked\"\n"), ("useradd", "#!/bin/bash\n") })
            folder.Program(name, text);
        folder.Program("root/opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl", "#!/bin/bash\necho \"agent $*\" >>\"$SPOTTER_BOOT_ROOT/asked\"\n");
        Directory.CreateDirectory(Path.Combine(root, "var/lib/cloud/data"));
        await File.WriteAllTextAsync(Path.Combine(root, "var/lib/cloud/data/instance-id"), "i-0123456789abcdef0\n");
        var environment = new Dictionary<string, string?>(cloud.Environment) { ["SPOTTER_BOOT_ROOT"] = root, ["PATH"] = $"{folder.Path}:{Environment.GetEnvironmentVariable("PATH")}" };
        try
        {
            // It ends well only when the gateway answers.
            var boot = await Shell.RunAsync("bash", [script], environment);

            var log = Path.Combine(root, "gateway.log");
            boot.Status.ShouldBe(0, boot.Everything + (File.Exists(log) ? await File.ReadAllTextAsync(log) : ""));
            using var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
            (await client.GetStringAsync(new Uri("/healthz", UriKind.Relative))).ShouldContain("healthy");
            (await client.GetStringAsync(new Uri("/", UriKind.Relative))).ShouldContain("<title>Spotter");
            (await Shell.RunAsync(Repository.File("deploy", "aws", "image", "healthy"), [], new Dictionary<string, string?> { ["SPOTTER__PORT"] = $"{port}" })).Good();
            (await Shell.RunAsync(Repository.File("deploy", "aws", "image", "healthy"), [], new Dictionary<string, string?> { ["SPOTTER__PORT"] = $"{FreePort()}" })).Status.ShouldNotBe(0);
            (await File.ReadAllTextAsync(Path.Combine(root, "asked"))).ShouldContain("systemctl enable --now spotter.service spotter-secrets.timer\ndnf install -y amazon-cloudwatch-agent\nagent -a fetch-config");
            (await File.ReadAllTextAsync(Path.Combine(root, "asked"))).ShouldEndWith("\nsystemctl enable --now spotter-ready.service\n");
            // It stands on the table and the bucket of the stack.
            (await client.GetStringAsync(new Uri("/readyz", UriKind.Relative))).ShouldContain("ready");
            var bucket = (await cloud.BucketsAsync()).Single(b => b.Contains("pictures", StringComparison.Ordinal));
            (await cloud.S3Async(HttpMethod.Get, $"/{bucket}/spotter-owner")).ShouldNotBeEmpty();
            ((int)(await cloud.JsonAsync("dynamodb", "DynamoDB_20120810.Scan", """{"TableName":"spotter"}"""))["Count"]!).ShouldBeGreaterThan(0);
            var token = Path.Combine(root, "run/spotter/worker-token");
            File.GetUnixFileMode(token).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
            (await File.ReadAllTextAsync(token)).Trim().Length.ShouldBe(64);
            (await File.ReadAllTextAsync(Path.Combine(root, "etc/spotter/environment"))).ShouldContain("SPOTTER__WORKER__NAME=i-0123456789abcdef0");
            if (Tools.Find("systemd-analyze") is { } analyze)
            {
                var units = Directory.GetFiles(Path.Combine(root, "etc/systemd/system"));
                units.Length.ShouldBe(4);
                var verdict = await Shell.RunAsync(analyze, ["verify", "--man=no", .. units]);
                verdict.Errors.ShouldNotContain(root, Case.Sensitive, "systemd finds fault with a unit");
            }
        }
        finally
        {
            if (File.Exists(Path.Combine(root, "pid")))
            {
                using var gateway = Process.GetProcessById(int.Parse(await File.ReadAllTextAsync(Path.Combine(root, "pid")), System.Globalization.CultureInfo.InvariantCulture));
                gateway.Kill(entireProcessTree: true);
                await gateway.WaitForExitAsync();
            }
        }
    }

    [ReleaseFact]
    public async Task A_release_has_all_that_detecting_takes()
    {
        using var folder = new Folder();
        (await Shell.RunAsync("tar", ["-xzf", release.File, "-C", folder.Path])).Good();
        var picture = Directory.GetFiles(folder.File("models/starter/samples"), "*.jpg").Order(StringComparer.Ordinal).First();

        // Nothing of this machine's .NET, and not from the checkout.
        var found = await Shell.RunAsync(
            folder.File("spotter"), ["detect", picture, "--json"], new Dictionary<string, string?> { ["DOTNET_ROOT"] = "/nowhere", ["PATH"] = "/usr/bin:/bin" });

        found.Good().ShouldContain("\"label\"");
    }

    [ReleaseFact]
    public async Task A_release_that_was_changed_is_not_started()
    {
        await cloud.ResetAsync();
        using var folder = new Folder();
        var root = Directory.CreateDirectory(folder.File("root/var/lib/cloud/data")).FullName[..^"/var/lib/cloud/data".Length];
        Directory.CreateDirectory(Path.Combine(root, "opt"));
        await File.WriteAllTextAsync(Path.Combine(root, "var/lib/cloud/data/instance-id"), "i-0\n");
        await cloud.S3Async(HttpMethod.Put, "/releases");
        await cloud.S3Async(HttpMethod.Put, "/releases/r", "another");
        var boot = await File.ReadAllTextAsync(Repository.File("deploy", "aws", "stack", "Boot", "boot.sh"));
        var script = folder.Write("boot", $"region={Cloud.Region}\nrelease=s3://releases/r\nrelease_sha256={new string('0', 64)}\n{boot}");

        var result = await Shell.RunAsync("bash", [script], new Dictionary<string, string?>(cloud.Environment) { ["SPOTTER_BOOT_ROOT"] = root });

        result.Status.ShouldNotBe(0);
        result.Everything.ShouldContain("checksum did NOT match");
        Directory.Exists(Path.Combine(root, "opt/spotter")).ShouldBeFalse();
    }

    private static string Open() => Synthesis.Template(SettingReader.Read(new Dictionary<string, string> { ["access"] = "open" }));

    private async Task<string> UserDataAsync()
    {
        var templates = Cloud.Values(await cloud.QueryAsync("ec2", "DescribeLaunchTemplates"), "launchTemplateId");
        foreach (var id in templates)
        {
            var data = Cloud.Value(await cloud.QueryAsync("ec2", "DescribeLaunchTemplateVersions", ("LaunchTemplateId", id)), "userData")!;
            var text = Encoding.UTF8.GetString(Convert.FromBase64String(data));
            text.Length.ShouldBeLessThan(16 * 1024, "EC2 takes no more");
            if (text.Contains("\nrole=gateway\n", StringComparison.Ordinal))
                return text;
        }
        throw new InvalidOperationException("There is no template of gateways.");
    }

    /// <summary>The first start with this machine's folders, a free port, and moto as Amazon; and the hook of a warm pool, so that all of it is run.</summary>
    private string Here(string script, string root, int port) => script.Replace("\nready_hook=\n", "\nready_hook=ready\n", StringComparison.Ordinal).Replace("8080", $"{port}", StringComparison.Ordinal)
            .Replace("/run/spotter", $"{root}/run/spotter", StringComparison.Ordinal)
            .Replace("=/var/lib/spotter", $"={root}/var/lib/spotter", StringComparison.Ordinal)
            .Replace("SPOTTER__HOST=0.0.0.0", "SPOTTER__HOST=127.0.0.1", StringComparison.Ordinal)
            .Replace(
                "SPOTTER__BACKEND=aws", $"SPOTTER__BACKEND=aws\nSPOTTER__AWS__ENDPOINT={cloud.Environment["AWS_ENDPOINT_URL"]}\nSPOTTER__S3__ENDPOINT={cloud.Environment["AWS_ENDPOINT_URL"]}",
                StringComparison.Ordinal);

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
