namespace Spotter.EndToEnd.Harness;

/// <summary>
/// Tiny models in the layouts of YOLOv8, input 64 x 64, that see one and the same <c>thing</c> in every picture: a mask, a
/// skeleton of three joints, or a turned box.
/// </summary>
internal static class ShapeModel
{
    // Cells of strides 8, 16 and 32.
    private const int Anchors = 64 + 16 + 4;
    private const int Prototypes = 32;
    private const int MaskEdge = PatchModel.Edge / 4;

    /// <summary>A thing from (16, 16) to (48, 48) whose mask is its left half.</summary>
    public static string WriteSegmenter(string file)
    {
        var prototypes = Enumerable.Repeat(-8f, Prototypes * MaskEdge * MaskEdge).ToArray();
        for (var i = 0; i < MaskEdge * MaskEdge; i++)
            prototypes[i] = i % MaskEdge < MaskEdge / 2 ? 8f : -8f;
        var coefficients = new float[Prototypes];
        coefficients[0] = 1;
        return Write(
            file, "segment", [32, 32, 32, 32, 0.9f, .. coefficients],
            more: ("output1", [1, Prototypes, MaskEdge, MaskEdge], prototypes));
    }

    /// <summary>A thing from (16, 16) to (48, 48) with joints at (20, 20), (40, 20) and, hardly seen, (40, 44).</summary>
    public static string WritePose(string file) => Write(
        file, "pose", [32, 32, 32, 32, 0.9f, 20, 20, 0.9f, 40, 20, 0.9f, 40, 44, 0.1f], [("kpt_shape", "[3, 3]")]);

    /// <summary>A thing of 40 x 16 around the middle that is turned by 45 degrees.</summary>
    public static string WriteTurned(string file) => Write(file, "obb", [32, 32, 40, 16, 0.9f, MathF.PI / 4]);

    private static string Write(
        string file, string task, float[] column, (string Key, string Value)[]? notes = null, (string Name, long[] Shape, float[] Numbers)? more = null)
    {
        var numbers = new float[column.Length * Anchors];
        for (var row = 0; row < column.Length; row++)
            numbers[row * Anchors] = column[row];
        var graph = new ProtoWriter();
        AddConstant(graph, "output0", [1, column.Length, Anchors], numbers);
        if (more is var (name, shape, values))
            AddConstant(graph, name, shape, values);
        graph.Text(2, "shapes").Message(11, PatchModel.Port("images", [1, 3, PatchModel.Edge, PatchModel.Edge]));

        var model = new ProtoWriter().Number(1, 8).Text(2, "tests").Message(7, graph).Message(8, new ProtoWriter().Text(1, "").Number(2, 13));
        foreach (var (key, value) in (ReadOnlySpan<(string, string)>)[("task", task), ("stride", "32"), ("imgsz", "[64, 64]"), ("names", "{0: 'thing'}"), .. notes ?? []])
            model.Message(14, new ProtoWriter().Text(1, key).Text(2, value));
        File.WriteAllBytes(file, model.ToArray());
        return file;
    }

    private static void AddConstant(ProtoWriter graph, string name, long[] shape, float[] numbers) => graph
        .Message(1, PatchModel.Node("Identity", [name + "_numbers"], name))
        .Message(5, PatchModel.Floats(name + "_numbers", shape, numbers))
        .Message(12, PatchModel.Port(name, shape));
}
