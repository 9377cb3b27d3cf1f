using System.Text.Json;

namespace Spotter.EndToEnd.Clients;

/// <summary>The clients' examples are what their READMEs show, and do what these say.</summary>
public sealed class ClientExamplesTests(ClientService service) : IClassFixture<ClientService>
{
    private const string Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    [ClientTheory]
    [InlineData("python", "py")]
    [InlineData("js", "mjs")]
    public async Task They_are_what_the_README_shows(string client, string extension)
    {
        var readme = await File.ReadAllTextAsync(ClientProgram.FileOf("clients", client, "README.md"));
        var examples = Directory.GetFiles(ClientProgram.FileOf("clients", client, "examples"));

        examples.Select(Path.GetFileName).Order(StringComparer.Ordinal).ShouldBe([$"detect.{extension}", $"follow.{extension}", $"webhook.{extension}"]);
        foreach (var example in examples)
            readme.ShouldContain(await File.ReadAllTextAsync(example));
    }

    [ClientTheory]
    [InlineData("python", "py")]
    [InlineData("js", "mjs")]
    public async Task Detect_says_what_is_in_a_picture_and_draws_it(string client, string extension)
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllBytesAsync(folder.File("photo.png"), Pictures.Png(200));
        await File.WriteAllTextAsync(folder.File("note.txt"), "no picture");

        var (status, output, errors) = await ClientProgram.RunAsync(Start(client, $"detect.{extension}", folder.Path, "photo.png"));
        var refused = await ClientProgram.RunAsync(Start(client, $"detect.{extension}", folder.Path, "note.txt"));

        status.ShouldBe(0, errors);
        output.Split('\n')[0].ShouldStartWith("square 0.78 at ");
        (await File.ReadAllBytesAsync(folder.File("boxes.jpg")))[..3].ShouldBe([0xFF, 0xD8, 0xFF]);
        refused.Status.ShouldBe(1);
        refused.Errors.ShouldStartWith("note.txt: This is not a JPEG");
    }

    [ClientTheory]
    [InlineData("python", "py")]
    [InlineData("js", "mjs")]
    public async Task Follow_says_how_jobs_go_on(string client, string extension)
    {
        using var folder = new TemporaryFolder();
        foreach (var name in (string[])["a.png", "b.png"])
            await File.WriteAllBytesAsync(folder.File(name), Pictures.Png((byte)(100 + name[0])));

        var (status, output, errors) = await ClientProgram.RunAsync(Start(client, $"follow.{extension}", folder.Path, "a.png", "b.png"));

        status.ShouldBe(0, errors);
        output.ShouldContain("a.png succeeded");
        output.ShouldContain("b.png succeeded");
        output.ShouldContain("oblong");
    }

    [ClientTheory]
    [InlineData("python", "py")]
    [InlineData("js", "mjs")]
    public async Task Webhook_takes_what_the_service_sends_and_nothing_forged(string client, string extension)
    {
        var start = ClientProgram.StartInfo(ClientProgram.FileOf("clients", client, "examples", $"webhook.{extension}"), ["0"]);
        start.Environment["SPOTTER_SECRET"] = Secret;
        await using var endpoint = await ServerProcess.StartAsync(start);

        var id = SpotterApi.IdOf((await service.Api.SubmitAsync(
            [Part.Field("callback", endpoint.Address.ToString()), Part.Field("callback_secret", Secret), Part.Image(Pictures.Png(33))])).Json);
        await Eventually.SeeAsync("the webhook is delivered", () => service.Api.JobAsync(id), StateOfCallback("delivered"));
        using var forger = new HttpClient();
        using var forged = await forger.PostAsync(endpoint.Address, new StringContent("""{"type": "job.succeeded", "data": {"id": "forged"}}"""));

        endpoint.Log.ShouldContain($"job.succeeded {id}");
        endpoint.Log.ShouldNotContain("forged");
        ((int)forged.StatusCode).ShouldBe(401);
    }

    private System.Diagnostics.ProcessStartInfo Start(string client, string example, string folder, params string[] pictures) =>
        ClientProgram.StartInfo(ClientProgram.FileOf("clients", client, "examples", example), [service.Process.Address.ToString(), .. pictures], folder);

    private static Func<JsonElement, bool> StateOfCallback(string state) => job => job.GetProperty("callback").GetProperty("state").GetString() == state;
}
