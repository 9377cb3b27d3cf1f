using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Spotter.EndToEnd.Page;

/// <summary>What axe-core (https://github.com/dequelabs/axe-core) finds of barriers on the page, with all of it open.</summary>
public sealed class AccessiblePageTests : IDisposable
{
    private static readonly List<string> Rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [BrowserFact]
    public async Task Nothing_on_the_page_is_a_barrier()
    {
        Directory.CreateDirectory(folder.File("data/models"));
        PatchModel.Write(folder.File("data/models/mine.onnx"));
        PatchModel.WriteUnsupported(folder.File("data/models/strange.onnx"));
        await using var catalogue = await ModelCatalogueFile.StartAsync();
        await using var service = await SpotterProcess.StartAsync(folder.File("data"), model: null, environment: catalogue.Variables);
        await using var browser = await Browser.StartAsync();
        var barriers = new List<string>();
        foreach (var (scheme, width, touch) in ((ColorScheme, int, bool)[])[(ColorScheme.Light, 1280, false), (ColorScheme.Dark, 1280, false), (ColorScheme.Light, 360, true), (ColorScheme.Dark, 360, true), (ColorScheme.Light, 3840, false)])
        {
            await using var visit = await browser.VisitAsync(service.Address, width, height: 900, scheme, touch);
            var page = visit.Page;
            // Colours are judged as they are, not halfway.
            await page.EmulateMediaAsync(new() { ColorScheme = scheme, ReducedMotion = ReducedMotion.Reduce });
            await JudgeAsync("empty");
            var found = await visit.RunAsync(new() { Name = "found.png", MimeType = "image/png", Buffer = Pictures.Png(200) });
            await visit.RunAsync(new() { Name = "nothing.png", MimeType = "image/png", Buffer = Pictures.Png(0, 256, 256) });
            await visit.PickAsync(new FilePayload { Name = "broken.png", MimeType = "image/png", Buffer = Pictures.Png(90)[..60] });
            await Expect(page.Locator("[data-testid=card][data-state=failed], [data-testid=card][data-state=refused]")).ToHaveCountAsync(1);
            await JudgeAsync("cards");
            await found.GetByTestId("history").Locator("summary").ClickAsync();
            await page.GetByTestId("models-toggle").ClickAsync();
            await Expect(page.GetByTestId("models").Locator("[data-model=mine]")).ToBeVisibleAsync();
            await page.GetByTestId("scaling-toggle").ClickAsync();
            await Expect(page.GetByTestId("scaling")).ToBeVisibleAsync();
            await JudgeAsync("panels");
            await visit.PickAsync([.. Enumerable.Range(10, 13).Select(shade => new FilePayload { Name = $"more{shade}.png", MimeType = "image/png", Buffer = Pictures.Png((byte)shade) })]);
            await Expect(visit.DoneCards).ToHaveCountAsync(15);
            await JudgeAsync("album");
            visit.Complaints.ShouldBeEmpty();
            if (width == 360)
                await SeePlantedAsync();

            // Nothing found would mean nothing if nothing could be.
            async Task SeePlantedAsync()
            {
                var before = barriers.Count;
                await page.EvaluateAsync("() => { const pale = document.createElement('p'); pale.textContent = 'pale'; pale.style.color = '#888'; pale.style.background = '#999'; document.querySelector('main').append(pale, document.createElement('input')) }");
                await JudgeAsync("planted");
                barriers.Skip(before).Select(b => b.Split(": ")[1]).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ShouldBe(["color-contrast", "label"]);
                barriers.RemoveRange(before, barriers.Count - before);
            }

            async Task JudgeAsync(string what)
            {
                var result = await page.RunAxe(new AxeRunOptions { RunOnly = new RunOnlyOptions { Type = "tag", Values = Rules } });
                result.Passes.Length.ShouldBeGreaterThan(10, "hardly anything was looked at");
                barriers.AddRange(result.Violations.SelectMany(v => v.Nodes.Select(n => $"{scheme} {width}, {what}: {v.Id}: {n.Target} {n.Html[..Math.Min(160, n.Html.Length)]} {string.Join("; ", n.Any.Concat(n.All).Concat(n.None).Select(c => c.Message))}")));
            }
        }
        barriers.ShouldBeEmpty();
    }
}
