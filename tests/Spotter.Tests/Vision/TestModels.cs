using System.Buffers.Binary;
using System.Text;

namespace Spotter.Tests.Vision;

/// <summary>Writes small ONNX files: a graph whose outputs are constants, whatever picture goes in.</summary>
internal static class TestModels
{
    public const int Float32 = 1;
    public const int Float16 = 10;

    /// <summary>Boxes that a detector of 32 x 32 input proposes: 4 x 4, 2 x 2 and 1 cell.</summary>
    public const int Anchors32 = 21;

    /// <param name="input">Shape of the input; -1 is a free dimension.</param>
    /// <param name="outputs">Shape and numbers of each output.</param>
    /// <param name="notes">Metadata of the file.</param>
    /// <param name="inputType">Element type of the input.</param>
    public static byte[] Constant(
        long[] input, (long[] Shape, float[] Numbers)[] outputs, (string Key, string Value)[]? notes = null, int inputType = Float32)
    {
        var graph = new Message().Text(2, "constant").Part(11, Port("images", inputType, input));
        for (var i = 0; i < outputs.Length; i++)
        {
            graph.Part(1, new Message().Text(1, $"numbers{i}").Text(2, $"output{i}").Text(4, "Identity"));
            graph.Part(5, Tensor($"numbers{i}", outputs[i].Shape, outputs[i].Numbers));
            graph.Part(12, Port($"output{i}", Float32, outputs[i].Shape));
        }
        var model = new Message().Number(1, 8).Text(2, "spotter tests").Part(7, graph).Part(8, new Message().Number(2, 13));
        foreach (var (key, value) in notes ?? [])
            model.Part(14, new Message().Text(1, key).Text(2, value));
        return model.Bytes;
    }

    /// <summary>Output of YOLOv8's layout for 32 x 32 input with the given boxes (centre, size, class, score), one per anchor.</summary>
    public static (long[] Shape, float[] Numbers) Columns(int classes, params (float X, float Y, float W, float H, int Class, float Score)[] boxes)
    {
        var numbers = new float[(4 + classes) * Anchors32];
        for (var i = 0; i < boxes.Length; i++)
        {
            var (x, y, w, h, c, score) = boxes[i];
            (numbers[i], numbers[Anchors32 + i], numbers[(2 * Anchors32) + i], numbers[(3 * Anchors32) + i]) = (x, y, w, h);
            numbers[((4 + c) * Anchors32) + i] = score;
        }
        return ([1, 4 + classes, Anchors32], numbers);
    }

    private static Message Port(string name, int type, long[] shape)
    {
        var dimensions = new Message();
        foreach (var dimension in shape)
            dimensions.Part(1, dimension < 0 ? new Message().Text(2, "free") : new Message().Number(1, dimension));
        return new Message().Text(1, name).Part(2, new Message().Part(1, new Message().Number(1, type).Part(2, dimensions)));
    }

    private static Message Tensor(string name, long[] shape, float[] numbers)
    {
        var tensor = new Message();
        foreach (var dimension in shape)
            tensor.Number(1, dimension);
        var raw = new byte[numbers.Length * sizeof(float)];
        for (var i = 0; i < numbers.Length; i++)
            BinaryPrimitives.WriteSingleLittleEndian(raw.AsSpan(i * sizeof(float)), numbers[i]);
        return tensor.Number(2, Float32).Text(8, name).Raw(9, raw);
    }

    /// <summary>A protocol-buffer message under construction.</summary>
    private sealed class Message
    {
        private readonly MemoryStream stream = new();

        public byte[] Bytes => stream.ToArray();

        public Message Number(int field, long value)
        {
            Varint((ulong)field << 3);
            Varint((ulong)value);
            return this;
        }

        public Message Text(int field, string value) => Raw(field, Encoding.UTF8.GetBytes(value));

        public Message Part(int field, Message value) => Raw(field, value.Bytes);

        public Message Raw(int field, byte[] value)
        {
            Varint(((ulong)field << 3) | 2);
            Varint((ulong)value.Length);
            stream.Write(value);
            return this;
        }

        private void Varint(ulong value)
        {
            for (; value >= 0x80; value >>= 7)
                stream.WriteByte((byte)(value | 0x80));
            stream.WriteByte((byte)value);
        }
    }
}
