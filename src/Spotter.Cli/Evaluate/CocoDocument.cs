using System.Text.Json;
using System.Text.Json.Serialization;
using Spotter.Core;
using Spotter.Core.Files;

namespace Spotter.Cli.Evaluate;

/// <summary>What is read of a file of annotations in the form of the COCO data set.</summary>
/// <param name="Images">The pictures.</param>
/// <param name="Annotations">What is in them.</param>
/// <param name="Categories">The classes.</param>
internal sealed record CocoDocument(
    IReadOnlyList<CocoDocument.Image?>? Images, IReadOnlyList<CocoDocument.Annotation?>? Annotations, IReadOnlyList<CocoDocument.Category?>? Categories)
{
    /// <summary>A picture.</summary>
    internal sealed record Image(long Id, [property: JsonPropertyName("file_name")] string? FileName);

    /// <summary>An object; its box is left, top, width and height in pixels.</summary>
    internal sealed record Annotation(
        [property: JsonPropertyName("image_id")] long ImageId,
        [property: JsonPropertyName("category_id")] long CategoryId,
        IReadOnlyList<double>? Bbox,
        int Iscrowd);

    /// <summary>A class.</summary>
    internal sealed record Category(long Id, string? Name);

    /// <summary>Reads a folder whose labels lie in one file, with the pictures in its folder <c>images</c>.</summary>
    /// <param name="file">The file.</param>
    /// <param name="images">The folder of the pictures.</param>
    /// <param name="max">No more pictures than this; null for all.</param>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidRequest"/>: it is no such file.</exception>
    public static LabelledFolder Read(string file, string images, int? max)
    {
        CocoDocument? document;
        try
        {
            using var stream = RegularFile.Open(file);
            document = JsonSerializer.Deserialize(stream, CocoJson.Default.CocoDocument);
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new SpotterException(ErrorCodes.InvalidRequest, $"{file} can't be read as annotations of COCO's form: {e.Message}", e);
        }
        if (document is not { Images.Count: > 0, Annotations: not null, Categories.Count: > 0 })
            throw new SpotterException(ErrorCodes.InvalidRequest, $"{file} is no file of annotations: it needs images, annotations and categories.");
        return document.ToFolder(file, images, max);
    }

    private LabelledFolder ToFolder(string file, string images, int? max)
    {
        List<string> faults = [];
        var classes = Categories!.OfType<Category>().OrderBy(category => category.Id).Select((category, i) => (category, i))
            .GroupBy(pair => pair.category.Id).ToDictionary(group => group.Key, group => group.First().i);
        var boxes = new Dictionary<long, List<LabelledObject>>();
        foreach (var image in Images!.OfType<Image>().Take(max ?? int.MaxValue))
        {
            if (string.IsNullOrEmpty(image.FileName) || !boxes.TryAdd(image.Id, []))
                faults.Add($"{file}: the picture {image.Id} has no file name, or comes twice.");
        }
        foreach (var one in Annotations!.OfType<Annotation>())
        {
            if (!boxes.TryGetValue(one.ImageId, out var objects))
            {
                if (max is null)
                    faults.Add($"{file}: an annotation names the picture {one.ImageId}, which is not listed.");
            }
            else if (!classes.TryGetValue(one.CategoryId, out var classId))
            {
                faults.Add($"{file}: an annotation of the picture {one.ImageId} has the category {one.CategoryId}, which is not listed.");
            }
            else if (one.Bbox is not [var x, var y, > 0 and var width, > 0 and var height])
            {
                faults.Add($"{file}: an annotation of the picture {one.ImageId} has no bbox of four numbers with an area.");
            }
            else
            {
                objects.Add(new(classId, x + (width / 2), y + (height / 2), width, height, Crowd: one.Iscrowd != 0));
            }
        }
        return new(
            [.. Images!.OfType<Image>().Where(image => boxes.ContainsKey(image.Id)).Select(image => new LabelledPicture(Path.Combine(images, image.FileName!), boxes[image.Id]))],
            [.. Categories!.OfType<Category>().OrderBy(category => category.Id).Select(category => category.Name ?? "")],
            InPixels: true,
            faults);
    }
}
