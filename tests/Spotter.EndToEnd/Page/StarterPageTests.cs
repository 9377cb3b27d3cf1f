using System.Net;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Spotter.EndToEnd.Page;

/// <summary>The built-in model where there is no other, with a tiny one in its place: what it knows is not tested here.</summary>
public sealed class StarterPageTests : IAsyncLifetime
{
    private readonly TemporaryFolder folder = new();
    private readonly Dictionary<string, string> environment;

    public StarterPageTests()
    {
        Directory.CreateDirectory(folder.File("starter/samples"));
        PatchModel.Write(folder.File("starter/starter.onnx"));
        foreach (var (name, shade) in new[] { ("street.jpg", (byte)200), ("shop.jpg", (byte)120), ("crossroads.jpg", (byte)60) })
            File.WriteAllBytes(folder.File($"starter/samples/{name}"), Pictures.Jpeg(shade));
        environment = new(StringComparer.Ordinal) { ["SPOTTER_STARTER"] = folder.File("starter/starter.onnx") };
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync()
    {
        folder.Dispose();
        return Task.CompletedTask;
    }

    [BrowserFact]
    public async Task The_page_says_what_the_built_in_model_knows_and_a_sample_is_one_click_away()
    {
        await using var service = await SpotterProcess.StartAsync(folder.File("data"), model: null, environment: environment);
        await using var browser = await Browser.StartAsync();
        await using var visit = await browser.VisitAsync(service.Address);

        var starter = visit.Page.GetByTestId("starter");
        await Expect(starter).ToBeVisibleAsync();
        await Expect(starter).ToContainTextAsync("finds 2 things");
        await Expect(starter).ToContainTextAsync("oblong");
        await Expect(visit.Page.GetByTestId("sample")).ToHaveCountAsync(3);
        await visit.Page.GetByTestId("sample").First.ClickAsync();

        await Expect(visit.DoneCards).ToHaveCountAsync(1);
        await Expect(visit.DoneCards.First).ToContainTextAsync("crossroads.jpg");
        await Expect(visit.DoneCards.First.GetByTestId("summary")).ToContainTextAsync("1 oblong");
        visit.Complaints.ShouldBeEmpty();
    }

    [BrowserFact]
    public async Task A_model_for_everyday_things_is_one_click_away_where_nothing_was_found()
    {
        PatchModel.Write(folder.File("starter/starter.onnx"), oblong: 0, faint: 0);
        await using var catalogue = await ModelCatalogueFile.StartAsync();
        catalogue.Server.Next(http =>
        {
            http.Response.StatusCode = 404;
            return Task.CompletedTask;
        });
        foreach (var (name, value) in catalogue.Variables)
            environment[name] = value;
        await using var service = await SpotterProcess.StartAsync(folder.File("data"), model: null, environment: environment);
        await using var browser = await Browser.StartAsync();
        await using var visit = await browser.VisitAsync(service.Address);
        var starter = visit.Page.GetByTestId("starter");
        await Expect(starter.GetByTestId("offer")).ToContainTextAsync("MIT, of the testers");
        await Expect(starter.GetByText("models pull")).ToBeHiddenAsync();

        var card = await visit.RunAsync(new() { Name = "dark.png", MimeType = "image/png", Buffer = Pictures.Png(0, 256, 256) });
        await Expect(card).ToContainTextAsync("found nothing");
        await card.GetByTestId("get-model").ClickAsync();
        await Expect(card.GetByTestId("offer")).ToContainTextAsync("404");
        await card.GetByRole(AriaRole.Button, new() { Name = "Try again" }).ClickAsync();

        await Expect(visit.Page.GetByTestId("model")).ToHaveValueAsync("patches");
        await Expect(starter).ToBeHiddenAsync();
        await Expect(card.GetByTestId("offer")).ToBeHiddenAsync();
        await card.GetByRole(AriaRole.Button, new() { Name = "Run with patches" }).ClickAsync();
        await Expect(card.GetByTestId("summary")).ToContainTextAsync("1 oblong");
        visit.Complaints.ShouldBeEmpty();
    }

    [BrowserFact]
    public async Task A_model_of_ones_own_is_the_default_and_the_built_in_one_can_be_chosen()
    {
        Directory.CreateDirectory(folder.File("data/models"));
        PatchModel.Write(folder.File("data/models/zebra.onnx"), oblong: 0.7f);
        await using var service = await SpotterProcess.StartAsync(folder.File("data"), model: null, environment: environment);
        using var api = new SpotterApi(service.Address);
        (await api.GetAsync("/v1/models")).Json.GetProperty("default").GetString().ShouldBe("zebra");
        Api.SeveralModelsTests.OblongOf(await api.RunAsync(Pictures.Png(5))).ShouldBe(0.7, 0.001);
        Api.SeveralModelsTests.OblongOf(await api.RunAsync(Pictures.Png(5), Part.Field("model", "starter"))).ShouldBe(0.6, 0.001);

        await using var browser = await Browser.StartAsync();
        await using var visit = await browser.VisitAsync(service.Address);
        await Expect(visit.Page.GetByTestId("starter")).ToBeHiddenAsync();
        await visit.Page.GetByTestId("model").SelectOptionAsync("starter");
        await Expect(visit.Page.GetByTestId("starter")).ToBeVisibleAsync();
        visit.Complaints.ShouldBeEmpty();
    }

    [Fact]
    public async Task Every_command_has_it_when_there_is_no_other()
    {
        await File.WriteAllBytesAsync(folder.File("a.png"), Pictures.Png(5));
        var more = new Dictionary<string, string>(environment, StringComparer.Ordinal) { ["SPOTTER__DATA"] = folder.File("data") };

        var detected = await SpotterProgram.RunWithAsync(more, "detect", folder.File("a.png"), "--json");
        (detected.Status, detected.Errors).ShouldBe((0, ""));
        detected.Output.ShouldContain("\"model\":\"starter\"");
        (await SpotterProgram.RunWithAsync(more, "models", "list")).Output.ShouldContain("starter");
        more["SPOTTER_STARTER"] = "none";
        (await SpotterProgram.RunWithAsync(more, "detect", folder.File("a.png"))).Status.ShouldBe(1);
    }

    [Fact]
    public async Task Samples_are_served_by_name_and_nothing_else_is()
    {
        await using var service = await SpotterProcess.StartAsync(folder.File("data"), model: null, environment: environment);
        using var api = new SpotterApi(service.Address);
        var model = (await api.GetAsync("/v1/models")).Json.GetProperty("models")[0];
        (model.GetProperty("builtIn").GetBoolean(), model.GetProperty("default").GetBoolean()).ShouldBe((true, true));

        foreach (var url in model.GetProperty("samples").EnumerateArray().Select(u => u.GetString()!))
        {
            var sample = await api.GetAsync("/" + url);
            (sample.Status, sample.MediaType).ShouldBe((HttpStatusCode.OK, "image/jpeg"));
            sample.Bytes[..3].ShouldBe([0xFF, 0xD8, 0xFF]);
        }
        (await api.GetAsync("/v1/samples/starter.onnx")).ShouldBeProblem(404, "not_found");
        (await api.GetAsync("/v1/samples/..%2Fstarter.onnx")).ShouldBeProblem(404, "not_found");
    }
}
