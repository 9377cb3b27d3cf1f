using System.Globalization;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Spotter.EndToEnd.Page;

/// <summary>A service with one model of every task but detection.</summary>
public sealed class TaskService : RunningService, IAsyncLifetime
{
    private readonly TemporaryFolder folder = new();

    internal Browser Browser { get; private set; } = null!;

    protected override IReadOnlyList<string> Arguments =>
        [.. base.Arguments, "--model", folder.File("joints.onnx"), "--model", folder.File("turned.onnx"), "--model", folder.File("masks.onnx")];

    async Task IAsyncLifetime.InitializeAsync()
    {
        ShapeModel.WritePose(folder.File("joints.onnx"));
        ShapeModel.WriteTurned(folder.File("turned.onnx"));
        ShapeModel.WriteSegmenter(folder.File("masks.onnx"));
        await InitializeAsync();
        if (Browser.Executable is not null)
            Browser = await Browser.StartAsync();
    }

    async Task IAsyncLifetime.DisposeAsync()
    {
        if (Browser is not null)
            await Browser.DisposeAsync();
        await DisposeAsync();
        folder.Dispose();
    }

    private protected override string WriteModel(TemporaryFolder into) => PatchModel.WriteClassifier(into.File("colours.onnx"));
}

/// <summary>What the page shows besides boxes.</summary>
public sealed class TaskPageTests(TaskService service) : IClassFixture<TaskService>
{
    private static readonly FilePayload Green = new() { Name = "meadow.png", MimeType = "image/png", Buffer = Pictures.Colour(10, 240, 20) };

    [BrowserFact]
    public async Task Labels_of_the_whole_picture_are_listed_with_how_sure_they_are()
    {
        await using var visit = await service.Browser.VisitAsync(service.Process.Address);
        var card = await visit.RunAsync(Green);

        var labels = card.GetByTestId("label");
        await Expect(labels).ToHaveCountAsync(3);
        await Expect(labels.First).ToContainTextAsync("green");
        await Expect(card.GetByTestId("summary")).ToHaveTextAsync("green");
        var widths = await labels.Locator(".meter").EvaluateAllAsync<double[]>("meters => meters.map(m => Number(m.style.getPropertyValue('--share')))");
        widths[0].ShouldBeGreaterThan(0.9);
        widths.ShouldBe(widths.OrderDescending());
        await Expect(card.GetByTestId("box")).ToHaveCountAsync(0);
        await Expect(visit.Page.GetByTestId("recent")).ToContainTextAsync("meadow.png");
        await Expect(visit.Page.GetByTestId("recent")).ToContainTextAsync("green");
        visit.Complaints.ShouldBeEmpty();
    }

    [BrowserFact]
    public async Task Joints_that_are_seen_are_drawn_and_joined_where_the_skeleton_says()
    {
        await using var visit = await service.Browser.VisitAsync(service.Process.Address);
        var card = await RunAsync(visit, "joints");

        await Expect(card.GetByTestId("joint")).ToHaveCountAsync(2);
        await ShouldBeCentredAsync(card, card.GetByTestId("joint").First, 20, 20);
        await ShouldBeCentredAsync(card, card.GetByTestId("joint").Nth(1), 40, 20);
        visit.Complaints.ShouldBeEmpty();
    }

    [BrowserFact]
    public async Task A_turned_box_is_drawn_as_it_lies()
    {
        await using var visit = await service.Browser.VisitAsync(service.Process.Address);
        var card = await RunAsync(visit, "turned");

        var corners = (await card.GetByTestId("turned").GetAttributeAsync("points"))!.Split(' ')
            .Select(p => p.Split(',').Select(n => double.Parse(n, CultureInfo.InvariantCulture)).ToArray()).ToList();
        corners.Count.ShouldBe(4);
        // 40 x 16, turned by 45 degrees around (32, 32).
        var reach = (20 + 8) / Math.Sqrt(2);
        corners.Max(c => c[0]).ShouldBe(32 + reach, 0.6);
        corners.Min(c => c[1]).ShouldBe(32 - reach, 0.6);
        await ShouldBeCentredAsync(card, card.GetByTestId("turned"), 32, 32);
        var border = await card.GetByTestId("box").EvaluateAsync<string>("box => getComputedStyle(box).borderTopColor");
        border.ShouldBe("rgba(0, 0, 0, 0)", "the upright box around it is not drawn");
        visit.Complaints.ShouldBeEmpty();
    }

    [BrowserFact]
    public async Task A_mask_is_drawn_over_the_pixels_that_it_means()
    {
        await using var visit = await service.Browser.VisitAsync(service.Process.Address);
        var card = await RunAsync(visit, "masks");

        var outline = card.GetByTestId("outline");
        await Expect(outline).ToHaveCountAsync(1);
        await ShouldBeCentredAsync(card, outline, 24, 32);
        // It lights up with its line in the list.
        await card.Locator(".row").First.HoverAsync();
        await Expect(card.Locator(".shape")).ToHaveClassAsync("shape active");
        visit.Complaints.ShouldBeEmpty();
    }

    [BrowserFact]
    public async Task Another_model_can_be_run_on_a_picture_that_is_there()
    {
        await using var visit = await service.Browser.VisitAsync(service.Process.Address);
        var card = await RunAsync(visit, "turned");
        await Expect(card.GetByTestId("turned")).ToHaveCountAsync(1);
        await Expect(card.GetByRole(AriaRole.Button, new() { Name = "Run with" })).ToHaveCountAsync(0);

        await visit.Page.GetByTestId("model").SelectOptionAsync("joints");
        await card.GetByRole(AriaRole.Button, new() { Name = "Run with joints" }).ClickAsync();

        await Expect(card.GetByTestId("joint")).ToHaveCountAsync(2);
        await Expect(card.GetByTestId("turned")).ToHaveCountAsync(0);
        await Expect(card.GetByRole(AriaRole.Button, new() { Name = "Run with" })).ToHaveCountAsync(0);
        visit.Complaints.ShouldBeEmpty();
    }

    private static async Task<ILocator> RunAsync(Visit visit, string model)
    {
        await visit.Page.GetByTestId("model").SelectOptionAsync(model);
        return await visit.RunAsync(Green);
    }

    /// <summary>Holds if a shape lies around this point of the picture of 64 x 64 as the screen shows it.</summary>
    private static async Task ShouldBeCentredAsync(ILocator card, ILocator shape, double x, double y)
    {
        var picture = (await card.Locator("img").BoundingBoxAsync())!;
        var at = (await shape.BoundingBoxAsync())!;
        var scale = picture.Width / PatchModel.Edge;
        ((double)((at.X + (at.Width / 2) - picture.X) / scale)).ShouldBe(x, 1.2);
        ((double)((at.Y + (at.Height / 2) - picture.Y) / scale)).ShouldBe(y, 1.2);
    }
}
