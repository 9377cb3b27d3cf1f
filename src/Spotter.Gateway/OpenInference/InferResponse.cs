using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Gateway.OpenInference;

/// <summary>Writes the answer to an inference request: JSON, and behind it what is wanted in binary.</summary>
/// <param name="request">The request.</param>
/// <param name="job">The job, which has succeeded.</param>
/// <param name="outputs">What it gave.</param>
internal sealed class InferResponse(InferRequest request, Job job, IReadOnlyList<InferOutput> outputs) : IResult
{
    // Text takes several times as many.
    private const int MostInJson = 8 << 20;

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var cancel = httpContext.RequestAborted;
        var wanted = Wanted();
        if (wanted.Where(w => !w.Binary).Sum(w => w.Output.Bytes) > MostInJson)
            throw Invalid($"The outputs are more than {MostInJson >> 20} MiB, too much for JSON; ask for them with the parameter 'binary_data'.");
        var json = new ArrayBufferWriter<byte>();
        await using (var writer = new Utf8JsonWriter(json))
            await WriteAsync(writer, wanted, cancel);

        var response = httpContext.Response;
        var behind = wanted.Where(w => w.Binary).ToList();
        if (behind.Count > 0)
            response.Headers["Inference-Header-Content-Length"] = json.WrittenCount.ToString(CultureInfo.InvariantCulture);
        response.ContentType = behind.Count > 0 ? "application/octet-stream" : "application/json";
        response.ContentLength = json.WrittenCount + behind.Sum(w => w.Output.Bytes);
        response.Headers.CacheControl = "no-store";
        await response.Body.WriteAsync(json.WrittenMemory, cancel);
        foreach (var (output, _) in behind)
        {
            await using var bytes = await output.Open(cancel);
            await bytes.CopyToAsync(response.Body, cancel);
        }
    }

    private List<(InferOutput Output, bool Binary)> Wanted()
    {
        var byDefault = InferSchedule.WantsBinary(request);
        if (request.Outputs is not { Count: > 0 } named)
            return [.. outputs.Select(o => (o, byDefault))];
        return [.. named.Select(n => (outputs.First(o => o.Port.Name == n.Name), InferSchedule.WantsBinary(n) ?? byDefault))];
    }

    private async Task WriteAsync(Utf8JsonWriter json, List<(InferOutput Output, bool Binary)> wanted, CancellationToken cancel)
    {
        json.WriteStartObject();
        json.WriteString("model_name", job.Model);
        json.WriteString("model_version", job.ModelVersion);
        json.WriteString("id", request.Id ?? job.Id.Value);
        json.WriteStartObject("parameters");
        json.WriteString("job", job.Id.Value);
        json.WriteEndObject();
        json.WriteStartArray("outputs");
        foreach (var (output, binary) in wanted)
        {
            json.WriteStartObject();
            json.WriteString("name", output.Port.Name);
            json.WriteString("datatype", output.Port.Datatype);
            json.WriteStartArray("shape");
            foreach (var dimension in output.Port.Shape)
                json.WriteNumberValue(dimension);
            json.WriteEndArray();
            if (binary)
            {
                json.WriteStartObject("parameters");
                json.WriteNumber("binary_data_size", output.Bytes);
                json.WriteEndObject();
            }
            else
            {
                await WriteDataAsync(json, output, cancel);
            }
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static async Task WriteDataAsync(Utf8JsonWriter json, InferOutput output, CancellationToken cancel)
    {
        var bytes = new byte[output.Bytes];
        await using (var stream = await output.Open(cancel))
            await stream.ReadExactlyAsync(bytes, cancel);
        json.WriteStartArray("data");
        if (output.Port.Datatype == PictureOutputs.BytesType)
        {
            for (var at = 0; at < bytes.Length;)
            {
                var length = BitConverter.ToInt32(bytes, at);
                json.WriteStringValue(Encoding.UTF8.GetString(bytes, at + sizeof(int), length));
                at += sizeof(int) + length;
            }
        }
        else
        {
            TensorNumbers.Write(json, output.Port, bytes);
        }
        json.WriteEndArray();
    }

    private static SpotterException Invalid(string message) => new(ErrorCodes.InvalidRequest, message);
}
