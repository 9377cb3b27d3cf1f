using System.Buffers.Binary;
using System.Text;
using ProtoWriter = Spotter.EndToEnd.Harness.ProtoWriter;

namespace Spotter.Tests.Vision;

/// <summary>
/// Builds a small ONNX file (onnx.proto3): any inputs, outputs, operators, element types and versions. What a real
/// export has that matters here are its ports, its notes and its numbers, and these are the same.
/// </summary>
internal sealed class TestGraph
{
    public const int Float32 = 1;
    public const int UInt8 = 2;
    public const int Int32 = 6;
    public const int Int64 = 7;
    public const int Float16 = 10;

    private readonly ProtoWriter graph = new();
    private readonly List<(string Domain, long Version)> opsets = [];
    private readonly List<(string Key, string Value)> notes = [];
    private long version = 8;
    private string producer = "spotter tests";

    /// <summary>A graph with one input.</summary>
    /// <param name="shape">-1 is a free dimension.</param>
    public static TestGraph Taking(params long[] shape) => new TestGraph().Input("images", Float32, shape);

    public TestGraph Input(string name, int type, params long[] shape)
    {
        graph.Message(11, Port(name, type, shape));
        return this;
    }

    /// <summary>An output as the file declares it, computed by some node.</summary>
    public TestGraph Output(string name, int type, params long[] shape)
    {
        graph.Message(12, Port(name, type, shape));
        return this;
    }

    /// <summary>An output that is always the same.</summary>
    /// <param name="declared">The shape that the file declares, when it isn't the true one.</param>
    public TestGraph Output(string name, long[] shape, float[] numbers, int type = Float32, long[]? declared = null)
    {
        Constant($"{name}_numbers", shape, numbers, type);
        Node("Identity", [$"{name}_numbers"], [name]);
        return Output(name, type, declared ?? shape);
    }

    /// <summary>Numbers in the file.</summary>
    public TestGraph Constant(string name, long[] shape, float[] numbers, int type = Float32)
    {
        graph.Message(5, Tensor(name, shape, type).Bytes(9, Bytes(numbers, type)));
        return this;
    }

    /// <summary>Numbers that the file says are in another file.</summary>
    public TestGraph External(string name, long[] shape, string file, long offset = 0)
    {
        graph.Message(5, Elsewhere(name, shape, file, offset));
        return this;
    }

    /// <summary>A tensor whose numbers are in another file.</summary>
    public static ProtoWriter Elsewhere(string name, long[] shape, string file, long offset = 0)
    {
        static ProtoWriter Entry(string key, string value) => new ProtoWriter().Text(1, key).Text(2, value);
        var bytes = shape.Aggregate(sizeof(float), (product, edge) => product * (int)edge);
        return Tensor(name, shape, Float32)
            .Message(13, Entry("location", file)).Message(13, Entry("offset", $"{offset}")).Message(13, Entry("length", $"{bytes}"))
            .Number(14, 1);
    }

    public TestGraph Node(string op, string[] inputs, string[] outputs, params (string Name, object Value)[] attributes) =>
        Node("", op, inputs, outputs, attributes);

    public TestGraph Node(string domain, string op, string[] inputs, string[] outputs, params (string Name, object Value)[] attributes)
    {
        var node = new ProtoWriter();
        foreach (var input in inputs)
            node.Text(1, input);
        foreach (var output in outputs)
            node.Text(2, output);
        node.Text(4, op);
        foreach (var (name, value) in attributes)
            node.Message(5, Attribute(name, value));
        if (domain.Length > 0)
            node.Text(7, domain);
        graph.Message(1, node);
        return this;
    }

    public TestGraph Note(string key, string value)
    {
        notes.Add((key, value));
        return this;
    }

    /// <summary>The version of the standard operators, or of another domain's.</summary>
    public TestGraph Opset(long number, string domain = "")
    {
        opsets.Add((domain, number));
        return this;
    }

    /// <summary>The version of the file's format.</summary>
    public TestGraph Format(long number)
    {
        version = number;
        return this;
    }

    public TestGraph From(string program)
    {
        producer = program;
        return this;
    }

    /// <summary>An attribute of several numbers.</summary>
    public static int[] Ints(params int[] numbers) => numbers;

    public byte[] ToArray()
    {
        graph.Text(2, "test");
        var model = new ProtoWriter().Number(1, version).Text(2, producer).Message(7, graph);
        if (!opsets.Exists(o => o.Domain.Length == 0))
            opsets.Add(("", 13));
        foreach (var (domain, number) in opsets)
            model.Message(8, new ProtoWriter().Text(1, domain).Number(2, number));
        foreach (var (key, value) in notes)
            model.Message(14, new ProtoWriter().Text(1, key).Text(2, value));
        return model.ToArray();
    }

    private static ProtoWriter Port(string name, int type, long[] shape)
    {
        var dimensions = new ProtoWriter();
        for (var i = 0; i < shape.Length; i++)
            dimensions.Message(1, shape[i] < 0 ? new ProtoWriter().Text(2, $"free{i}") : new ProtoWriter().Number(1, shape[i]));
        return new ProtoWriter().Text(1, name)
            .Message(2, new ProtoWriter().Message(1, new ProtoWriter().Number(1, type).Message(2, dimensions)));
    }

    private static ProtoWriter Tensor(string name, long[] shape, int type)
    {
        var tensor = new ProtoWriter();
        foreach (var dimension in shape)
            tensor.Number(1, dimension);
        return tensor.Number(2, type).Text(8, name);
    }

    private static ProtoWriter Attribute(string name, object value)
    {
        const int number = 2, text = 3, tensorType = 4, graphType = 5, numbers = 7;
        var attribute = new ProtoWriter().Text(1, name);
        switch (value)
        {
            case int one:
                return attribute.Number(3, one).Number(20, number);
            case string one:
                return attribute.Bytes(4, Encoding.UTF8.GetBytes(one)).Number(20, text);
            case ProtoWriter tensor:
                return attribute.Message(5, tensor).Number(20, tensorType);
            case TestGraph body:
                return attribute.Message(6, body.graph.Text(2, "body")).Number(20, graphType);
            case int[] many:
                foreach (var one in many)
                    attribute.Number(8, one);
                return attribute.Number(20, numbers);
            default:
                throw new ArgumentException($"no attribute of {value.GetType()}", nameof(value));
        }
    }

    private static byte[] Bytes(float[] numbers, int type)
    {
        var size = type switch { UInt8 => 1, Float16 => 2, Int64 => 8, _ => 4 };
        var bytes = new byte[numbers.Length * size];
        for (var i = 0; i < numbers.Length; i++)
        {
            var to = bytes.AsSpan(i * size);
            switch (type)
            {
                case UInt8:
                    to[0] = (byte)numbers[i];
                    break;
                case Float16:
                    BinaryPrimitives.WriteHalfLittleEndian(to, (Half)numbers[i]);
                    break;
                case Int64:
                    BinaryPrimitives.WriteInt64LittleEndian(to, (long)numbers[i]);
                    break;
                case Int32:
                    BinaryPrimitives.WriteInt32LittleEndian(to, (int)numbers[i]);
                    break;
                default:
                    BinaryPrimitives.WriteSingleLittleEndian(to, numbers[i]);
                    break;
            }
        }
        return bytes;
    }
}
