using System.Text.Json;
using Microsoft.Playwright;

namespace Spotter.EndToEnd.Page;

/// <summary>Compares the boxes drawn over a picture with those of its job.</summary>
internal static class Overlay
{
    // Edges of boxes are rounded to whole pixels of the screen, on either side.
    private const double Tolerance = 1.6;

    /// <summary>Holds if every detection from <paramref name="confidence"/> on lies where its job says, in the picture as the screen shows it.</summary>
    public static async Task ShouldMatchAsync(ILocator card, SpotterApi api, double confidence)
    {
        var job = await api.JobAsync((await card.GetAttributeAsync("data-job"))!);
        var result = job.GetProperty("result");
        var expected = result.GetProperty("detections").EnumerateArray().Where(d => d.GetProperty("confidence").GetDouble() >= confidence).ToList();
        var boxes = card.GetByTestId("box");
        await Assertions.Expect(boxes).ToHaveCountAsync(expected.Count);

        var picture = (await card.Locator("img").BoundingBoxAsync())!;
        var scaleX = picture.Width / result.GetProperty("width").GetDouble();
        var scaleY = picture.Height / result.GetProperty("height").GetDouble();
        scaleX.ShouldBe(scaleY, scaleX * 0.02, "the picture is not distorted");
        var drawn = new List<(string Label, double[] Edges)>();
        foreach (var box in await boxes.AllAsync())
        {
            var at = (await box.BoundingBoxAsync())!;
            drawn.Add(((await box.GetAttributeAsync("data-label"))!, [at.X - picture.X, at.Y - picture.Y, at.X + at.Width - picture.X, at.Y + at.Height - picture.Y]));
        }
        foreach (var detection in expected)
        {
            var label = detection.GetProperty("label").GetString();
            double[] edges = [Edge(detection, "x1") * scaleX, Edge(detection, "y1") * scaleY, Edge(detection, "x2") * scaleX, Edge(detection, "y2") * scaleY];
            drawn.ShouldContain(
                box => box.Label == label && box.Edges.Zip(edges).All(pair => Math.Abs(pair.First - pair.Second) <= Tolerance),
                $"{label} at {string.Join(", ", edges)} among {string.Join("; ", drawn.Select(d => $"{d.Label} {string.Join(", ", d.Edges)}"))}");
        }
    }

    private static double Edge(JsonElement detection, string name) => detection.GetProperty("box").GetProperty(name).GetDouble();
}
