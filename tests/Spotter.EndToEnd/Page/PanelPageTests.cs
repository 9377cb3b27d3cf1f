using static Microsoft.Playwright.Assertions;

namespace Spotter.EndToEnd.Page;

/// <summary>What whoever runs a service sees on its page: jobs that were given up, and models.</summary>
public sealed class PanelPageTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [BrowserFact]
    public async Task A_job_that_was_given_up_says_why_and_can_be_run_again()
    {
        await using var service = await SpotterProcess.StartAsync(
            folder.File("data"), PatchModel.Write(folder.File("slow.onnx"), work: 700), ["--max-workers", "1", "--lanes", "1"]);
        using var api = new SpotterApi(service.Address);
        await using var browser = await Browser.StartAsync();
        await using var visit = await browser.VisitAsync(service.Address);
        var toggle = visit.Page.GetByTestId("dead-toggle");
        await Expect(toggle).ToBeHiddenAsync();

        var id = SpotterApi.IdOf((await api.SubmitAsync([Part.Image(Pictures.Png(77), "killer.png")])).Json);
        for (var attempt = 1; attempt <= 3; attempt++)
        {
            await Eventually.SeeAsync(
                $"attempt {attempt}", () => api.JobAsync(id), job => SpotterApi.StateOf(job) == "running" && job.GetProperty("attempts").GetInt32() == attempt, TimeSpan.FromSeconds(60));
            foreach (var worker in service.Workers())
                Processes.Signal(worker, Processes.Kill);
        }
        SpotterApi.StateOf(await api.EndOfAsync(id)).ShouldBe("dead");

        await Expect(toggle).ToHaveTextAsync("Given up: 1");
        await toggle.ClickAsync();
        var panel = visit.Page.GetByTestId("dead");
        await Expect(panel).ToContainTextAsync("The worker was lost");
        await Expect(panel).ToContainTextAsync("3 attempts");
        await panel.GetByText("killer.png").ClickAsync();
        var history = visit.Cards.First.GetByTestId("history");
        await history.Locator("summary").ClickAsync();
        await Expect(history).ToContainTextAsync("Attempt 1: ");
        await Expect(history).ToContainTextAsync(id);

        await panel.Locator("[data-error=worker_died]").ClickAsync();
        await Expect(panel.GetByTestId("dead-done")).ToContainTextAsync("1 job put back");
        SpotterApi.StateOf(await api.EndOfAsync(id)).ShouldBe("succeeded");
        (await api.JobAsync(id)).GetProperty("history").EnumerateArray().Last().GetProperty("kind").GetString().ShouldBe("redriven");
        visit.Complaints.ShouldBeEmpty();
    }

    [BrowserFact]
    public async Task Models_say_what_they_find_and_others_can_be_had()
    {
        Directory.CreateDirectory(folder.File("data/models"));
        PatchModel.Write(folder.File("data/models/mine.onnx"));
        PatchModel.WriteUnsupported(folder.File("data/models/strange.onnx"));
        await using var catalogue = await ModelCatalogueFile.StartAsync();
        await using var service = await SpotterProcess.StartAsync(folder.File("data"), model: null, environment: catalogue.Variables);
        await using var browser = await Browser.StartAsync();
        await using var visit = await browser.VisitAsync(service.Address);

        await visit.Page.GetByTestId("models-toggle").ClickAsync();
        var models = visit.Page.GetByTestId("models");
        await Expect(models.Locator("[data-model=mine]")).ToContainTextAsync("2 labels: square, oblong");
        await Expect(models.Locator("[data-model=mine]")).ToContainTextAsync("default");
        await Expect(models.Locator("[data-model=strange]")).ToContainTextAsync("can’t be used");

        await Expect(visit.Page.GetByTestId("catalogue")).ToContainTextAsync("MIT, of the testers");
        await visit.Page.Locator("[data-pull=strict]").GetByText("Accept AGPL-3.0 and get it").ClickAsync();
        await Expect(models.Locator("[data-model=strict]")).ToContainTextAsync("2 labels");
        await Expect(visit.Page.Locator("[data-pull=strict]")).ToHaveCountAsync(0);
        await visit.Page.GetByTestId("model").SelectOptionAsync("strict");
        visit.Complaints.ShouldBeEmpty();
    }
}
