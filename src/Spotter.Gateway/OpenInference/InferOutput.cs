using System.Buffers.Binary;
using System.Text;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Gateway.OpenInference;

/// <summary>An output of an inference, with its bytes as the binary extension has them.</summary>
/// <param name="Port">Its name, type and shape.</param>
/// <param name="Bytes">How many bytes it has.</param>
/// <param name="Open">Opens them.</param>
internal sealed record InferOutput(TensorPort Port, long Bytes, Func<CancellationToken, Task<Stream>> Open)
{
    /// <summary>An output whose bytes are there.</summary>
    public static InferOutput Of(TensorPort port, byte[] bytes) => new(port, bytes.Length, _ => Task.FromResult<Stream>(new MemoryStream(bytes, writable: false)));
}

/// <summary>What is found in a picture, as tensors.</summary>
internal static class PictureOutputs
{
    /// <summary>The type of texts and pictures: each a number of bytes.</summary>
    public const string BytesType = "BYTES";

    /// <summary>The picture: a JPEG, PNG, WebP or GIF file.</summary>
    public static readonly TensorPort Input = new("image", BytesType, [1]);

    private static readonly TensorPort Boxes = new("boxes", "FP32", [-1, 4]);
    private static readonly TensorPort Scores = new("scores", "FP32", [-1]);
    private static readonly TensorPort Classes = new("classes", "INT32", [-1]);
    private static readonly TensorPort Labels = new("labels", BytesType, [-1]);

    private static readonly TensorPort Embedding = new("embedding", "FP32", [-1]);

    /// <summary>What a model gives of a picture; nothing where that is a file.</summary>
    public static IReadOnlyList<TensorPort> PortsOf(ModelInfo model) => model.Engine switch
    {
        PictureResult.EngineWithLabels => [Scores, Classes, Labels],
        PictureResult.EngineWithVectors => [Embedding],
        _ => PictureResult.EnginesWithBoxes.Contains(model.Engine, StringComparer.Ordinal) ? [Boxes, Scores, Classes, Labels] : [],
    };

    /// <summary>The result of a job: a row for each object, or label, the most confident first.</summary>
    public static IReadOnlyList<InferOutput> Of(Job job)
    {
        var result = PictureResult.Of(job);
        if (result.Embedding is { } vector)
            return [Floats(Embedding, vector.Select(n => (double)n))];
        if (result.Detections is not { } found)
        {
            var labels = result.Labels ?? [];
            return [Floats(Scores, labels.Select(l => l.Confidence)), Integers(Classes, labels.Select(l => l.ClassId)), Texts(Labels, labels.Select(l => l.Label))];
        }
        return
        [
            Floats(Boxes, found.SelectMany(f => (double[])[f.Box.X1, f.Box.Y1, f.Box.X2, f.Box.Y2]), columns: 4),
            Floats(Scores, found.Select(f => f.Confidence)), Integers(Classes, found.Select(f => f.ClassId)), Texts(Labels, found.Select(f => f.Label)),
        ];
    }

    private static InferOutput Floats(TensorPort port, IEnumerable<double> numbers, int? columns = null)
    {
        var bytes = numbers.SelectMany(n => BitConverter.GetBytes((float)n)).ToArray();
        var count = bytes.Length / sizeof(float);
        return InferOutput.Of(port with { Shape = columns is { } many ? [count / many, many] : [count] }, bytes);
    }

    private static InferOutput Integers(TensorPort port, IEnumerable<int> numbers)
    {
        var bytes = numbers.SelectMany(BitConverter.GetBytes).ToArray();
        return InferOutput.Of(port with { Shape = [bytes.Length / sizeof(int)] }, bytes);
    }

    private static InferOutput Texts(TensorPort port, IEnumerable<string> texts)
    {
        var all = texts.Select(Encoding.UTF8.GetBytes).ToList();
        var bytes = new MemoryStream();
        Span<byte> length = stackalloc byte[sizeof(int)];
        foreach (var text in all)
        {
            BinaryPrimitives.WriteInt32LittleEndian(length, text.Length);
            bytes.Write(length);
            bytes.Write(text);
        }
        return InferOutput.Of(port with { Shape = [all.Count] }, bytes.ToArray());
    }
}
