using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Spotter.EndToEnd.Page;

/// <summary>
/// The page with real photographs and a real model. With SPOTTER_SCREENSHOT=FILE it also takes the picture that the
/// README shows, of the PNGs in the folder SPOTTER_SCREENSHOT_PHOTOS (docs/screenshot.md).
/// </summary>
public sealed class PhotoPageTests
{
    [SharedBrowserFact]
    public async Task Photographs_are_shown_with_their_boxes_where_they_belong()
    {
        using var folder = new TemporaryFolder();
        await using var service = await SpotterProcess.StartAsync(folder.File("data"), SharedFiles.Model("yolox_nano.onnx"));
        using var api = new SpotterApi(service.Address);
        await using var browser = await Browser.StartAsync();
        await using var visit = await browser.VisitAsync(service.Address);

        await visit.PickAsync(Photo("bus.jpg"), Photo("zidane.jpg"), Photo("person_dog_horse.jpg"), Photo("dog_bike_truck.jpg"));
        await Expect(visit.DoneCards).ToHaveCountAsync(4);
        foreach (var card in await visit.DoneCards.AllAsync())
        {
            await card.ScrollIntoViewIfNeededAsync();
            await Overlay.ShouldMatchAsync(card, api, 0.25);
        }
        await Expect(visit.Cards.First.GetByTestId("summary")).ToContainTextAsync("1 bus");
        visit.Complaints.ShouldBeEmpty();
    }

    [SharedBrowserFact]
    public async Task The_page_fits_its_picture_in_the_README()
    {
        using var folder = new TemporaryFolder();
        await using var service = await SpotterProcess.StartAsync(folder.File("data"), SharedFiles.Model("yolox_nano.onnx"));
        await using var browser = await Browser.StartAsync();
        await using var visit = await browser.VisitAsync(service.Address);
        await visit.Page.SetViewportSizeAsync(1280, 840);
        var photos = Environment.GetEnvironmentVariable("SPOTTER_SCREENSHOT_PHOTOS") is { Length: > 0 } photoFolder
            ? Directory.GetFiles(photoFolder, "*.png").Order(StringComparer.Ordinal).Select(Named).ToArray()
            : [Photo("bus.jpg"), Photo("puppy.jpg")];

        await visit.PickAsync(photos);

        await Expect(visit.DoneCards).ToHaveCountAsync(photos.Length);
        var width = await visit.Page.EvaluateAsync<int>("() => document.documentElement.scrollWidth");
        width.ShouldBeLessThanOrEqualTo(1280);
        if (Environment.GetEnvironmentVariable("SPOTTER_SCREENSHOT") is { Length: > 0 } file)
        {
            // The strip and the list of recent jobs ask once a second.
            await Expect(visit.Page.GetByTestId("recent")).Not.ToContainTextAsync("Running");
            await visit.Page.EvaluateAsync("() => { document.activeElement?.blur(); scrollTo(0, 0) }");
            await visit.Page.ScreenshotAsync(new() { Path = file });
        }
    }

    private static FilePayload Named(string path) =>
        new() { Name = Path.GetFileName(path), MimeType = "image/png", Buffer = File.ReadAllBytes(path) };

    private static FilePayload Photo(string name) =>
        new() { Name = name, MimeType = "image/jpeg", Buffer = File.ReadAllBytes(SharedFiles.Image(name)) };
}
