using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Spotter.EndToEnd.Page;

/// <summary>The page in a real browser, on a real service.</summary>
public sealed class PageTests(PageService service) : IClassFixture<PageService>
{
    [BrowserFact]
    public async Task A_picked_picture_is_shown_with_its_boxes_where_they_belong()
    {
        await using var visit = await VisitAsync();

        var card = await visit.RunAsync(Picture("shelf.png", 200));

        await Expect(card).ToContainTextAsync("shelf.png");
        await Expect(card).ToContainTextAsync("256 × 256");
        await Expect(card.GetByTestId("summary")).ToContainTextAsync("1 square");
        await Expect(card.GetByTestId("summary")).ToContainTextAsync("1 oblong");
        await Overlay.ShouldMatchAsync(card, service.Api, 0.25);
        visit.Complaints.ShouldBeEmpty();
    }

    [BrowserFact]
    public async Task The_slider_shows_and_hides_boxes_of_all_pictures()
    {
        await using var visit = await VisitAsync();
        await visit.PickAsync(Picture("a.png", 220), Picture("b.png", 100));
        await Expect(visit.DoneCards).ToHaveCountAsync(2);
        var slider = visit.Page.GetByTestId("confidence");
        var boxes = visit.Page.GetByTestId("box");
        await Expect(boxes).ToHaveCountAsync(4);

        await slider.FillAsync("0.1");
        await Expect(boxes).ToHaveCountAsync(6);
        foreach (var card in await visit.DoneCards.AllAsync())
            await Overlay.ShouldMatchAsync(card, service.Api, 0.1);
        await slider.FillAsync("0.5");
        await Expect(boxes).ToHaveCountAsync(3);
        await slider.FillAsync("0.95");
        await Expect(boxes).ToHaveCountAsync(0);
        await Expect(visit.DoneCards.First).ToContainTextAsync("Nothing above 95 %");
        await slider.FillAsync("0.25");
        await Expect(boxes).ToHaveCountAsync(4);
        visit.Complaints.ShouldBeEmpty();
    }

    [BrowserFact]
    public async Task Pictures_can_be_dropped_and_pasted()
    {
        await using var visit = await VisitAsync();
        var bytes = Convert.ToBase64String(Pictures.Png(210, 256, 256));
        const string Give = """
            ([kind, base64]) => {
                const transfer = new DataTransfer()
                const bytes = Uint8Array.from(atob(base64), c => c.charCodeAt(0))
                transfer.items.add(new File([bytes], kind + '.png', { type: 'image/png' }))
                if (kind === 'pasted') document.dispatchEvent(new ClipboardEvent('paste', { clipboardData: transfer, bubbles: true, cancelable: true }))
                else for (const name of ['dragenter', 'dragover', 'drop'])
                    document.querySelector('[data-testid=drop]').dispatchEvent(new DragEvent(name, { dataTransfer: transfer, bubbles: true, cancelable: true }))
            }
            """;

        await visit.Page.EvaluateAsync(Give, new[] { "dropped", bytes });
        await Expect(visit.DoneCards).ToHaveCountAsync(1);
        await visit.Page.EvaluateAsync(Give, new[] { "pasted", bytes });
        await Expect(visit.DoneCards).ToHaveCountAsync(2);

        await Expect(visit.Cards.Nth(0)).ToContainTextAsync("pasted.png");
        await Expect(visit.Cards.Nth(1)).ToContainTextAsync("dropped.png");
        visit.Complaints.ShouldBeEmpty();
    }

    [BrowserFact]
    public async Task Answer_and_picture_can_be_downloaded()
    {
        await using var visit = await VisitAsync();
        var card = await visit.RunAsync(Picture("shelf.png", 201));
        var id = await card.GetAttributeAsync("data-job");

        var json = await visit.Page.RunAndWaitForDownloadAsync(() => card.GetByTestId("download-json").ClickAsync());
        json.SuggestedFilename.ShouldBe("shelf.json");
        var answer = await File.ReadAllTextAsync(await json.PathAsync());
        answer.ShouldBe((await service.Api.GetAsync($"/v1/jobs/{id}")).Text);

        var picture = await visit.Page.RunAndWaitForDownloadAsync(() => card.GetByTestId("download-image").ClickAsync());
        picture.SuggestedFilename.ShouldBe("shelf.boxes.jpg");
        (await File.ReadAllBytesAsync(await picture.PathAsync()))[..3].ShouldBe([0xFF, 0xD8, 0xFF]);
        visit.Complaints.ShouldBeEmpty();
    }

    [BrowserFact]
    public async Task Many_pictures_at_once_all_come_to_their_end()
    {
        await using var visit = await VisitAsync();

        await visit.PickAsync([.. Enumerable.Range(0, 30).Select(i => Picture(string.Create(CultureInfo.InvariantCulture, $"{i}.png"), (byte)(100 + (3 * i))))]);

        await Expect(visit.DoneCards).ToHaveCountAsync(30);
        await Expect(visit.Cards.First).ToContainTextAsync("0.png");
        visit.Complaints.ShouldBeEmpty();
    }

    [BrowserFact]
    public async Task Many_pictures_are_counted_picked_out_and_saved_together()
    {
        await using var visit = await VisitAsync();
        var album = visit.Page.GetByTestId("album");
        await Expect(album).ToBeHiddenAsync();

        // The square of the model is as sure as the picture is bright: twelve have one, two have not.
        await visit.PickAsync([.. Enumerable.Range(0, 14).Select(i => Picture(string.Create(CultureInfo.InvariantCulture, $"{i}.png"), (byte)(i < 12 ? 180 + i : 10 + i)))]);
        await Expect(visit.DoneCards).ToHaveCountAsync(14);
        await Expect(album.GetByTestId("album-shown")).ToHaveTextAsync("14 pictures");
        await Expect(album.Locator("[data-group='label: square']")).ToHaveTextAsync("12 square");
        await Expect(album.Locator("[data-group='label: oblong']")).ToHaveTextAsync("14 oblong");

        var large = (await visit.Cards.First.BoundingBoxAsync())!.Width;
        await Expect(album.GetByTestId("album-size")).ToHaveTextAsync("Large");
        await album.GetByTestId("album-size").ClickAsync();
        (await visit.Cards.First.BoundingBoxAsync())!.Width.ShouldBeGreaterThan(large, "so many are shown small at first");

        await album.Locator("[data-group='label: square']").ClickAsync();
        await Expect(album.GetByTestId("album-shown")).ToHaveTextAsync("12 of 14 pictures");
        (await visit.Cards.And(visit.Page.Locator(":visible")).CountAsync()).ShouldBe(12);

        await album.GetByTestId("export").Locator("summary").ClickAsync();
        var download = await visit.Page.RunAndWaitForDownloadAsync(() => album.Locator("[data-format=csv]").ClickAsync());
        download.SuggestedFilename.ShouldBe("results.csv");
        var lines = (await File.ReadAllTextAsync(await download.PathAsync())).Split("\r\n");
        lines.Count(line => line.Contains(",oblong,", StringComparison.Ordinal)).ShouldBe(12);
        lines.ShouldContain(line => line.StartsWith("11.png,square,", StringComparison.Ordinal));

        // A picture that is added is seen, whatever was picked out before.
        await visit.PickAsync(Picture("late.png", 30));
        await Expect(visit.DoneCards).ToHaveCountAsync(15);
        await Expect(album.GetByTestId("album-shown")).ToHaveTextAsync("15 pictures");

        // What nothing is left of can't stay picked.
        await album.Locator("[data-group='label: square']").ClickAsync();
        await visit.Page.GetByTestId("confidence").FillAsync("0.95");
        await Expect(album.GetByTestId("album-shown")).ToHaveTextAsync("15 pictures");
        await Expect(album.Locator("[data-group=nothing]")).ToHaveTextAsync("15 nothing found");
        visit.Complaints.ShouldBeEmpty();
    }

    [BrowserFact]
    public async Task What_can_not_be_read_is_told_on_its_card_and_stops_nothing_else()
    {
        await using var visit = await VisitAsync();
        var whole = Pictures.Png(100, 800, 600);

        await visit.PickAsync(
            new FilePayload { Name = "notes.png", MimeType = "image/png", Buffer = "only a text"u8.ToArray() },
            new FilePayload { Name = "cut.png", MimeType = "image/png", Buffer = whole[..(whole.Length / 2)] },
            Picture("good.png", 200));

        await Expect(visit.DoneCards).ToHaveCountAsync(1);
        var refused = visit.Cards.Filter(new() { HasText = "notes.png" });
        await Expect(refused.GetByTestId("error")).ToContainTextAsync("not a JPEG, PNG, WebP or GIF");
        // It would be refused again.
        await Expect(refused.GetByText("Try again")).ToHaveCountAsync(0);
        var failed = visit.Cards.Filter(new() { HasText = "cut.png" });
        await Expect(failed).ToHaveAttributeAsync("data-state", "failed");
        await Expect(failed.GetByTestId("error")).Not.ToBeEmptyAsync();
        await Expect(failed.GetByText("Try again")).ToHaveCountAsync(0);
        // A refused upload is an error of the network to the console, which nobody can keep it from noting.
        visit.Complaints.ShouldAllBe(complaint => complaint.Contains("Failed to load resource", StringComparison.Ordinal));
    }

    [BrowserFact]
    public async Task The_picture_that_a_filter_made_is_shown_and_is_no_failure_to_find_anything()
    {
        await service.Api.RunAsync(Pictures.Png(77, 256, 128), Part.Field("filter", "rotate"));
        await using var visit = await VisitAsync();
        var recent = visit.Page.GetByTestId("recent").GetByRole(AriaRole.Button).First;
        await Expect(recent).ToContainTextAsync("Made a picture of 128 × 256 pixels.");

        await recent.ClickAsync();

        var card = visit.DoneCards.First;
        await Expect(card).ToContainTextAsync("Made a picture of 128 × 256 pixels.");
        await Expect(card).Not.ToContainTextAsync("found nothing");
        await visit.Page.WaitForFunctionAsync("() => document.querySelector('.card img').naturalWidth === 128");
        (await card.GetByTestId("download-image").GetAttributeAsync("download"))!.ShouldEndWith(".png");
        // Its settings are not known here, so it can't be tried again, nor by a model.
        await Expect(card.GetByRole(AriaRole.Button, new() { Name = "Try again" })).ToHaveCountAsync(0);
        visit.Complaints.ShouldBeEmpty();
    }

    [BrowserFact]
    public async Task The_slider_stays_for_the_recent_jobs_when_the_last_card_is_closed()
    {
        await using var visit = await VisitAsync();
        var card = await visit.RunAsync(Picture("closed.png", 215));
        await visit.Page.GetByTestId("confidence").FillAsync("0.95");
        await Expect(visit.Page.GetByTestId("recent")).ToContainTextAsync("nothing found");

        await card.GetByRole(AriaRole.Button, new() { Name = "Remove closed.png from the page" }).ClickAsync();

        await Expect(visit.Cards).ToHaveCountAsync(0);
        await visit.Page.GetByTestId("confidence").FillAsync("0.25");
        await Expect(visit.Page.GetByTestId("recent").GetByRole(AriaRole.Button).First).ToContainTextAsync("1 square");
        visit.Complaints.ShouldBeEmpty();
    }

    [BrowserFact]
    public async Task An_answer_that_was_there_already_is_said_to_be_that()
    {
        await using var visit = await VisitAsync();
        await visit.RunAsync(Picture("first.png", 225));

        await visit.PickAsync(Picture("again.png", 225));

        await Expect(visit.DoneCards.Filter(new() { HasText = "again.png" }).GetByTestId("cached")).ToBeVisibleAsync();
        visit.Complaints.ShouldBeEmpty();
    }

    [BrowserFact]
    public async Task Everything_can_be_done_with_the_keyboard()
    {
        await using var visit = await VisitAsync();
        var card = await visit.RunAsync(Picture("keys.png", 205));
        var page = visit.Page;
        await page.EvaluateAsync("document.activeElement?.blur()");

        var stops = new List<string>();
        for (var i = 0; i < 20; i++)
        {
            await page.Keyboard.PressAsync("Tab");
            var stop = await page.EvaluateAsync<string>("""
                () => { const e = document.activeElement; return e.id || e.dataset.testid || e.className.split(' ')[0] || e.tagName }
                """);
            stops.Add(stop);
            if (stop == "download-json")
                break;
        }
        stops[0].ShouldBe("skip");
        foreach (var stop in (string[])["file", "confidence", "box", "row", "download-image", "download-json"])
            stops.ShouldContain(at => at == stop, string.Join(", ", stops));

        var boxes = card.GetByTestId("box");
        await boxes.First.FocusAsync();
        await page.Keyboard.PressAsync("ArrowRight");
        await Expect(boxes.Nth(1)).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("Enter");
        await Expect(boxes.Nth(1)).ToHaveAttributeAsync("aria-pressed", "true");
        await page.Keyboard.PressAsync("Escape");
        await Expect(boxes.Nth(1)).ToHaveAttributeAsync("aria-pressed", "false");

        await page.GetByTestId("confidence").FocusAsync();
        await page.Keyboard.PressAsync("End");
        await Expect(boxes).ToHaveCountAsync(0);
        visit.Complaints.ShouldBeEmpty();
    }

    [BrowserFact]
    public async Task Where_the_focus_is_can_be_seen()
    {
        await using var visit = await VisitAsync();
        await visit.RunAsync(Picture("focus.png", 205));
        for (var i = 0; i < 12; i++)
        {
            await visit.Page.Keyboard.PressAsync("Tab");
            var focus = await visit.Page.EvaluateAsync<string>("""
                () => {
                    const e = document.activeElement
                    const seen = [e, e.parentElement, e.nextElementSibling].some(x => x && (s => (s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0) || s.boxShadow !== 'none')(getComputedStyle(x)))
                    return (seen ? 'seen: ' : 'unseen: ') + e.outerHTML.slice(0, 120)
                }
                """);
            focus.ShouldStartWith("seen");
        }
    }

    [BrowserFact]
    public async Task A_recent_job_can_be_opened_again()
    {
        await using var visit = await VisitAsync();
        var card = await visit.RunAsync(Picture("again.png", 206));
        var id = (await card.GetAttributeAsync("data-job"))!;
        await visit.Page.ReloadAsync();
        await Expect(visit.Cards).ToHaveCountAsync(0);

        await visit.Page.GetByTestId("recent").Locator($"[data-recent='{id}']").ClickAsync();

        await Expect(visit.DoneCards).ToHaveCountAsync(1);
        await Expect(visit.DoneCards.First.Locator("img")).ToHaveJSPropertyAsync("naturalWidth", 256);
        await Overlay.ShouldMatchAsync(visit.DoneCards.First, service.Api, 0.25);
        visit.Complaints.ShouldBeEmpty();
    }

    [BrowserFact]
    public async Task A_dark_screen_gets_a_dark_page()
    {
        foreach (var (scheme, dark) in ((ColorScheme, bool)[])[(ColorScheme.Light, false), (ColorScheme.Dark, true)])
        {
            await using var visit = await VisitAsync(scheme: scheme);
            await visit.RunAsync(Picture("dark.png", 207));
            (await BrightnessAsync(visit.Page, "backgroundColor") < 0.5).ShouldBe(dark);
            (await BrightnessAsync(visit.Page, "color") > 0.5).ShouldBe(dark);
            visit.Complaints.ShouldBeEmpty();
        }
    }

    [BrowserFact]
    public async Task A_narrow_phone_shows_all_of_it_without_scrolling_sideways()
    {
        await using var visit = await service.Browser.VisitAsync(service.Process.Address, width: 360, height: 740, touch: true);
        var card = await visit.RunAsync(Picture("a picture with quite a long name, as telephones give them, 20260101_120000.png", 208));

        (await visit.Page.EvaluateAsync<int>("() => document.scrollingElement.scrollWidth")).ShouldBeLessThanOrEqualTo(360);
        await Overlay.ShouldMatchAsync(card, service.Api, 0.25);
        foreach (var box in await card.GetByTestId("download-json").Or(card.GetByTestId("download-image")).AllAsync())
            (await box.BoundingBoxAsync())!.Height.ShouldBeGreaterThanOrEqualTo(36, "large enough for a finger");
        visit.Complaints.ShouldBeEmpty();
    }

    [BrowserFact]
    public async Task A_lost_service_is_told_and_found_again()
    {
        using var folder = new TemporaryFolder();
        var model = PatchModel.Write(folder.File("patches.onnx"));
        var first = await SpotterProcess.StartAsync(folder.File("data"), model);
        await using var visit = await service.Browser.VisitAsync(first.Address);
        var strip = visit.Page.GetByTestId("strip");
        await first.DisposeAsync();
        await Expect(strip).ToContainTextAsync("No connection");

        await using var second = await SpotterProcess.StartAsync(folder.File("data"), model, port: first.Address.Port);

        await Expect(strip).Not.ToContainTextAsync("No connection");
        await visit.RunAsync(Picture("back.png", 209));
    }

    [BrowserFact]
    public async Task A_waiting_picture_shows_its_place_and_can_be_cancelled()
    {
        using var folder = new TemporaryFolder();
        await using var slow = await SpotterProcess.StartAsync(folder.File("data"), PatchModel.Write(folder.File("slow.onnx"), work: 120), ["--max-workers", "1", "--lanes", "1"]);
        await using var visit = await service.Browser.VisitAsync(slow.Address);

        await visit.PickAsync([.. Enumerable.Range(0, 8).Select(i => Picture(string.Create(CultureInfo.InvariantCulture, $"{i}.png"), (byte)(200 + i)))]);
        var last = visit.Cards.Filter(new() { HasText = "7.png" });
        await Expect(last).ToHaveAttributeAsync("data-state", "queued");
        await Expect(last).ToContainTextAsync("in line");
        await last.GetByText("Cancel", new() { Exact = true }).ClickAsync();

        await Expect(last).ToHaveAttributeAsync("data-state", "cancelled");
        await Expect(visit.DoneCards).ToHaveCountAsync(7);

        await last.GetByText("Try again", new() { Exact = true }).ClickAsync();

        await Expect(visit.DoneCards).ToHaveCountAsync(8);
        visit.Complaints.ShouldBeEmpty();
    }

    [BrowserFact]
    public async Task Without_a_model_the_page_says_how_to_give_one()
    {
        using var folder = new TemporaryFolder();
        await using var bare = await SpotterProcess.StartAsync(folder.File("data"), model: null);
        using var api = new SpotterApi(bare.Address);
        if ((await api.GetAsync("/v1/models")).Json.GetProperty("models").GetArrayLength() > 0)
            return; // A checkout may carry a model of its own.
        (await api.GetAsync("/")).Status.ShouldBe(HttpStatusCode.OK);

        await using var visit = await service.Browser.OpenAsync(bare.Address);

        await Expect(visit.Page.Locator("#no-model")).ToBeVisibleAsync();
        await Expect(visit.Page.GetByTestId("file-input")).ToBeDisabledAsync();
        visit.Complaints.ShouldBeEmpty();
    }

    [Fact]
    public async Task The_page_and_its_files_are_sent_compressed_to_whoever_takes_that_and_answers_of_the_API_are_not()
    {
        using var client = new HttpClient { BaseAddress = service.Process.Address };
        var page = await client.GetStringAsync(new Uri("/", UriKind.Relative));
        var assets = Regex.Matches(page, "/assets/[^\"]+", RegexOptions.None, TimeSpan.FromSeconds(5)).Select(m => m.Value).ToList();
        assets.Count.ShouldBeGreaterThanOrEqualTo(2);
        foreach (var path in (string[])["/", .. assets])
        {
            var plain = await client.GetByteArrayAsync(new Uri(path, UriKind.Relative));
            using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { { "Accept-Encoding", "gzip, br" } } };
            using var answer = await client.SendAsync(request);
            answer.Content.Headers.ContentEncoding.ShouldBe(["br"], path);
            string.Join(", ", answer.Headers.Vary).ShouldContain("Accept-Encoding", Case.Insensitive, path);
            answer.Headers.CacheControl!.NoStore.ShouldBeFalse(path);
            var sent = await answer.Content.ReadAsByteArrayAsync();
            sent.Length.ShouldBeLessThan(plain.Length / 2, path);
            using var decoded = new MemoryStream();
            await using (var brotli = new BrotliStream(new MemoryStream(sent), CompressionMode.Decompress))
                await brotli.CopyToAsync(decoded);
            decoded.ToArray().ShouldBe(plain, path);
        }

        using var api = await client.SendAsync(new HttpRequestMessage(HttpMethod.Get, "/v1/models") { Headers = { { "Accept-Encoding", "gzip, br" } } });
        api.Content.Headers.ContentEncoding.ShouldBeEmpty();
    }

    private static FilePayload Picture(string name, byte shade) => new() { Name = name, MimeType = "image/png", Buffer = Pictures.Png(shade, 256, 256) };

    private static async Task<double> BrightnessAsync(IPage page, string property)
    {
        var colour = await page.EvaluateAsync<string>("property => getComputedStyle(document.body)[property]", property);
        // Whatever notation the style has, a canvas knows its bytes.
        return await page.EvaluateAsync<double>("""
            colour => {
                const context = document.createElement('canvas').getContext('2d')
                context.fillStyle = colour
                context.fillRect(0, 0, 1, 1)
                const [r, g, b] = context.getImageData(0, 0, 1, 1).data
                return (r + g + b) / 765
            }
            """, colour);
    }

    private Task<Visit> VisitAsync(ColorScheme scheme = ColorScheme.Light) => service.Browser.VisitAsync(service.Process.Address, scheme: scheme);
}
