using System.Buffers.Binary;
using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Spotter.Core;
using Spotter.Engines.Tensor;

namespace Spotter.Gateway.OpenInference;

/// <summary>
/// Reads inference requests: JSON, or JSON and behind it the tensors in binary. What is in binary is streamed; a document of JSON is
/// held in memory, so it has a bound of its own, only some are read at one time, and none for long.
/// </summary>
internal static class InferBody
{
    /// <summary>Most bytes of a request that is all JSON.</summary>
    public const int MostJson = 12 << 20;

    private const string LengthHeader = "Inference-Header-Content-Length";
    private const int MostHeader = 256 * 1024;
    private const int JsonAtOnce = 16;

    private static readonly TimeSpan LongestTurn = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LongestRead = TimeSpan.FromSeconds(20);

    private static readonly SemaphoreSlim Places = new(JsonAtOnce);

    /// <summary>The length of the JSON before the binary tensors; null when there are none.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidRequest"/>.</exception>
    public static int? HeaderLength(HttpRequest request)
    {
        if (request.Headers[LengthHeader] is not [{ } text])
            return null;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var length) && length is > 0 and <= MostHeader
            ? length
            : throw Invalid($"The header {LengthHeader} is a number of bytes from 1 to {MostHeader}.");
    }

    /// <summary>Has a request read, and lets in the next one that is all JSON when <paramref name="use"/> has ended.</summary>
    public static async Task ReadAsync(HttpRequest http, Func<InferRequest, Task> use, CancellationToken cancel)
    {
        if (HeaderLength(http) is { } length)
        {
            var header = new byte[length];
            if (await http.Body.ReadAtLeastAsync(header, length, throwOnEndOfStream: false, cancel) < length)
                throw Invalid($"The body is shorter than the header {LengthHeader} says.");
            await use(Parse(header));
            if (await http.Body.ReadAsync(new byte[1], cancel) > 0)
                throw Invalid("Behind the tensors there is more than their 'binary_data_size' says.");
            return;
        }
        if (!await Places.WaitAsync(LongestTurn, cancel))
            throw new SpotterException(ErrorCodes.Busy, $"{JsonAtOnce} requests in JSON are being read already; send it again in a moment, or with its tensors in binary.");
        try
        {
            using var body = new MemoryStream();
            await ReadAllAsync(http.Body, body, cancel);
            await use(Parse(body.GetBuffer().AsMemory(0, (int)body.Length)));
        }
        finally
        {
            Places.Release();
        }
    }

    /// <summary>The picture of a request, wherever it lies.</summary>
    public static async Task<Stream> PictureAsync(HttpRequest http, RequestedInput input, CancellationToken cancel)
    {
        if (input.Shape is null || input.Shape.Any(d => d != 1))
            throw Invalid("The input 'image' is one picture, of shape [1]; send a request for each.");
        if (input.BinaryBytes is not { } size)
        {
            if (Only(input.Data) is not { } text || !text.TryGetBytesFromBase64(out var bytes))
                throw Invalid("The data of the input 'image' is a list with one text: the bytes of the picture in Base64. Or send it in binary ('binary_data_size').");
            return new MemoryStream(bytes, writable: false);
        }
        var length = new byte[sizeof(int)];
        if (await http.Body.ReadAtLeastAsync(length, length.Length, throwOnEndOfStream: false, cancel) < length.Length || BinaryPrimitives.ReadUInt32LittleEndian(length) != size - sizeof(int))
            throw Invalid("In binary, the input 'image' is four bytes, little-endian, that say how long the picture is, and the picture; 'binary_data_size' counts both.");
        return new PartStream(http.Body, size - sizeof(int));
    }

    /// <summary>The bytes of tensors, one behind the other.</summary>
    public static Stream Tensors(HttpRequest http, IReadOnlyList<(TensorPort Port, RequestedInput Sent)> inputs)
    {
        long sum = 0;
        foreach (var (port, sent) in inputs)
        {
            var bytes = port.Bytes ?? throw Invalid($"The shape of the tensor {port} can't be that of one.");
            if (sent.BinaryBytes is { } size && size != bytes)
                throw Invalid($"The tensor {port} has {bytes} bytes, and 'binary_data_size' is {size}.");
            sum += bytes;
        }
        if (sum > TensorEngine.MostBytes)
            throw new SpotterException(ErrorCodes.BodyTooLarge, $"The tensors have {sum} bytes; {TensorEngine.MostBytes} are the most in one request.");
        if (inputs.All(i => i.Sent.BinaryBytes is not null))
            return new PartStream(http.Body, sum);
        if (inputs.Any(i => i.Sent.BinaryBytes is not null))
            throw Invalid("Some tensors are in binary and others are not; send all in the same way.");
        var all = new MemoryStream();
        foreach (var (port, sent) in inputs)
            all.Write(TensorNumbers.Read(port, sent.Data));
        all.Position = 0;
        return all;
    }

    private static async Task ReadAllAsync(Stream from, MemoryStream to, CancellationToken cancel)
    {
        using var late = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        late.CancelAfter(LongestRead);
        try
        {
            await from.CopyToAsync(to, late.Token);
        }
        catch (OperationCanceledException end) when (!cancel.IsCancellationRequested)
        {
            throw new BadHttpRequestException($"The JSON did not come within {LongestRead.TotalSeconds:0} s.", StatusCodes.Status408RequestTimeout, end);
        }
    }

    private static JsonElement? Only(JsonElement data) => data.ValueKind switch
    {
        JsonValueKind.String => data,
        JsonValueKind.Array when data.GetArrayLength() == 1 => Only(data[0]),
        _ => null,
    };

    private static InferRequest Parse(ReadOnlyMemory<byte> json)
    {
        try
        {
            return JsonSerializer.Deserialize(json.Span, OpenInferenceJson.Default.InferRequest) ?? throw new JsonException("null");
        }
        catch (JsonException broken)
        {
            throw new SpotterException(ErrorCodes.InvalidRequest, "The request is not the JSON of an inference request: an object with 'inputs', each with 'name', 'shape', 'datatype' and 'data'.", broken);
        }
    }

    private static SpotterException Invalid(string message) => new(ErrorCodes.InvalidRequest, message);

    /// <summary>So many of the bytes that come, and no fewer.</summary>
    private sealed class PartStream(Stream source, long left) : ForwardStream
    {
        private long left = left;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (left <= 0 || buffer.Length == 0)
                return 0;
            var read = await source.ReadAsync(buffer[..(int)Math.Min(left, buffer.Length)], cancellationToken);
            if (read == 0)
                throw Invalid("The body ends within its binary tensors; send it again, whole.");
            left -= read;
            return read;
        }
    }
}
