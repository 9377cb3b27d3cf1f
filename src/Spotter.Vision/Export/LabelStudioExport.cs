using System.Globalization;
using System.Text.Json;

namespace Spotter.Vision.Export;

/// <summary>
/// Tasks of Label Studio with predictions (labelstud.io, "Import pre-annotated data"), for a labelling configuration whose image is called
/// <c>image</c>, its rectangles and polygons <c>label</c>, its choices <c>choice</c> and its texts <c>text</c>. Coordinates are percents.
/// </summary>
internal static class LabelStudioExport
{
    /// <summary>Writes the tasks as UTF-8 JSON.</summary>
    public static byte[] Write(IReadOnlyList<ExportedPicture> pictures, string model)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartArray();
            foreach (var picture in pictures)
                WriteTask(json, picture, model);
            json.WriteEndArray();
        }
        return bytes.ToArray();
    }

    private static void WriteTask(Utf8JsonWriter json, ExportedPicture picture, string model)
    {
        json.WriteStartObject();
        json.WriteStartObject("data");
        json.WriteString("image", picture.Source);
        json.WriteEndObject();
        json.WriteStartArray("predictions");
        json.WriteStartObject();
        json.WriteString("model_version", model);
        if (Score(picture.Result) is { } score)
            json.WriteNumber("score", score);
        json.WriteStartArray("result");
        var id = 0;
        foreach (var found in picture.Objects)
            WriteObject(json, picture.Result, found, ref id);
        if (picture.Result.Labels is [var best, ..])
            WriteOne(json, picture.Result, ++id, "choices", "choice", best.Confidence, () => WriteTexts(json, "choices", best.Name));
        if (picture.Result.Reading is { Text.Length: > 0 } reading)
            WriteOne(json, picture.Result, ++id, "textarea", "text", reading.Confidence, () => WriteTexts(json, "text", reading.Text));
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static double? Score(VisionResult result) =>
        result.Detections is { Count: > 0 } found ? Math.Round(found.Average(d => d.Confidence), 4)
        : result.Labels is [var best, ..] ? best.Confidence
        : result.Reading?.Confidence;

    private static void WriteObject(Utf8JsonWriter json, VisionResult result, ExportedObject found, ref int id)
    {
        double width = result.Width, height = result.Height;
        if (found is { Polygons: not null, Outlines: { Count: > 0 } outlines })
        {
            foreach (var outline in outlines)
            {
                WriteOne(json, result, ++id, "polygonlabels", "label", found.Confidence, () =>
                {
                    json.WriteStartArray("points");
                    foreach (var pair in outline.Chunk(2))
                    {
                        json.WriteStartArray();
                        json.WriteNumberValue(Percent(pair[0], width));
                        json.WriteNumberValue(Percent(pair[1], height));
                        json.WriteEndArray();
                    }
                    json.WriteEndArray();
                    WriteTexts(json, "polygonlabels", found.Label);
                });
            }
            return;
        }
        var one = ++id;
        WriteOne(json, result, one, "rectanglelabels", "label", found.Confidence, () =>
        {
            WriteRectangle(json, found, width, height);
            WriteTexts(json, "rectanglelabels", found.Label);
        });
        if (found.Text is not { Length: > 0 } text)
            return;
        WriteOne(json, result, one, "textarea", "text", found.Confidence, () =>
        {
            WriteRectangle(json, found, width, height);
            WriteTexts(json, "text", text);
        });
    }

    /// <summary>Label Studio turns a rectangle about its top left corner.</summary>
    private static void WriteRectangle(Utf8JsonWriter json, ExportedObject found, double width, double height)
    {
        var box = found.Box;
        var (x, y, wide, high, angle) = found.Oriented is { } turned
            ? (turned.Corners[0].X, turned.Corners[0].Y, turned.Width, turned.Height, turned.Angle)
            : (box.X1, box.Y1, box.X2 - box.X1, box.Y2 - box.Y1, 0);
        json.WriteNumber("x", Percent(x, width));
        json.WriteNumber("y", Percent(y, height));
        json.WriteNumber("width", Percent(wide, width));
        json.WriteNumber("height", Percent(high, height));
        json.WriteNumber("rotation", angle);
    }

    private static void WriteOne(Utf8JsonWriter json, VisionResult result, int id, string type, string from, double score, Action writeValue)
    {
        json.WriteStartObject();
        json.WriteString("id", id.ToString(CultureInfo.InvariantCulture));
        json.WriteString("type", type);
        json.WriteString("from_name", from);
        json.WriteString("to_name", "image");
        json.WriteNumber("original_width", result.Width);
        json.WriteNumber("original_height", result.Height);
        json.WriteNumber("image_rotation", 0);
        json.WriteNumber("score", score);
        json.WriteStartObject("value");
        writeValue();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteTexts(Utf8JsonWriter json, string name, string text)
    {
        json.WriteStartArray(name);
        json.WriteStringValue(text);
        json.WriteEndArray();
    }

    private static double Percent(double pixels, double of) => Math.Round(pixels / of * 100, 4);
}
