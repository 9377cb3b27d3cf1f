using System.Globalization;
using System.Text.RegularExpressions;
using static Microsoft.Playwright.Assertions;

namespace Spotter.EndToEnd.Page;

/// <summary>The panel that shows why there are as many workers as there are.</summary>
public sealed partial class ScalingPageTests(PageService running) : IClassFixture<PageService>
{
    [BrowserFact]
    public async Task It_is_closed_until_somebody_asks_and_then_says_at_each_moment_why()
    {
        SpotterApi.StateOf(await running.Api.RunAsync(Pictures.Png(90))).ShouldBe("succeeded");
        await using var visit = await running.Browser.VisitAsync(running.Process.Address);
        var page = visit.Page;
        await Expect(page.GetByTestId("scaling")).ToBeHiddenAsync();

        await page.GetByTestId("scaling-toggle").ClickAsync();
        await Expect(page.GetByTestId("scaling-toggle")).ToHaveAttributeAsync("aria-expanded", "true");
        await Expect(page.GetByTestId("scaling-latest")).ToContainTextAsync(Decision());

        var chart = page.GetByTestId("scaling-chart");
        var box = (await chart.BoundingBoxAsync())!;
        await page.Mouse.MoveAsync(box.X + box.Width - 4, box.Y + 40);
        var tip = page.GetByTestId("scaling-tip");
        await Expect(tip).ToContainTextAsync("waiting");
        await Expect(tip).ToContainTextAsync("wanted");
        await Expect(tip).ToContainTextAsync(Decision());
        await page.Mouse.MoveAsync(box.X + 10, box.Y + box.Height + 200);
        await Expect(tip).ToBeHiddenAsync();

        // By keyboard from decision to decision.
        await chart.FocusAsync();
        await page.Keyboard.PressAsync("ArrowLeft");
        await Expect(tip).ToContainTextAsync(Decision());
        await page.Keyboard.PressAsync("Escape");
        await Expect(tip).ToBeHiddenAsync();
        visit.Complaints.ShouldBeEmpty();
    }

    [BrowserFact]
    public async Task A_recorded_day_is_compared_with_what_another_preset_would_have_made_of_it()
    {
        SpotterApi.StateOf(await running.Api.RunAsync(Pictures.Png(91))).ShouldBe("succeeded");
        await using var visit = await running.Browser.VisitAsync(running.Process.Address);
        var page = visit.Page;
        await page.GetByTestId("scaling-toggle").ClickAsync();

        await Expect(page.GetByTestId("what-if-day").Locator("option")).Not.ToHaveCountAsync(0);
        await page.GetByTestId("what-if-preset").SelectOptionAsync("fast");
        await page.GetByTestId("what-if-most").FillAsync(5.ToString(CultureInfo.InvariantCulture));
        await page.GetByRole(Microsoft.Playwright.AriaRole.Button, new() { Name = "Compare" }).ClickAsync();

        var answer = page.GetByTestId("what-if-answer");
        await Expect(answer).ToContainTextAsync("As it is set (balanced, at most 1)");
        await Expect(answer).ToContainTextAsync("What if (fast, at most 5)");
        await Expect(answer).ToContainTextAsync("Worker-hours");
        visit.Complaints.ShouldBeEmpty();
    }

    // Every decision ends in what becomes of the number.
    [GeneratedRegex(@"keep \d|\d -> \d", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Decision();
}
