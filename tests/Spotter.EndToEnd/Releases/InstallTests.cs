using System.Formats.Tar;
using System.IO.Compression;

namespace Spotter.EndToEnd.Releases;

/// <summary>A release runs on a Debian that has nothing of what it is built with: from a folder, and installed.</summary>
public sealed class InstallTests
{
    private static readonly string Version = ReleaseFiles.Version;

    [InstallFact]
    public async Task An_archive_is_unpacked_and_serves()
    {
        using var debian = await BareDebian.MakeAsync();
        await using (var unzipped = new GZipStream(File.OpenRead(ReleaseFiles.Archive("linux-x64")), CompressionMode.Decompress))
            await TarFile.ExtractToDirectoryAsync(unzipped, debian.File("/opt"), overwriteFiles: false);
        File.CreateSymbolicLink(debian.File("/usr/local/bin/spotter"), $"/opt/spotter-{Version}-linux-x64/spotter");

        await SaysItsVersionAsync(debian, "root");
        await FindsWhatIsInAPictureAsync(debian, "root", "/var/spotter");
    }

    [InstallFact]
    public async Task A_package_is_installed_serves_is_upgraded_and_leaves_nothing()
    {
        using var debian = await BareDebian.MakeAsync();
        var before = debian.Files();
        File.Copy(ReleaseFiles.Package("amd64"), debian.File("/tmp/spotter.deb"));
        await GoodAsync(debian.RunAsync("dpkg", "--install", "/tmp/spotter.deb"));

        await SaysItsVersionAsync(debian, "nobody");
        (await debian.RunAsync("stat", "--format", "%U %a", "/var/lib/spotter")).Text.ShouldBe("spotter 700\n");
        (await debian.RunAsync("dpkg", "--verify", "spotter")).ShouldBe((0, ""));
        foreach (var completion in (string[])["/usr/share/bash-completion/completions/spotter", "/usr/share/zsh/vendor-completions/_spotter", "/usr/share/fish/vendor_completions.d/spotter.fish"])
            (await File.ReadAllTextAsync(debian.File(completion))).ShouldContain("spotter");
        await FindsWhatIsInAPictureAsync(debian, "spotter", "/var/lib/spotter", async () =>
            // The machine's settings lead a command to the service: it names neither a folder nor an address.
            (await GoodAsync(debian.RunAsAsync("spotter", "spotter", "queue", "list", "--state", "succeeded", "--json"))).ShouldContain("\"succeeded\""));

        await File.AppendAllTextAsync(debian.File("/etc/spotter/spotter.yaml"), "port: 8181\n");
        await GoodAsync(debian.RunAsync("dpkg", "--install", "/tmp/spotter.deb"));
        (await File.ReadAllTextAsync(debian.File("/etc/spotter/spotter.yaml"))).ShouldEndWith("port: 8181\n");
        File.Exists(debian.File("/var/lib/spotter/spotter.db")).ShouldBeTrue();

        await GoodAsync(debian.RunAsync("dpkg", "--remove", "spotter"));
        Directory.Exists(debian.File("/usr/lib/spotter")).ShouldBeFalse();
        (File.Exists(debian.File("/var/lib/spotter/spotter.db")), File.Exists(debian.File("/etc/spotter/spotter.yaml"))).ShouldBe((true, true));

        await GoodAsync(debian.RunAsync("dpkg", "--purge", "spotter"));
        File.Delete(debian.File("/tmp/spotter.deb"));
        debian.Files().ShouldBe(before);
        ((string[])["/usr/lib/spotter", "/var/lib/spotter", "/etc/spotter", "/usr/share/doc/spotter"]).ShouldAllBe(left => !Directory.Exists(debian.File(left)));
        (await File.ReadAllTextAsync(debian.File("/etc/passwd"))).ShouldNotContain("spotter");
    }

    private static async Task SaysItsVersionAsync(BareDebian debian, string user)
    {
        var said = await GoodAsync(debian.RunAsAsync(user, "spotter", "--version"));

        // The commit follows it.
        said.Trim().Split('+')[0].ShouldBe(Version);
    }

    private static async Task FindsWhatIsInAPictureAsync(BareDebian debian, string user, string data, Func<Task>? meanwhile = null)
    {
        await using var service = await SpotterProcess.StartAsync(data, model: null, environment: debian.Environment(user));
        using var api = new SpotterApi(service.Address);
        var sample = Directory.EnumerateFiles(Path.Combine(SharedFiles.Repository, "models", "starter", "samples"), "*.jpg").Order(StringComparer.Ordinal).First();

        var answer = await api.SubmitAsync([Part.Image(await File.ReadAllBytesAsync(sample), "sample.jpg", "image/jpeg"), Part.Field("annotate", "true")]);
        ((int)answer.Status).ShouldBe(202, answer.Text + service.Log);
        var job = await api.EndOfAsync(SpotterApi.IdOf(answer.Json), TimeSpan.FromSeconds(120));

        SpotterApi.StateOf(job).ShouldBe("succeeded", job.GetRawText() + service.Log);
        job.GetProperty("result").GetProperty("detections").GetArrayLength().ShouldBeGreaterThan(0);
        (await api.GetAsync($"/v1/jobs/{SpotterApi.IdOf(job)}/image")).MediaType.ShouldBe("image/jpeg");
        (await api.GetAsync("/")).Text.ShouldContain("<script");
        if (meanwhile is not null)
            await meanwhile();
        (await service.TerminateAsync()).ShouldBe(0, service.Log);
        // Labels are drawn with the font that comes along.
        service.Log.ShouldNotContain("font");
    }

    private static async Task<string> GoodAsync(Task<(int Status, string Text)> run)
    {
        var (status, text) = await run;
        status.ShouldBe(0, text);
        return text;
    }
}
