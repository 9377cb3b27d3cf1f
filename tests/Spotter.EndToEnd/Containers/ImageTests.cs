using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Spotter.EndToEnd.Containers;

/// <summary>The image that the Dockerfile builds, run as a container would be: read-only, not as root, and without its shell.</summary>
public sealed partial class ImageTests : IDisposable
{
    // The base of the tests is Debian, which is larger than the one that the Dockerfile names.
    private const long Most = 300L << 20;
    private const string User = "10001";
    private const string Token = "0123456789abcdef0123456789abcdef";

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [ImageFact]
    public void It_is_small_and_says_how_it_is_run()
    {
        var config = Config();

        config.GetProperty("User").GetString().ShouldBe("10001:10001");
        config.GetProperty("Entrypoint").EnumerateArray().Select(e => e.GetString()).ShouldBe(["/opt/spotter/spotter"]);
        config.GetProperty("Cmd").EnumerateArray().Select(e => e.GetString()).ShouldBe(["serve"]);
        config.GetProperty("ExposedPorts").EnumerateObject().Select(p => p.Name).ShouldBe(["8080/tcp"]);
        config.GetProperty("Volumes").EnumerateObject().Select(p => p.Name).ShouldBe(["/var/lib/spotter", "/tmp"], ignoreOrder: true);
        config.GetProperty("Labels").GetProperty("org.opencontainers.image.title").GetString().ShouldBe("Spotter");
        new DirectoryInfo(ImageFactAttribute.Root!).EnumerateFiles("*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint })
            .Sum(file => file.Length).ShouldBeLessThan(Most);
    }

    [ImageFact]
    public void It_lists_every_package_that_is_in_it()
    {
        using var bill = JsonDocument.Parse(File.ReadAllText(InImage("sbom.cdx.json")));
        var listed = bill.RootElement.GetProperty("components").EnumerateArray().Select(c => $"{c.GetProperty("name").GetString()} {c.GetProperty("version").GetString()}").ToList();

        var stated = Directory.EnumerateFiles(Path.Combine(SharedFiles.Repository, "src"), "packages.lock.json", SearchOption.AllDirectories)
            .SelectMany(file => Package().Matches(File.ReadAllText(file)).Select(m => $"{m.Groups["name"].Value} {m.Groups["version"].Value}")).Distinct(StringComparer.Ordinal).ToList();

        stated.Count.ShouldBeGreaterThan(30);
        stated.Except(listed, StringComparer.OrdinalIgnoreCase).Where(p => !p.StartsWith("Meziantou.", StringComparison.Ordinal) && !p.Contains("Analyzers", StringComparison.Ordinal)).ShouldBeEmpty();
    }

    [ImageFact]
    public async Task A_gateway_and_a_worker_in_it_find_what_is_in_a_picture()
    {
        await using var gateway = await StartAsync("gateway", ["--insecure-open"]);
        var address = Near(gateway);
        var worker = SpotterProcess.StartJoining(address, ["worker"], Environment(Folder("worker")));
        await using (worker)
        {
            using var api = new SpotterApi(address);
            var sample = Directory.EnumerateFiles(InImage("models/starter/samples"), "*.jpg").Order(StringComparer.Ordinal).First();

            await Eventually.SeeAsync("the worker has brought its model", async () => (await api.GetAsync("/v1/models")).Text, models => worker.HasExited || models.Contains("\"starter\"", StringComparison.Ordinal), TimeSpan.FromSeconds(120));

            var answer = await api.SubmitAsync([Part.Image(await File.ReadAllBytesAsync(sample), "sample.jpg"), Part.Field("annotate", "true")]);
            ((int)answer.Status).ShouldBe(202, answer.Text + worker.Log);
            var job = await api.EndOfAsync(SpotterApi.IdOf(answer.Json), TimeSpan.FromSeconds(120));

            SpotterApi.StateOf(job).ShouldBe("succeeded", job.GetRawText() + worker.Log);
            job.GetProperty("result").GetProperty("detections").GetArrayLength().ShouldBeGreaterThan(0);
            (await api.GetAsync($"/v1/jobs/{job.GetProperty("id").GetString()}/image")).MediaType.ShouldBe("image/jpeg");
            (await worker.TerminateAsync()).ShouldBe(0, worker.Log);
        }
        (await gateway.TerminateAsync()).ShouldBe(0, gateway.Log);
    }

    [ImageFact]
    public async Task Its_health_check_tells_a_service_that_answers_from_none()
    {
        // As engines have it: ["CMD", program, argument …].
        var check = Config().GetProperty("Healthcheck").GetProperty("Test").EnumerateArray().Select(e => e.GetString()!).ToList();
        check[..2].ShouldBe(["CMD", "/opt/spotter/spotter"]);
        await using var service = await StartAsync("serve", ["--insecure-open"]);

        (await SpotterProgram.RunWithAsync(Environment(Folder("serve")), [.. check[2..]])).ShouldBe((0, "healthy\n", ""));
        (await SpotterProgram.RunWithAsync(Environment(Folder("serve")), [.. check[2..], "--ready"])).ShouldBe((0, "ready\n", ""));
        (await service.TerminateAsync()).ShouldBe(0, service.Log);

        var (status, _, errors) = await SpotterProgram.RunWithAsync(Environment(Folder("serve")), [.. check[2..], "--url", Near(service).ToString()]);
        (status, errors.Contains("can't be reached", StringComparison.Ordinal)).ShouldBe((1, true), errors);
    }

    [ImageFact]
    public async Task That_of_gateways_in_AWS_starts_with_its_secrets_in_files_and_its_health_check_knows()
    {
        var environment = InAws("/opt/start");
        (environment["SECRETS"], environment["SECRET_WORKER_TOKEN"]) = ("worker-token", Token);
        await using var gateway = await SpotterProcess.StartAsync("/var/lib/spotter", model: null, ["--insecure-open", "--token-file", "/run/spotter/worker-token"], environment, command: "gateway");
        using var http = new HttpClient { BaseAddress = Near(gateway) };
        var healthy = InAws("/opt/healthy");
        healthy["SPOTTER__PORT"] = gateway.Address.Port.ToString(CultureInfo.InvariantCulture);

        (await SpotterProgram.RunWithAsync(healthy)).Status.ShouldBe(0);
        foreach (var (token, wants) in ((string, HttpStatusCode)[])[(Token, HttpStatusCode.BadRequest), ("another", HttpStatusCode.Unauthorized)])
        {
            using var join = new HttpRequestMessage(HttpMethod.Put, "/v1/workers/w") { Content = new StringContent("{}", Encoding.UTF8, "application/json") };
            join.Headers.Authorization = new("Bearer", token);
            using var answer = await http.SendAsync(join);
            answer.StatusCode.ShouldBe(wants);
        }
        (await gateway.TerminateAsync()).ShouldBe(0, gateway.Log);

        (await SpotterProgram.RunWithAsync(healthy)).Status.ShouldBe(1);
    }

    /// <summary>Has a program of the image of gateways in AWS run.</summary>
    private static Dictionary<string, string> InAws(string program) => new(StringComparer.Ordinal)
    {
        [SpotterProgram.Root] = Path.Combine(Path.GetDirectoryName(ImageFactAttribute.Root!)!, "aws", "root"),
        [SpotterProgram.RootUser] = $"{User}:{User}",
        [SpotterProgram.RootProgram] = program,
    };

    /// <summary>It listens on all addresses, of which this machine's own is one.</summary>
    private static Uri Near(SpotterProcess process) => new($"http://127.0.0.1:{process.Address.Port}");

    private static string InImage(string file) => Path.Combine(ImageFactAttribute.Root!, "opt", "spotter", file);

    private static JsonElement Config() =>
        JsonDocument.Parse(File.ReadAllText(ImageFactAttribute.Description)).RootElement.GetProperty("Docker").GetProperty("config");

    private Task<SpotterProcess> StartAsync(string command, string[] arguments) =>
        SpotterProcess.StartAsync("/var/lib/spotter", model: null, arguments, Environment(Folder(command)), command: command);

    private string Folder(string name)
    {
        var path = folder.File(name);
        if (!Directory.Exists(path))
        {
            Directory.CreateDirectory(path);
            System.Diagnostics.Process.Start("chown", [$"{User}:{User}", path]).WaitForExit();
        }
        return path;
    }

    /// <summary>What the image sets, and the secret of workers.</summary>
    private static Dictionary<string, string> Environment(string data)
    {
        var environment = Config().GetProperty("Env").EnumerateArray().Select(e => e.GetString()!.Split('=', 2)).Where(e => e[0] != "PATH").ToDictionary(e => e[0], e => e[1], StringComparer.Ordinal);
        environment[SpotterProgram.ImageData] = data;
        environment["SPOTTER__WORKER__TOKEN"] = Token;
        environment["SPOTTER_STARTER"] = "";
        return environment;
    }

    [GeneratedRegex("\"(?<name>[A-Za-z0-9_.-]+)\": \\{\\s+\"type\": \"(?:Direct|Transitive)\",(?:\\s+\"requested\": \"[^\"]*\",)?\\s+\"resolved\": \"(?<version>[^\"]+)\"", RegexOptions.ExplicitCapture, 10_000)]
    private static partial Regex Package();
}
