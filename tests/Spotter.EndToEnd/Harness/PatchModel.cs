using System.Runtime.InteropServices;

namespace Spotter.EndToEnd.Harness;

/// <summary>
/// A tiny detector in the layout of YOLOv8, input 64 x 64, that sees the same boxes in every picture: a
/// <c>square</c> whose confidence is the picture's mean brightness, so that every result tells which picture it
/// belongs to; an <c>oblong</c> of 0.6; and a faint <c>square</c> of 0.15.
/// </summary>
internal static class PatchModel
{
    /// <summary>Edge of the input, and of the pictures in which the boxes are as given here.</summary>
    public const int Edge = 64;

    public static readonly double[] Square = [8, 8, 24, 24];
    public static readonly double[] Oblong = [32, 24, 56, 56];
    public static readonly double[] FaintSquare = [4, 48, 16, 60];

    // Cells of strides 8, 16 and 32.
    private const int Anchors = 64 + 16 + 4;
    private const int Rows = 4 + 2;
    private const float Faint = 0.15f;
    private const int Float = 1;
    private const int Int64 = 7;

    /// <summary>Writes the model file.</summary>
    /// <param name="file">Where to.</param>
    /// <param name="work">How many products of large matrices it makes besides, to take its time: a few milliseconds each.</param>
    /// <param name="oblong">How sure it is of the oblong, by which versions can be told apart.</param>
    /// <param name="faint">How sure it is of the faint square.</param>
    /// <param name="weights">The name of a file in the same folder that its boxes are in (<see cref="WriteWeights"/>); null for the model file itself.</param>
    public static string Write(string file, int work = 0, float oblong = 0.6f, string? weights = null, float faint = Faint)
    {
        var graph = new ProtoWriter();
        graph.Message(1, Node("ReduceMean", ["images"], "mean", Ints("axes", [1, 2, 3]), Int("keepdims", 1)));
        graph.Message(1, Node("Reshape", ["mean", "shape"], "level"));
        graph.Message(1, Node("Mul", ["level", "mask"], "lit"));
        graph.Message(1, Node("Add", ["lit", "boxes"], work == 0 ? "output0" : "found"));
        graph.Message(5, Longs("shape", 1, 1, 1));
        graph.Message(5, Floats("mask", [1, Rows, Anchors], Plane((4, 0, 1))));
        graph.Message(5, weights is null ? Floats("boxes", [1, Rows, Anchors], Boxes(oblong, faint)) : Elsewhere("boxes", [1, Rows, Anchors], weights));
        if (work > 0)
            AddWork(graph, work);
        graph.Text(2, "patches");
        graph.Message(11, Port("images", [1, 3, Edge, Edge]));
        graph.Message(12, Port("output0", [1, Rows, Anchors]));

        var model = new ProtoWriter().Number(1, 8).Text(2, "tests").Message(7, graph).Message(8, new ProtoWriter().Text(1, "").Number(2, 13));
        foreach (var (key, value) in new[] { ("task", "detect"), ("stride", "32"), ("imgsz", "[64, 64]"), ("names", "{0: 'square', 1: 'oblong'}") })
            model.Message(14, new ProtoWriter().Text(1, key).Text(2, value));
        File.WriteAllBytes(file, model.ToArray());
        return file;
    }

    /// <summary>The file that a model whose boxes are in another file has them in.</summary>
    public static void WriteWeights(string file, float oblong) => File.WriteAllBytes(file, MemoryMarshal.AsBytes<float>(Boxes(oblong, Faint)).ToArray());

    private static float[] Boxes(float oblong, float faint) => Plane([.. Box(0, Square), .. Box(1, Oblong), .. Box(2, FaintSquare), (5, 1, oblong), (4, 2, faint)]);

    private static ProtoWriter Elsewhere(string name, long[] shape, string file) =>
        shape.Aggregate(new ProtoWriter(), (tensor, edge) => tensor.Number(1, edge)).Number(2, Float).Text(8, name)
            .Message(13, new ProtoWriter().Text(1, "location").Text(2, file)).Number(14, 1);

    /// <summary>A model that can be loaded but is no detector.</summary>
    public static string WriteUnsupported(string file)
    {
        var graph = new ProtoWriter()
            .Message(1, Node("ReduceMean", ["images"], "mean", Ints("axes", [3]), Int("keepdims", 1)))
            .Text(2, "means").Message(11, Port("images", [1, 3, Edge, Edge])).Message(12, Port("mean", [1, 3, Edge, 1]));
        File.WriteAllBytes(file, new ProtoWriter().Number(1, 8).Message(7, graph).Message(8, new ProtoWriter().Text(1, "").Number(2, 13)).ToArray());
        return file;
    }

    /// <summary>A classifier whose classes are the colours of light: it names the one of which the picture has most.</summary>
    public static string WriteClassifier(string file)
    {
        var graph = new ProtoWriter()
            .Message(1, Node("ReduceMean", ["images"], "mean", Ints("axes", [2, 3]), Int("keepdims", 0)))
            .Message(1, Node("Mul", ["mean", "ten"], "scores"))
            .Message(5, Floats("ten", [1], [10f]))
            .Text(2, "colours").Message(11, Port("images", [1, 3, Edge, Edge])).Message(12, Port("scores", [1, 3]));
        var model = new ProtoWriter().Number(1, 8).Text(2, "tests").Message(7, graph).Message(8, new ProtoWriter().Text(1, "").Number(2, 13));
        foreach (var (key, value) in new[] { ("task", "classify"), ("imgsz", "[64, 64]"), ("names", "{0: 'red, or so', 1: 'green', 2: 'blue'}") })
            model.Message(14, new ProtoWriter().Text(1, key).Text(2, value));
        File.WriteAllBytes(file, model.ToArray());
        return file;
    }

    /// <summary>Products of zeros, which an optimiser can't know to be zeros, added to the result.</summary>
    private static void AddWork(ProtoWriter graph, int work)
    {
        graph.Message(1, Node("Mul", ["level", "nothing"], "none"));
        graph.Message(1, Node("Expand", ["none", "large"], "product0"));
        for (var i = 1; i <= work; i++)
            graph.Message(1, Node("MatMul", [$"product{i - 1}", "product0"], $"product{i}"));
        graph.Message(1, Node("ReduceMean", [$"product{work}"], "still", Ints("axes", [0, 1, 2]), Int("keepdims", 1)));
        graph.Message(1, Node("Add", ["found", "still"], "output0"));
        graph.Message(5, Floats("nothing", [1], new float[1]));
        graph.Message(5, Longs("large", 1, 512, 512));
    }

    private static float[] Plane(params (int Row, int Anchor, float Value)[] values)
    {
        var plane = new float[Rows * Anchors];
        foreach (var (row, anchor, value) in values)
            plane[(row * Anchors) + anchor] = value;
        return plane;
    }

    private static (int, int, float)[] Box(int anchor, double[] box) =>
    [
        (0, anchor, (float)((box[0] + box[2]) / 2)), (1, anchor, (float)((box[1] + box[3]) / 2)),
        (2, anchor, (float)(box[2] - box[0])), (3, anchor, (float)(box[3] - box[1])),
    ];

    internal static ProtoWriter Node(string type, string[] inputs, string output, params ProtoWriter[] attributes)
    {
        var node = new ProtoWriter();
        foreach (var input in inputs)
            node.Text(1, input);
        node.Text(2, output).Text(3, $"{type}_{output}").Text(4, type);
        foreach (var attribute in attributes)
            node.Message(5, attribute);
        return node;
    }

    internal static ProtoWriter Int(string name, long value) => new ProtoWriter().Text(1, name).Number(3, value).Number(20, 2);

    internal static ProtoWriter Ints(string name, long[] values)
    {
        var attribute = new ProtoWriter().Text(1, name);
        foreach (var value in values)
            attribute.Number(8, value);
        return attribute.Number(20, 7);
    }

    internal static ProtoWriter Floats(string name, long[] shape, float[] values) =>
        Tensor(name, shape, Float, MemoryMarshal.AsBytes<float>(values));

    internal static ProtoWriter Longs(string name, params long[] values) =>
        Tensor(name, [values.Length], Int64, MemoryMarshal.AsBytes<long>(values));

    private static ProtoWriter Tensor(string name, long[] shape, int type, ReadOnlySpan<byte> values)
    {
        var tensor = new ProtoWriter();
        foreach (var edge in shape)
            tensor.Number(1, edge);
        return tensor.Number(2, type).Text(8, name).Bytes(9, values);
    }

    internal static ProtoWriter Port(string name, long[] shape)
    {
        var dimensions = new ProtoWriter();
        foreach (var edge in shape)
            dimensions.Message(1, new ProtoWriter().Number(1, edge));
        return new ProtoWriter().Text(1, name).Message(2, new ProtoWriter().Message(1, new ProtoWriter().Number(1, Float).Message(2, dimensions)));
    }
}
