using System.IO.Compression;
using System.Text;

namespace Spotter.Vision.Export;

/// <summary>Pictures to be written together in the format of another tool.</summary>
/// <param name="Pictures">The pictures.</param>
/// <param name="Model">Which model found what is in them.</param>
/// <param name="Classes">The names of that model's classes, by their index; empty when nobody knows them.</param>
public sealed record ExportedSet(IReadOnlyList<ExportedPicture> Pictures, string Model, IReadOnlyList<string> Classes)
{
    /// <summary>The set as one file. YOLO has a file for each picture, so of several it is an archive with <c>classes.txt</c>.</summary>
    /// <param name="format">The format.</param>
    /// <returns>The bytes, their media type, and how a file with them ends.</returns>
    public ExportedFile Write(ResultFormat format) => format switch
    {
        ResultFormat.Csv => new(Encoding.UTF8.GetBytes(CsvExport.Write(Pictures)), "text/csv; charset=utf-8", "csv"),
        ResultFormat.Coco => new(CocoExport.Write(Pictures, new(Classes, Pictures)), "application/json", "json"),
        ResultFormat.Cvat => new(CvatExport.Write(Pictures, new(Classes, Pictures)), "application/xml", "xml"),
        ResultFormat.LabelStudio => new(LabelStudioExport.Write(Pictures, Model), "application/json", "json"),
        _ when Pictures is [var only] => new(Encoding.UTF8.GetBytes(YoloExport.Write(only, new(Classes, Pictures))), "text/plain; charset=utf-8", "txt"),
        _ => new(Archive(), "application/zip", "zip"),
    };

    /// <summary>The files of YOLO: <c>classes.txt</c>, and one for each picture with the picture's name.</summary>
    public IEnumerable<(string Name, string Text)> YoloFiles()
    {
        var classes = new ClassNumbers(Classes, Pictures);
        yield return ("classes.txt", string.Concat(classes.Names.Select(name => OneLine(name) + "\n")));
        var taken = new HashSet<string>(StringComparer.OrdinalIgnoreCase) { "classes" };
        foreach (var picture in Pictures)
        {
            var stem = Path.GetFileNameWithoutExtension(picture.Name.Replace('\\', '/'));
            if (stem.Length == 0)
                stem = "picture";
            var free = stem;
            for (var i = 2; !taken.Add(free); i++)
                free = $"{stem}-{i}";
            yield return (free + ".txt", YoloExport.Write(picture, classes));
        }
    }

    private static string OneLine(string name) => name.ReplaceLineEndings(" ");

    private byte[] Archive()
    {
        using var bytes = new MemoryStream();
        using (var archive = new ZipArchive(bytes, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (name, text) in YoloFiles())
            {
                using var entry = archive.CreateEntry(name).Open();
                entry.Write(Encoding.UTF8.GetBytes(text));
            }
        }
        return bytes.ToArray();
    }
}

/// <summary>A file in the format of another tool.</summary>
/// <param name="Bytes">What is in it.</param>
/// <param name="MediaType">Its media type.</param>
/// <param name="Extension">How its name ends, without the dot.</param>
public sealed record ExportedFile(byte[] Bytes, string MediaType, string Extension);
