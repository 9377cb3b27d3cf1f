using System.Text;
using Spotter.Core;
using Spotter.Core.Files;

namespace Spotter.Vision.Models;

/// <summary>
/// What can be read off an ONNX file without loading it: its operators and the versions it needs. A protocol-buffer
/// message (onnx.proto3); weights are skipped, so that a large file costs no memory.
/// </summary>
internal sealed partial class OnnxFile
{
    // No graph has more kinds of operator, and no name is longer; bounds for files that lie.
    private const int MaxNames = 10_000;
    private const int MaxNodes = 200_000;
    private const int LongestName = 1024;

    private static readonly HashSet<string> KnownDomains = new(StringComparer.Ordinal)
    {
        "", "ai.onnx", "ai.onnx.ml", "ai.onnx.training", "ai.onnx.preview", "ai.onnx.preview.training",
        "com.microsoft", "com.microsoft.nchwc", "com.microsoft.experimental", "com.ms.internal.nhwc",
    };

    // Long chains and wide joins of a file that lies end here.
    private const int MostSteps = 256;
    private const int MostInputs = 64;

    // What leaves every number as it is.
    private static readonly HashSet<string> Movers = new(StringComparer.Ordinal)
    {
        "Identity", "Cast", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Slice", "Split", "Gather", "GatherND", "GatherElements", "Expand",
        "DequantizeLinear", "QuantizeLinear",
    };

    private readonly Stream stream;
    private readonly HashSet<string> operators = new(StringComparer.Ordinal);
    private readonly HashSet<string> foreign = new(StringComparer.Ordinal);
    private readonly HashSet<string> functions = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Node> makers = new(StringComparer.Ordinal);
    private bool hasGraph;

    private OnnxFile(Stream stream) => this.stream = stream;

    /// <summary>Kinds of operator in the main graph, as <c>Conv</c>.</summary>
    public IReadOnlySet<string> Operators => operators;

    /// <summary>
    /// The operator that makes a tensor's numbers, as <c>Sigmoid</c>: what only moves or converts them is looked through. Null when
    /// nothing in the main graph does, or several do that differ.
    /// </summary>
    public string? MakerOf(string tensor) => MakerOf(tensor, MostSteps);

    private string? MakerOf(string tensor, int steps)
    {
        while (steps-- > 0 && makers.TryGetValue(tensor, out var node))
        {
            if (node.Operator == "Concat")
            {
                var each = Math.Max(1, steps / node.Inputs.Count);
                return node.Inputs.Select(input => MakerOf(input, each)).Distinct(StringComparer.Ordinal).Take(2).ToList() is [var one] ? one : null;
            }
            if (!Movers.Contains(node.Operator) || node.Inputs is [])
                return node.Operator;
            tensor = node.Inputs[0];
        }
        return null;
    }

    /// <summary>The version of the standard operators that the file was written for; 0 when it does not say.</summary>
    public long Opset { get; private set; }

    /// <summary>Operators that come from nowhere: not the standard's, not ONNX Runtime's own, and not defined in the file.</summary>
    public IEnumerable<string> CustomOperators => foreign.Where(name => !functions.Contains(name)).Order(StringComparer.Ordinal);

    /// <summary>Reads a file.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.ModelInvalid"/>: it is cut short, or no ONNX file at all.</exception>
    public static OnnxFile Read(string path)
    {
        using var content = Open(path);
        if (content.Length == 0)
            throw new SpotterException(ErrorCodes.ModelInvalid, $"{path} is empty; fetch or export the model again.");
        var file = new OnnxFile(content);
        try
        {
            file.ReadModel();
        }
        catch (EndOfStreamException)
        {
            throw file.hasGraph
                ? new SpotterException(ErrorCodes.ModelInvalid, $"{path} is cut short: it ends after {content.Length} bytes in the middle of its graph; fetch or export the model again.")
                : NoModel(path, content);
        }
        catch (InvalidDataException)
        {
            throw NoModel(path, content);
        }
        return file.hasGraph ? file : throw NoModel(path, content);
    }

    /// <summary>Before anything else opens it: a pipe or a device would never end, and no more would who loads it.</summary>
    private static FileStream Open(string path)
    {
        try
        {
            return RegularFile.Open(path, 64 * 1024);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new SpotterException(ErrorCodes.ModelInvalid, $"The model file {path} can't be read ({unreadable.Message.TrimEnd('.')}); see to the file, or take it away.", unreadable);
        }
    }

    /// <summary>Says what a file is that is no model, where its first bytes tell.</summary>
    private static SpotterException NoModel(string path, FileStream content)
    {
        Span<byte> start = stackalloc byte[64];
        content.Position = 0;
        start = start[..content.ReadAtLeast(start, start.Length, throwOnEndOfStream: false)];
        var text = Encoding.Latin1.GetString(start).TrimStart();
        var what = "is not an ONNX model; export the model to ONNX, or give the right file";
        if (text.StartsWith("version https://git-lfs", StringComparison.Ordinal))
            what = "is a pointer of Git LFS and not the model itself; fetch the model with git lfs pull";
        else if (text.StartsWith('<'))
            what = "is a web page and not an ONNX model; fetch the model again";
        else if (text.StartsWith("PK\u0003\u0004", StringComparison.Ordinal))
            what = "is an archive, as PyTorch's weights are, and not an ONNX model; export the model to ONNX, or unpack it";
        else if (start.Length > 8 && start[4..8].SequenceEqual("TFL3"u8))
            what = "is a TensorFlow Lite model and not an ONNX model; export the model to ONNX";
        return new SpotterException(ErrorCodes.ModelInvalid, $"{path} {what}.");
    }

    private void ReadModel()
    {
        var end = stream.Length;
        while (stream.Position < end)
        {
            var (field, wire) = Tag();
            switch (field)
            {
                case 7 when wire == 2:
                    hasGraph = true;
                    ReadParts(ReadGraphPart);
                    break;
                case 8 when wire == 2:
                    ReadOpset();
                    break;
                case 25 when wire == 2:
                    ReadName(nameField: 1, domainField: 10, (name, domain) => Note(functions, $"{domain}.{name}"));
                    break;
                default:
                    // The fields of a model are numbered up to 26, of which only the version is a number.
                    if (field is 0 or > 40 || (field <= 8 && wire != (field is 1 or 5 ? 0 : 2)))
                        throw new InvalidDataException();
                    Skip(wire);
                    break;
            }
        }
    }

    private void ReadGraphPart(int field, int wire)
    {
        if (field == 1 && wire == 2)
            ReadNode();
        else
            Skip(wire);
    }

    private void ReadNode()
    {
        string name = "", domain = "";
        List<string> inputs = [], outputs = [];
        ReadParts((field, wire) =>
        {
            switch (field)
            {
                case 1 or 2 when wire == 2 && (field == 1 ? inputs : outputs).Count < MostInputs:
                    (field == 1 ? inputs : outputs).Add(Text());
                    break;
                case 4 when wire == 2:
                    name = Text();
                    break;
                case 7 when wire == 2:
                    domain = Text();
                    break;
                default:
                    Skip(wire);
                    break;
            }
        });
        if (!KnownDomains.Contains(domain))
        {
            Note(foreign, $"{domain}.{name}");
            return;
        }
        Note(operators, name);
        var node = new Node(name, inputs);
        foreach (var output in outputs)
        {
            if (makers.Count < MaxNodes)
                makers.TryAdd(output, node);
        }
    }

    private void ReadOpset()
    {
        var domain = "";
        long version = 0;
        ReadParts((field, wire) =>
        {
            if (field == 1 && wire == 2)
                domain = Text();
            else if (field == 2 && wire == 0)
                version = (long)Varint();
            else
                Skip(wire);
        });
        if (domain is "" or "ai.onnx")
            Opset = version;
    }

    private void ReadName(int nameField, int domainField, Action<string, string> then)
    {
        string name = "", domain = "";
        ReadParts((field, wire) =>
        {
            if (field == nameField && wire == 2)
                name = Text();
            else if (field == domainField && wire == 2)
                domain = Text();
            else
                Skip(wire);
        });
        then(name, domain);
    }

    private static void Note(HashSet<string> into, string name)
    {
        if (into.Count < MaxNames)
            into.Add(name);
    }

    private void ReadParts(Action<int, int> part)
    {
        var end = Length();
        while (stream.Position < end)
        {
            var (field, wire) = Tag();
            part(field, wire);
        }
        if (stream.Position != end)
            throw new InvalidDataException();
    }

    private (int Field, int Wire) Tag()
    {
        var tag = Varint();
        return tag >> 3 is > 0 and < 1 << 29 ? ((int)(tag >> 3), (int)(tag & 7)) : throw new InvalidDataException();
    }

    private void Skip(int wire)
    {
        switch (wire)
        {
            case 0:
                Varint();
                break;
            case 1:
                Forward(8);
                break;
            case 2:
                stream.Position = Length();
                break;
            case 5:
                Forward(4);
                break;
            default:
                throw new InvalidDataException();
        }
    }

    private void Forward(int bytes)
    {
        if (stream.Position + bytes > stream.Length)
            throw new EndOfStreamException();
        stream.Position += bytes;
    }

    /// <summary>The position at which the part that begins here ends.</summary>
    private long Length()
    {
        var length = Varint();
        if (length > (ulong)(stream.Length - stream.Position))
            throw new EndOfStreamException();
        return stream.Position + (long)length;
    }

    private string Text()
    {
        var end = Length();
        var length = end - stream.Position;
        if (length > LongestName)
        {
            stream.Position = end;
            return "";
        }
        Span<byte> bytes = stackalloc byte[(int)length];
        stream.ReadExactly(bytes);
        return Encoding.UTF8.GetString(bytes);
    }

    private ulong Varint()
    {
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var next = stream.ReadByte();
            if (next < 0)
                throw new EndOfStreamException();
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
                return value;
        }
        throw new InvalidDataException();
    }

    /// <param name="Operator">Its kind.</param>
    /// <param name="Inputs">Names of the tensors that it takes; the first holds the data of those that move it.</param>
    private sealed record Node(string Operator, IReadOnlyList<string> Inputs);
}
