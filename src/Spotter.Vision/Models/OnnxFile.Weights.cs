using System.Globalization;
using Spotter.Core;

namespace Spotter.Vision.Models;

/// <summary>The part that finds the files in which a model keeps its weights (external data of ONNX).</summary>
internal sealed partial class OnnxFile
{
    // A graph within a graph is three messages further down, and readers of protocol buffers follow a hundred.
    private const int DeepestGraph = 33;

    private const int DataElsewhere = 1; // TensorProto.EXTERNAL

    /// <summary>The names of the files beside a model that its tensors lie in, and how many bytes each has at least.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.ModelInvalid"/>: it is cut short, or no ONNX file at all.</exception>
    public static IReadOnlyDictionary<string, long> WeightsOf(string path)
    {
        using var content = Open(path);
        var files = new SortedDictionary<string, long>(StringComparer.Ordinal);
        var file = new OnnxFile(content);
        try
        {
            while (content.Position < content.Length)
            {
                switch (file.Tag())
                {
                    case (7, 2):
                        file.FindInGraph(files, depth: 1);
                        break;
                    case (25, 2):
                        file.ReadParts((field, wire) => file.FindInNodes(nodeField: 7, field, wire, files, depth: 1));
                        break;
                    case var (_, wire):
                        file.Skip(wire);
                        break;
                }
            }
        }
        catch (Exception damaged) when (damaged is EndOfStreamException or InvalidDataException)
        {
            throw NoModel(path, content);
        }
        return files;
    }

    private void FindInGraph(SortedDictionary<string, long> files, int depth) => ReadParts((field, wire) =>
    {
        switch (field)
        {
            case 5 when wire == 2:
                FindInTensor(files);
                break;
            case 15 when wire == 2:
                // Numbers and their places.
                FindInParts([1, 2], files);
                break;
            default:
                FindInNodes(nodeField: 1, field, wire, files, depth);
                break;
        }
    });

    /// <summary>Attributes of a node hold tensors, and graphs that it runs.</summary>
    private void FindInNodes(int nodeField, int field, int wire, SortedDictionary<string, long> files, int depth)
    {
        if (field != nodeField || wire != 2)
        {
            Skip(wire);
            return;
        }
        ReadParts((part, partWire) =>
        {
            if (part == 5 && partWire == 2)
                ReadParts((value, valueWire) => FindInAttribute(value, valueWire, files, depth));
            else
                Skip(partWire);
        });
    }

    private void FindInAttribute(int field, int wire, SortedDictionary<string, long> files, int depth)
    {
        switch (field)
        {
            case 5 or 10 when wire == 2:
                FindInTensor(files);
                break;
            case 6 or 11 when wire == 2 && depth < DeepestGraph:
                FindInGraph(files, depth + 1);
                break;
            case 22 or 23 when wire == 2:
                FindInParts([1, 2], files);
                break;
            default:
                Skip(wire);
                break;
        }
    }

    private void FindInParts(int[] tensors, SortedDictionary<string, long> files) => ReadParts((field, wire) =>
    {
        if (wire == 2 && tensors.Contains(field))
            FindInTensor(files);
        else
            Skip(wire);
    });

    private void FindInTensor(SortedDictionary<string, long> files)
    {
        ulong place = 0;
        var said = new Dictionary<string, string>(StringComparer.Ordinal);
        ReadParts((field, wire) =>
        {
            switch (field)
            {
                case 13 when wire == 2:
                    ReadName(nameField: 1, domainField: 2, (key, value) => said[key] = value);
                    break;
                case 14 when wire == 0:
                    place = Varint();
                    break;
                default:
                    Skip(wire);
                    break;
            }
        });
        if (place != DataElsewhere || !said.TryGetValue("location", out var name))
            return;
        if (files.Count == MaxNames && !files.ContainsKey(name))
            throw new InvalidDataException();
        files[name] = Math.Max(files.GetValueOrDefault(name), End(said));
    }

    /// <summary>Where a tensor ends in its file, at least: a length need not be said.</summary>
    private static long End(Dictionary<string, string> said)
    {
        long Number(string key) => long.TryParse(said.GetValueOrDefault(key), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;
        var (offset, length) = (Number("offset"), Number("length"));
        return offset > long.MaxValue - length ? long.MaxValue : offset + length;
    }
}
