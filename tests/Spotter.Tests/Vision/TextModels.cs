using static Spotter.Tests.Vision.TestGraph;

namespace Spotter.Tests.Vision;

/// <summary>
/// Models with the ports and notes of published ones, whose answers are known: one takes whatever isn't black for text, the other reads
/// colours, eight columns of pixels for each character. Pictures are bars with a colour for each character.
/// </summary>
internal static class TextModels
{
    /// <summary>What the reader can read; a space comes after them, and is white.</summary>
    public const string Characters = "A\nB\nC\n日\n本\né\nu\nv\nw";

    /// <summary>Columns of the reader's scores: the blank, these characters and the space.</summary>
    public const int Columns = 11;

    // A column for each colour that is a character. Grey and black are the blank.
    private static readonly (char Character, (byte R, byte G, byte B) Colour, int Column)[] Alphabet =
    [
        ('A', (255, 0, 0), 1), ('B', (0, 255, 0), 2), ('C', (0, 0, 255), 3), ('日', (255, 255, 0), 4), ('本', (255, 0, 255), 5), ('é', (0, 255, 255), 6), (' ', (255, 255, 255), 10),
    ];

    /// <summary>As PP-OCR's detectors are exported by Paddle2ONNX: a map of probabilities for a picture of any size.</summary>
    public static TestGraph Finder(string output = "sigmoid_0.tmp_0", bool isSigmoid = true, params long[] shape) => Brightness(output, isSigmoid, shape is [] ? [-1, 3, -1, -1] : shape);

    /// <summary>As PP-OCR's readers are exported, with the dictionary among the notes as RapidOCR's have it.</summary>
    public static TestGraph Reader(string output = "fetch_name_0", bool hasSoftmax = true, bool isStepFirst = false, bool isBlankLast = false, string? dictionary = Characters, params long[] shape)
    {
        if (shape is [])
            shape = [-1, 3, 48, -1];
        var (colours, height) = ((int)shape[1], (int)shape[2]);
        var (weights, biases) = (new float[colours * Columns], new float[Columns]);
        Array.Fill(biases, -1000);
        biases[0] = 0;
        foreach (var (_, colour, column) in Alphabet)
        {
            // The nearest colour wins, counted from -1 to 1. Models of three colours are given blue first.
            float[] bgr = [(colour.B / 127.5f) - 1, (colour.G / 127.5f) - 1, (colour.R / 127.5f) - 1];
            var grey = (0.114f * bgr[0]) + (0.587f * bgr[1]) + (0.299f * bgr[2]);
            float[] mine = colours == 3 ? bgr : [grey];
            for (var i = 0; i < mine.Length; i++)
                weights[(i * Columns) + column] = 40 * mine[i];
            biases[column] = -20 * mine.Sum(m => m * m);
        }
        if (colours == 1)
            (biases[0], weights[0]) = (0, 0);
        if (isBlankLast)
            (weights, biases) = (Last(weights), Last(biases));
        var graph = new TestGraph().Input("x", Float32, shape);
        if (dictionary is not null)
            graph.Note("character", dictionary);
        // The middle of the line, eight columns at a time.
        graph.Constant("from", [1], [(height / 2) - 4], TestGraph.Int64).Constant("to", [1], [(height / 2) + 4], TestGraph.Int64).Constant("rows", [1], [2], TestGraph.Int64)
            .Node("Slice", ["x", "from", "to", "rows"], ["middle"]).Node("ReduceMean", ["middle"], ["line"], ("axes", Ints(2)), ("keepdims", 0))
            .Node("AveragePool", ["line"], ["steps"], ("kernel_shape", Ints(8)), ("strides", Ints(8)))
            .Node("Transpose", ["steps"], ["colours"], ("perm", isStepFirst ? Ints(2, 0, 1) : Ints(0, 2, 1)))
            .Constant("weights", [colours, Columns], weights).Node("MatMul", ["colours", "weights"], ["near"])
            .Constant("biases", [Columns], biases).Node("Add", ["near", "biases"], [hasSoftmax ? "scores" : output]);
        if (hasSoftmax)
            graph.Node("Softmax", ["scores"], [output], ("axis", 2));
        return graph.Output(output, Float32, -1, -1, Columns);
    }

    /// <summary>The pixels of a picture with a bar of text on black.</summary>
    /// <param name="width">The picture's width.</param>
    /// <param name="height">The picture's height.</param>
    /// <param name="bars">Text, a colour for each character; middle, length, thickness, and the degrees by which it is turned clockwise.</param>
    public static byte[] Draw(int width, int height, params (string Text, double X, double Y, double Long, double Thick, double Degrees)[] bars)
    {
        var pixels = new byte[width * height * 3];
        foreach (var bar in bars)
        {
            var (sine, cosine) = Math.SinCos(bar.Degrees * Math.PI / 180);
            for (var y = 0; y < height; y++)
            {
                for (var x = 0; x < width; x++)
                {
                    double fromX = x + 0.5 - bar.X, fromY = y + 0.5 - bar.Y;
                    double along = (fromX * cosine) + (fromY * sine) + (bar.Long / 2), across = (fromY * cosine) - (fromX * sine);
                    if (along < 0 || along >= bar.Long || Math.Abs(across) > bar.Thick / 2)
                        continue;
                    var (r, g, b) = ColourOf(bar.Text[(int)(along * bar.Text.Length / bar.Long)]);
                    (pixels[((y * width) + x) * 3], pixels[(((y * width) + x) * 3) + 1], pixels[(((y * width) + x) * 3) + 2]) = (r, g, b);
                }
            }
        }
        return pixels;
    }

    private static (byte R, byte G, byte B) ColourOf(char character) => character == '_' ? ((byte)128, (byte)128, (byte)128) : Alphabet.Single(a => a.Character == character).Colour;

    private static TestGraph Brightness(string output, bool isSigmoid, long[] shape)
    {
        // Black is about -2 after normalisation, the darkest of the other colours -0.6: between them is nothing and something.
        var graph = new TestGraph().Input("x", Float32, shape).Node("ReduceMean", ["x"], ["brightness"], ("axes", Ints(1)), ("keepdims", 1))
            .Constant("kernel", [1, 1, 1, 1], [20]).Constant("bias", [1], [26]).Node("ConvTranspose", ["brightness", "kernel", "bias"], [isSigmoid ? "logits_of_map" : output]);
        if (isSigmoid)
            graph.Node("Sigmoid", ["logits_of_map"], [output]);
        return graph.Output(output, Float32, shape[0], 1, shape[2], shape[3]);
    }

    /// <summary>The first of every row goes to its end.</summary>
    private static float[] Last(float[] rows)
    {
        var moved = new float[rows.Length];
        for (var at = 0; at < rows.Length; at += Columns)
        {
            rows.AsSpan(at + 1, Columns - 1).CopyTo(moved.AsSpan(at));
            moved[at + Columns - 1] = rows[at];
        }
        return moved;
    }
}
