using Microsoft.Playwright;
using Spotter.EndToEnd.Api;
using static Microsoft.Playwright.Assertions;

namespace Spotter.EndToEnd.Page;

/// <summary>The page of a service with keys.</summary>
public sealed class KeyPageTests(KeyService service) : IClassFixture<KeyService>
{
    [BrowserFact]
    public async Task With_a_key_everything_works_and_without_one_nothing_is_seen()
    {
        await using var browser = await Browser.StartAsync();
        await using var visit = await browser.OpenAsync(service.Process.Address);
        var page = visit.Page;
        var signIn = page.GetByTestId("sign-in");
        await Expect(signIn).ToBeVisibleAsync();
        await Expect(page.GetByTestId("drop")).ToBeHiddenAsync();

        await page.GetByTestId("key").FillAsync("sk_" + new string('A', 43));
        await page.Keyboard.PressAsync("Enter");
        await Expect(signIn.GetByRole(AriaRole.Alert)).ToContainTextAsync("not known here");

        await page.GetByTestId("key").FillAsync(service.RedKey);
        await page.Keyboard.PressAsync("Enter");
        await Expect(signIn).ToBeHiddenAsync();
        var card = await visit.RunAsync(new FilePayload { Name = "shelf.png", MimeType = "image/png", Buffer = Pictures.Png(140, 256, 256) });
        var id = (await card.GetAttributeAsync("data-job"))!;
        await Overlay.ShouldMatchAsync(card, service.Red, 0.25);
        (await service.Red.JobAsync(id)).GetProperty("by").GetString().ShouldBe("red-web");

        foreach (var (link, ending) in ((string, string)[])[("download-json", ".json"), ("download-image", ".jpg")])
        {
            var download = await page.RunAndWaitForDownloadAsync(() => card.GetByTestId(link).ClickAsync());
            download.SuggestedFilename.ShouldEndWith(ending);
            new FileInfo(await download.PathAsync()).Length.ShouldBeGreaterThan(100);
        }

        // The key outlives a reload, and the picture of an earlier job comes with it.
        await page.ReloadAsync();
        await page.GetByTestId("recent").Locator($"[data-recent='{id}']").ClickAsync();
        await Expect(visit.DoneCards.First.Locator("img")).ToHaveJSPropertyAsync("naturalWidth", 256);
        (await page.EvaluateAsync<string>("() => document.documentElement.outerHTML")).ShouldNotContain(service.RedKey);

        await page.GetByTestId("sign-out").ClickAsync();
        await Expect(signIn).ToBeVisibleAsync();
        await Expect(visit.Cards).ToHaveCountAsync(0);
        (await page.EvaluateAsync<int>("() => sessionStorage.length")).ShouldBe(0);
        // What is refused is an error of the network to the console; a breach of the page's policy would be another.
        visit.Complaints.ShouldAllBe(complaint => complaint.Contains("401", StringComparison.Ordinal));
    }

    [BrowserFact]
    public async Task A_stream_of_events_comes_with_the_key_too()
    {
        await using var browser = await Browser.StartAsync();
        await using var visit = await browser.OpenAsync(service.Process.Address);
        await visit.Page.GetByTestId("key").FillAsync(service.RedKey);
        // The models are asked for after the numbers, and without one no picture is taken.
        await visit.Page.RunAndWaitForResponseAsync(
            () => visit.Page.Keyboard.PressAsync("Enter"), response => response.Url.EndsWith("/v1/models", StringComparison.Ordinal) && response.Ok);
        await Expect(visit.Page.GetByTestId("strip")).ToContainTextAsync("of");
        await Expect(visit.Page.GetByTestId("file-input")).ToBeEnabledAsync();

        var streams = new List<int>();
        visit.Page.Response += (_, response) =>
        {
            if (response.Url.EndsWith("/events", StringComparison.Ordinal))
                streams.Add(response.Status);
        };
        await visit.PickAsync([.. Enumerable.Range(0, 12).Select(i => new FilePayload { Name = $"{i}.png", MimeType = "image/png", Buffer = Pictures.Png((byte)(150 + i), 256, 256) })]);
        await Expect(visit.DoneCards).ToHaveCountAsync(12);
        streams.ShouldNotBeEmpty();
        streams.ShouldAllBe(status => status == 200);
    }
}
