using System.Text.Json;

namespace Spotter.Vision.Export;

/// <summary>
/// A data set as COCO has it (cocodataset.org, "Data format"): boxes are x, y, width, height in pixels, and the numbers of images,
/// annotations and categories begin with 1. Each annotation has a <c>score</c> besides.
/// </summary>
internal static class CocoExport
{
    /// <summary>Writes the data set as UTF-8 JSON.</summary>
    public static byte[] Write(IReadOnlyList<ExportedPicture> pictures, ClassNumbers classes)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            WriteImages(json, pictures);
            WriteAnnotations(json, pictures, classes);
            WriteCategories(json, classes, pictures);
            json.WriteEndObject();
        }
        return bytes.ToArray();
    }

    private static void WriteImages(Utf8JsonWriter json, IReadOnlyList<ExportedPicture> pictures)
    {
        json.WriteStartArray("images");
        for (var i = 0; i < pictures.Count; i++)
        {
            json.WriteStartObject();
            json.WriteNumber("id", i + 1);
            json.WriteString("file_name", pictures[i].Name);
            json.WriteNumber("width", pictures[i].Result.Width);
            json.WriteNumber("height", pictures[i].Result.Height);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WriteAnnotations(Utf8JsonWriter json, IReadOnlyList<ExportedPicture> pictures, ClassNumbers classes)
    {
        var id = 0;
        json.WriteStartArray("annotations");
        for (var i = 0; i < pictures.Count; i++)
        {
            foreach (var found in pictures[i].Objects)
            {
                var (box, outlines) = (found.Box, found.Outlines);
                var (width, height) = (Math.Round(box.X2 - box.X1, 1), Math.Round(box.Y2 - box.Y1, 1));
                json.WriteStartObject();
                json.WriteNumber("id", ++id);
                json.WriteNumber("image_id", i + 1);
                json.WriteNumber("category_id", classes.Of(found) + 1);
                WriteNumbers(json, "bbox", [box.X1, box.Y1, width, height]);
                json.WriteNumber("area", found.Pixels ?? Math.Round(width * height, 1));
                json.WriteNumber("iscrowd", 0);
                json.WriteStartArray("segmentation");
                foreach (var outline in outlines)
                    WriteNumbers(json, name: null, outline);
                json.WriteEndArray();
                if (found.Keypoints is { } points)
                {
                    WriteNumbers(json, "keypoints", [.. points.SelectMany(p => ExportedObject.IsSeen(p) ? (double[])[p.X, p.Y, 2] : [0, 0, 0])]);
                    json.WriteNumber("num_keypoints", points.Count(ExportedObject.IsSeen));
                }
                json.WriteNumber("score", found.Confidence);
                json.WriteEndObject();
            }
        }
        json.WriteEndArray();
    }

    private static void WriteCategories(Utf8JsonWriter json, ClassNumbers classes, IReadOnlyList<ExportedPicture> pictures)
    {
        var posed = pictures.Where(p => p.Result.Skeleton is not null).SelectMany(p => p.Objects.Where(o => o.Keypoints is not null).Select(o => (p.Result.Skeleton, o)))
            .DistinctBy(pair => classes.Of(pair.o)).ToDictionary(pair => classes.Of(pair.o), pair => (pair.Skeleton, Points: pair.o.Keypoints!));
        json.WriteStartArray("categories");
        for (var i = 0; i < classes.Names.Count; i++)
        {
            json.WriteStartObject();
            json.WriteNumber("id", i + 1);
            json.WriteString("name", classes.Names[i]);
            json.WriteString("supercategory", "");
            if (posed.TryGetValue(i, out var pose))
            {
                json.WriteStartArray("keypoints");
                for (var p = 0; p < pose.Points.Count; p++)
                    json.WriteStringValue(pose.Points[p].Name ?? $"point {p + 1}");
                json.WriteEndArray();
                json.WriteStartArray("skeleton");
                foreach (var pair in pose.Skeleton!)
                    WriteNumbers(json, name: null, [.. pair.Select(p => p + 1.0)]);
                json.WriteEndArray();
            }
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WriteNumbers(Utf8JsonWriter json, string? name, IReadOnlyList<double> numbers)
    {
        if (name is null)
            json.WriteStartArray();
        else
            json.WriteStartArray(name);
        foreach (var number in numbers)
            json.WriteNumberValue(number);
        json.WriteEndArray();
    }
}
