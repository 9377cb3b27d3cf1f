using System.Text.Json;
using Spotter.Vision;

namespace Spotter.Tests.Vision;

/// <summary>What the shared pictures are known to show, by picture and model.</summary>
internal static class Goldens
{
    public static IEnumerable<object[]> Detections() => Cases("yolo");

    public static IEnumerable<object[]> Classifications() => Cases("squeezenet");

    /// <summary>The best class of a picture, and between which confidences it was measured; null when it isn't stable.</summary>
    public static (int ClassId, string Label, double Least, double Most)? Best(string model, string picture)
    {
        using var manifest = Read();
        var entry = manifest.RootElement.GetProperty("images").EnumerateArray().Single(i => i.GetProperty("file").GetString() is { } file && file.Equals(picture, StringComparison.Ordinal));
        var golden = entry.GetProperty("goldens").GetProperty(model);
        if (!golden.GetProperty("top1Stable").GetBoolean())
            return null;
        var best = golden.GetProperty("top5")[0];
        var range = golden.GetProperty("top1Range");
        return (best.GetProperty("index").GetInt32(), best.GetProperty("label").GetString()!, range[0].GetDouble(), range[1].GetDouble());
    }

    private static IEnumerable<object[]> Cases(string models)
    {
        if (!SharedFiles.Exist)
            yield break;
        using var manifest = Read();
        foreach (var picture in manifest.RootElement.GetProperty("images").EnumerateArray())
        {
            foreach (var model in picture.GetProperty("runWith").EnumerateArray().Select(m => m.GetString()!))
            {
                if (model.StartsWith(models, StringComparison.Ordinal))
                    yield return [model, picture.GetProperty("file").GetString()!];
            }
        }
    }

    public static (int Width, int Height, IReadOnlyList<Golden> Detections) Of(string model, string picture)
    {
        using var manifest = Read();
        var entry = manifest.RootElement.GetProperty("images").EnumerateArray().Single(i => i.GetProperty("file").GetString() is { } file && file.Equals(picture, StringComparison.Ordinal));
        var detections = entry.GetProperty("goldens").GetProperty(model).GetProperty("detections").EnumerateArray().Select(Golden.Parse).ToList();
        return (entry.GetProperty("width").GetInt32(), entry.GetProperty("height").GetInt32(), detections);
    }

    public static double Overlap(Box a, Box b)
    {
        double width = Math.Min(a.X2, b.X2) - Math.Max(a.X1, b.X1), height = Math.Min(a.Y2, b.Y2) - Math.Max(a.Y1, b.Y1);
        if (width <= 0 || height <= 0)
            return 0;
        var both = width * height;
        return both / (((a.X2 - a.X1) * (a.Y2 - a.Y1)) + ((b.X2 - b.X1) * (b.Y2 - b.Y1)) - both);
    }

    private static JsonDocument Read() => JsonDocument.Parse(File.ReadAllBytes(SharedFiles.Image("manifest.json")));
}

/// <param name="Least">Lowest confidence over the ways in which the golden was measured.</param>
/// <param name="Most">Highest confidence.</param>
internal sealed record Golden(int ClassId, string Label, Box Box, bool Stable, double Least, double Most)
{
    public static Golden Parse(JsonElement json)
    {
        var box = json.GetProperty("box").EnumerateArray().Select(v => v.GetDouble()).ToArray();
        var range = json.TryGetProperty("confRange", out var r) ? r.EnumerateArray().Select(v => v.GetDouble()).ToArray() : [0, 1];
        return new Golden(
            json.GetProperty("classId").GetInt32(),
            json.GetProperty("label").GetString()!,
            new Box(box[0], box[1], box[2], box[3]),
            json.TryGetProperty("stable", out var stable) && stable.GetBoolean(),
            range[0],
            range[1]);
    }
}
