using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Spotter.EndToEnd.Api;

/// <summary>Models that a running service downloads by name.</summary>
public sealed class CatalogueTests : IAsyncLifetime
{
    private readonly TemporaryFolder folder = new();
    private ModelCatalogueFile catalogue = null!;

    private string Data => folder.File("data");

    public async Task InitializeAsync() => catalogue = await ModelCatalogueFile.StartAsync();

    public async Task DisposeAsync()
    {
        await catalogue.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task A_model_is_pulled_while_the_service_runs_and_then_is_its_default()
    {
        var (half, rest) = (new TaskCompletionSource(), new TaskCompletionSource());
        catalogue.Server.Next(async http =>
        {
            var content = catalogue.Server.Content;
            http.Response.ContentLength = content.Length;
            await http.Response.Body.WriteAsync(content.AsMemory(0, content.Length / 2));
            await http.Response.Body.FlushAsync();
            half.SetResult();
            await rest.Task;
            await http.Response.Body.WriteAsync(content.AsMemory(content.Length / 2));
        });
        await using var service = await StartAsync();
        using var api = new SpotterApi(service.Address);
        (await OfferAsync(api, "patches")).GetProperty("state").GetString().ShouldBe("available");

        var begun = await PullAsync(api, "patches");
        (begun.Status, begun.Json.GetProperty("state").GetString()).ShouldBe((HttpStatusCode.Accepted, "pulling"));
        await half.Task;
        var onItsWay = await Eventually.SeeAsync(
            "half of it", () => OfferAsync(api, "patches"), offer => offer.GetProperty("bytesHere").GetInt64() == catalogue.Server.Content.Length / 2);
        onItsWay.GetProperty("state").GetString().ShouldBe("pulling");
        (await PullAsync(api, "patches")).Json.GetProperty("state").GetString().ShouldBe("pulling");
        rest.SetResult();

        await Eventually.SeeAsync("the model", () => OfferAsync(api, "patches"), offer => offer.GetProperty("state").GetString() == "here");
        catalogue.Server.Requests().Count.ShouldBe(1, "who asks for what is on its way does not have it fetched twice");
        await Eventually.SeeAsync(
            "the default", () => api.GetAsync("/v1/models"), models => models.Json.GetProperty("default").GetString() == "patches");
        SeveralModelsTests.OblongOf(await api.RunAsync(Pictures.Png(5))).ShouldBe(0.7, 0.001);
        (await PullAsync(api, "patches")).Json.GetProperty("state").GetString().ShouldBe("here");
    }

    [Fact]
    public async Task What_can_not_be_had_is_told_and_can_be_tried_again()
    {
        catalogue.Server.Next(http =>
        {
            http.Response.StatusCode = StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        });
        await using var service = await StartAsync();
        using var api = new SpotterApi(service.Address);

        await PullAsync(api, "patches");
        var failed = await Eventually.SeeAsync("the failure", () => OfferAsync(api, "patches"), offer => offer.GetProperty("state").GetString() == "failed");
        failed.GetProperty("error").GetProperty("code").GetString().ShouldBe("download_failed");
        failed.GetProperty("error").GetProperty("detail").GetString()!.ShouldContain("404");
        service.Log.ShouldContain("The model patches could not be pulled.");

        await PullAsync(api, "patches");
        await Eventually.SeeAsync("the model", () => OfferAsync(api, "patches"), offer => offer.GetProperty("state").GetString() == "here");
    }

    [Fact]
    public async Task Only_what_the_catalogue_has_and_whose_licence_is_accepted_is_pulled()
    {
        await using var service = await StartAsync();
        using var api = new SpotterApi(service.Address);

        (await PullAsync(api, "another")).ShouldBeProblem(422, "unknown_model");
        (await PullAsync(api, "strict")).ShouldBeProblem(422, "licence_not_accepted");
        (await PullAsync(api, "strict", new { })).ShouldBeProblem(422, "licence_not_accepted");
        (await PullAsync(api, "strict", new { acceptLicence = "MIT" })).ShouldBeProblem(422, "licence_not_accepted");
        catalogue.Server.Requests().ShouldBeEmpty();
        (await PullAsync(api, "strict", new { acceptLicence = "AGPL-3.0" })).Status.ShouldBe(HttpStatusCode.Accepted);
        await Eventually.SeeAsync("the model", () => OfferAsync(api, "strict"), offer => offer.GetProperty("state").GetString() == "here");
    }

    [Fact]
    public async Task A_service_of_named_models_pulls_none_and_says_why()
    {
        await using var service = await SpotterProcess.StartAsync(Data, PatchModel.Write(folder.File("mine.onnx")), environment: catalogue.Variables);
        using var api = new SpotterApi(service.Address);

        (await api.GetAsync("/v1/catalogue")).Json.GetProperty("closed").GetString()!.ShouldContain("--model");
        (await PullAsync(api, "patches")).ShouldBeProblem(422, "unsupported_option");
    }

    [Fact]
    public async Task Only_who_operates_the_service_may()
    {
        Directory.CreateDirectory(Data);
        var keys = new List<string>();
        foreach (var (name, scopes) in new[] { ("user", "submit,read"), ("boss", "submit,read,operate") })
            keys.Add((await SpotterProgram.RunAsync("keys", "add", name, "--scopes", scopes, "--data", Data)).Output.Trim());
        await using var service = await StartAsync();
        using var user = new SpotterApi(service.Address, keys[0]);
        using var boss = new SpotterApi(service.Address, keys[1]);

        (await user.GetAsync("/v1/catalogue")).ShouldBeProblem(403, "forbidden");
        (await PullAsync(user, "patches")).ShouldBeProblem(403, "forbidden");
        (await OfferAsync(boss, "patches")).GetProperty("state").GetString().ShouldBe("available");
        Scopes(await user.GetAsync("/v1/caller")).ShouldBe(["submit", "read"]);
        Scopes(await boss.GetAsync("/v1/caller")).ShouldBe(["submit", "read", "operate"]);

        static string?[] Scopes(Answer answer) => [.. answer.Json.GetProperty("scopes").EnumerateArray().Select(scope => scope.GetString())];
    }

    [Fact]
    public async Task Serve_says_how_to_get_a_model_that_is_named_and_not_here()
    {
        var refused = await SpotterProgram.RunWithAsync(catalogue.Variables, "serve", "--model", "patches", "--data", Data, "--port", "0");

        refused.Status.ShouldBe(1);
        refused.Errors.ShouldContain("`spotter models pull patches` downloads it");
        catalogue.Server.Requests().ShouldBeEmpty("nobody was asked");
    }

    [PythonFact]
    public async Task Serve_asks_at_a_terminal_and_then_downloads_the_model_that_is_named()
    {
        // Says yes to the question, and interrupts the service once it listens.
        const string AtTerminal = """
            import os, pty, sys
            pid, terminal = pty.fork()
            if pid == 0:
                os.execvp(sys.argv[1], sys.argv[1:])
            seen, asked, told = b'', False, False
            while True:
                try:
                    piece = os.read(terminal, 4096)
                except OSError:
                    break
                if not piece:
                    break
                seen += piece
                if not asked and b'[Y/n]' in seen:
                    asked = True
                    os.write(terminal, b'\n')
                if not told and b'listening on' in seen:
                    told = True
                    os.write(terminal, b'\x03')
            sys.stdout.buffer.write(seen)
            sys.exit(0 if asked and told and os.waitpid(pid, 0)[1] == 0 else 1)
            """;
        var serve = SpotterProgram.StartInfo(["serve", "--model", "patches", "--data", Data, "--port", "0"], catalogue.Variables);
        var start = new ProcessStartInfo(EngineProcess.Python!, ["-c", AtTerminal, serve.FileName, .. serve.ArgumentList]) { RedirectStandardOutput = true, UseShellExecute = false };
        foreach (var (name, value) in serve.Environment)
            start.Environment[name] = value;

        using var process = Process.Start(start)!;
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        await using var end = patience.Token.Register(() => process.Kill(entireProcessTree: true));
        var seen = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();

        process.ExitCode.ShouldBe(0, seen);
        seen.ShouldContain("licence  MIT, of the testers");
        File.Exists(Path.Combine(Data, "models", "patches.onnx")).ShouldBeTrue();
    }

    private static Task<Answer> PullAsync(SpotterApi api, string name, object? body = null) =>
        api.SendAsync(new HttpRequestMessage(HttpMethod.Post, $"/v1/catalogue/{name}") { Content = body is null ? null : JsonContent.Create(body) });

    private static async Task<JsonElement> OfferAsync(SpotterApi api, string name) =>
        (await api.GetAsync("/v1/catalogue")).Json.GetProperty("models").EnumerateArray().Single(model => model.GetProperty("name").GetString() == name);

    private Task<SpotterProcess> StartAsync() => SpotterProcess.StartAsync(Data, model: null, environment: catalogue.Variables);
}
