using System.Security.Cryptography;
using System.Text.Json;
using Spotter.Core;
using Spotter.Tests.Cli;

namespace Spotter.Tests.Catalogue;

public sealed class PullCommandTests : IAsyncLifetime
{
    private readonly Cli.TemporaryFolder folder = new();
    private readonly Dictionary<string, string> environment = new(StringComparer.Ordinal)
    {
        ["HTTP_PROXY"] = "", ["http_proxy"] = "", ["HTTPS_PROXY"] = "", ["https_proxy"] = "", ["ALL_PROXY"] = "", ["all_proxy"] = "", ["NO_PROXY"] = "", ["no_proxy"] = "",
    };

    private FileServer server = null!;

    private string Data => Path.Combine(folder.Path, "data");

    private string Target => Path.Combine(Data, "models", "tiny.onnx");

    public async Task InitializeAsync() => server = await FileServer.StartAsync();

    public async Task DisposeAsync()
    {
        await server.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task The_terms_come_first_and_the_model_then()
    {
        Offer(new Uri(server.Address, "tiny.onnx"));

        var pulled = await PullAsync("tiny");
        pulled.Status.ShouldBe(0, pulled.Errors);
        pulled.Errors.ShouldContain("MIT, of the testers");
        pulled.Errors.ShouldContain("(stated by the test)");
        pulled.Output.ShouldStartWith(Target);
        (await File.ReadAllBytesAsync(Target)).ShouldBe(server.Content);

        var again = await PullAsync("tiny", "--json");
        again.Errors.ShouldBeEmpty();
        var report = again.Json().ShouldHaveSingleItem();
        (Text(report, "state"), Text(report, "file")).ShouldBe(("present", Target));
        server.Requests().Count.ShouldBe(1);
    }

    [Fact]
    public async Task Json_says_what_came_and_whose_it_is()
    {
        Offer(new Uri(server.Address, "tiny.onnx"));

        var report = (await PullAsync("tiny", "--json")).Json().ShouldHaveSingleItem();

        (Text(report, "name"), Text(report, "state"), report.GetProperty("bytes").GetInt64()).ShouldBe(("tiny", "downloaded", server.Content.Length));
        report.GetProperty("licence").GetProperty("id").GetString().ShouldBe("MIT");
        report.GetProperty("error").ValueKind.ShouldBe(JsonValueKind.Null);
    }

    [Fact]
    public async Task A_licence_that_binds_has_to_be_accepted_by_name()
    {
        Offer(new Uri(server.Address, "tiny.onnx"), licence: "AGPL-3.0", permissive: false);

        foreach (var arguments in (string[][])[[], ["--accept-licence", "MIT"]])
        {
            var refused = await PullAsync(["tiny", "--json", .. arguments]);
            refused.Status.ShouldBe(1);
            refused.ErrorLines()[^1].ShouldContain("--accept-licence AGPL-3.0");
            refused.Json().ShouldHaveSingleItem().GetProperty("error").GetProperty("code").GetString().ShouldBe(ErrorCodes.LicenceNotAccepted);
        }
        server.Requests().ShouldBeEmpty();

        (await PullAsync("tiny", "--accept-licence", "AGPL-3.0")).Status.ShouldBe(0);
        File.Exists(Target).ShouldBeTrue();
    }

    [Fact]
    public async Task Without_a_name_the_catalogue_is_shown()
    {
        var table = await SpotterProgram.RunWithAsync(environment, "models", "pull");
        table.Status.ShouldBe(0);
        table.Output.ShouldContain("yolox_nano");
        table.Output.ShouldContain("AGPL-3.0 (to be accepted)");

        var models = (await SpotterProgram.RunWithAsync(environment, "models", "pull", "--json")).Json();
        models.ShouldAllBe(model => model.GetProperty("url").GetString()!.StartsWith("https://") && model.GetProperty("sha256").GetString()!.Length == 64);
        models.First(model => Text(model, "name") == "yolov8n-uint8").GetProperty("licence").GetProperty("permissive").GetBoolean().ShouldBeFalse();
    }

    [SharedFact]
    public async Task What_the_built_in_catalogue_puts_beside_a_model_is_understood()
    {
        Directory.CreateDirectory(Path.Combine(Data, "models"));
        foreach (var model in (await SpotterProgram.RunWithAsync(environment, "models", "pull", "--json")).Json())
        {
            var name = Text(model, "name")!;
            var file = Path.Combine(Data, "models", name + ".onnx");
            File.Copy(SharedFiles.Model(name + ".onnx"), file);
            if (model.TryGetProperty("overrides", out var lines))
                await File.WriteAllLinesAsync(Path.ChangeExtension(file, ".yaml"), lines.EnumerateArray().Select(line => line.GetString()!));

            var inspected = await SpotterProgram.RunAsync("models", "inspect", file, "--json");
            inspected.Status.ShouldBe(0, inspected.Errors);
            Text(inspected.Json().ShouldHaveSingleItem().GetProperty("model"), "engine").ShouldBe(Text(model, "task"));
        }
    }

    [Fact]
    public async Task An_unknown_name_is_refused_with_those_there_are()
    {
        Offer(new Uri(server.Address, "tiny.onnx"));

        var ran = await PullAsync("huge");
        ran.Status.ShouldBe(1);
        ran.ErrorLines().ShouldHaveSingleItem().ShouldContain("it has tiny");
    }

    // Elsewhere the system's own list of certificates can't be replaced for one process.
    [LinuxFact]
    public async Task A_catalogue_may_lie_on_a_server_with_its_models()
    {
        await using var secure = await StartSecureAsync();
        secure.Next(GiveCatalogue);

        var ran = await PullAsync("tiny");

        ran.Status.ShouldBe(0, ran.Errors);
        secure.Requests().Select(asked => asked.Path).ShouldBe(["/mirror/catalogue.json", "/mirror/files/tiny.onnx"]);
        (await File.ReadAllBytesAsync(Target)).ShouldBe(server.Content);
    }

    [Fact]
    public async Task A_catalogue_over_plain_http_is_refused()
    {
        server.Next(GiveCatalogue);
        environment["SPOTTER_CATALOGUE"] = new Uri(server.Address, "/mirror/catalogue.json").ToString();

        var ran = await PullAsync("tiny");

        ran.Status.ShouldBe(1);
        ran.ErrorLines().ShouldHaveSingleItem().ShouldContain("name it by https");
        server.Requests().ShouldBeEmpty();
    }

    [LinuxFact]
    public async Task A_catalogue_is_not_followed_to_plain_http()
    {
        await using var secure = await StartSecureAsync();
        secure.Next(http =>
        {
            http.Response.Redirect(new Uri(server.Address, "/mirror/catalogue.json").ToString());
            return Task.CompletedTask;
        });
        server.Next(GiveCatalogue);

        var ran = await PullAsync("tiny");

        ran.Status.ShouldBe(1);
        ran.ErrorLines().ShouldHaveSingleItem().ShouldContain("neither secure");
        server.Requests().ShouldBeEmpty();
    }

    [Fact]
    public async Task Nothing_that_a_catalogue_says_commands_the_terminal()
    {
        const string Escapes = "\u001b[2J\u009b31m\u202e\r\n  licence  MIT";
        Offer(new Uri(server.Address, "tiny.onnx"), licence: "GPL" + Escapes, permissive: false);

        foreach (var ran in (Ran[])[await PullAsync("tiny"), await PullAsync("tiny", "--json"), await SpotterProgram.RunWithAsync(environment, "models", "pull")])
        {
            foreach (var text in (string[])[ran.Output, ran.Errors])
            {
                text.ShouldNotContain("\u001b");
                text.ShouldNotContain("\u009b");
                text.ShouldNotContain("\u202e");
                text.Split('\n').ShouldNotContain(line => line.StartsWith("  licence  MIT"));
            }
        }
    }

    [Fact]
    public async Task Open_requests_go_by_way_of_the_proxy()
    {
        await using var proxy = new ForwardProxy(server.Address);
        Offer(new("http://models.example/tiny.onnx"));
        environment["http_proxy"] = proxy.Address;

        var ran = await PullAsync("tiny");

        ran.Status.ShouldBe(0, ran.Errors);
        proxy.Requests.ShouldHaveSingleItem().ShouldBe("GET http://models.example/tiny.onnx HTTP/1.1");
        (await File.ReadAllBytesAsync(Target)).ShouldBe(server.Content);
    }

    // Elsewhere the system's own list of certificates can't be replaced for one process.
    [LinuxFact]
    public async Task Secure_requests_go_through_the_proxy_as_through_a_tunnel()
    {
        using var certificate = FileServer.Certificate("models.example");
        await using var secure = await FileServer.StartAsync(certificate);
        await using var proxy = new ForwardProxy(secure.Address);
        Offer(new("https://models.example/tiny.onnx"));
        environment["https_proxy"] = environment["HTTPS_PROXY"] = proxy.Address;

        var distrusted = await PullAsync("tiny");
        distrusted.Status.ShouldBe(1);
        distrusted.ErrorLines()[^1].ShouldContain("models.example can't prove who it is");

        environment["SSL_CERT_FILE"] = folder.File("trusted.pem", System.Text.Encoding.ASCII.GetBytes(certificate.ExportCertificatePem()));
        var ran = await PullAsync("tiny");
        ran.Status.ShouldBe(0, ran.Errors);
        proxy.Requests.ShouldAllBe(line => line.StartsWith("CONNECT models.example:443"));
        (await File.ReadAllBytesAsync(Target)).ShouldBe(server.Content);

        File.Delete(Target);
        proxy.Answer = "403 Forbidden";
        (await PullAsync("tiny")).ErrorLines()[^1].ShouldContain($"the proxy 127.0.0.1");
    }

    [Fact]
    public async Task Hosts_that_are_excepted_are_asked_directly()
    {
        await using var proxy = new ForwardProxy(server.Address);
        Offer(new Uri(server.Address, "tiny.onnx"));
        environment["http_proxy"] = proxy.Address;
        environment["no_proxy"] = environment["NO_PROXY"] = "127.0.0.1";

        (await PullAsync("tiny")).Status.ShouldBe(0);
        proxy.Requests.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("https://nowhere.invalid/tiny.onnx", "", "the name of nowhere.invalid is not known here")]
    [InlineData("http://127.0.0.1:1/tiny.onnx", "", "127.0.0.1:1 takes no connections")]
    [InlineData("https://models.example/tiny.onnx", "http://127.0.0.1:1", "the proxy 127.0.0.1:1 takes no connections")]
    public async Task Without_a_network_one_sentence_says_so(string url, string proxy, string sentence)
    {
        Offer(new(url));
        environment["https_proxy"] = environment["HTTPS_PROXY"] = proxy;

        var ran = await PullAsync("tiny");

        ran.Status.ShouldBe(1);
        ran.Output.ShouldBeEmpty();
        var line = ran.ErrorLines()[^1];
        line.ShouldStartWith("spotter: Can't download tiny from ");
        line.ShouldContain(sentence);
        line.ShouldContain("HTTPS_PROXY");
        ran.ErrorLines().ShouldNotContain(said => said.Contains("trying again"));
    }

    // A device that is always full.
    [LinuxFact]
    public async Task A_full_disk_is_said_and_the_room_given_back()
    {
        Offer(new Uri(server.Address, "tiny.onnx"));
        Directory.CreateDirectory(Path.GetDirectoryName(Target)!);
        File.CreateSymbolicLink(Target + ".part", "/dev/full");

        var ran = await PullAsync("tiny", "--json");

        ran.Status.ShouldBe(1);
        ran.Json().ShouldHaveSingleItem().GetProperty("error").GetProperty("code").GetString().ShouldBe(ErrorCodes.DiskFull);
        Directory.EnumerateFiles(Path.GetDirectoryName(Target)!, "tiny*").ShouldBeEmpty();
    }

    [Fact]
    public async Task A_data_folder_that_is_a_file_is_refused()
    {
        Offer(new Uri(server.Address, "tiny.onnx"));
        folder.File("data");

        var ran = await PullAsync("tiny");
        ran.Status.ShouldBe(1);
        ran.ErrorLines()[^1].ShouldContain("--data");
    }

    private static string? Text(JsonElement json, string name) => json.GetProperty(name).GetString();

    private Task<Ran> PullAsync(params string[] arguments) =>
        SpotterProgram.RunWithAsync(environment, ["models", "pull", "--data", Data, .. arguments]);

    private void Offer(Uri url, string licence = "MIT", bool permissive = true) =>
        environment["SPOTTER_CATALOGUE"] = folder.File("catalogue.json", Document(url, licence, permissive));

    /// <summary>A catalogue by https on a server that the program trusts.</summary>
    private async Task<FileServer> StartSecureAsync()
    {
        var certificate = FileServer.Certificate("localhost");
        var secure = await FileServer.StartAsync(certificate);
        environment["SSL_CERT_FILE"] = folder.File("trusted.pem", System.Text.Encoding.ASCII.GetBytes(certificate.ExportCertificatePem()));
        environment["SPOTTER_CATALOGUE"] = $"https://localhost:{secure.Address.Port}/mirror/catalogue.json";
        return secure;
    }

    private Task GiveCatalogue(Microsoft.AspNetCore.Http.HttpContext http) =>
        http.Response.Body.WriteAsync(Document(new("files/tiny.onnx", UriKind.Relative), "MIT", permissive: true)).AsTask();

    private byte[] Document(Uri url, string licence, bool permissive) => JsonSerializer.SerializeToUtf8Bytes(new
    {
        models = new[]
        {
            new
            {
                name = "tiny",
                task = "detect",
                what = "a test",
                url = url.OriginalString,
                bytes = server.Content.Length,
                sha256 = Convert.ToHexStringLower(SHA256.HashData(server.Content)),
                licence = new { id = licence, holder = "the testers", evidence = "stated by the test", permissive },
            },
        },
    });
}
