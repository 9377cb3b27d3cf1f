using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Spotter.EndToEnd.Cameras;

/// <summary>A service with a port for cameras, two models that detect and one that classifies.</summary>
public class CameraService : RunningService
{
    private readonly TemporaryFolder models = new();

    /// <summary>The port that serves cameras only.</summary>
    public Uri Cameras => Process.CameraAddress!;

    protected override IReadOnlyDictionary<string, string> Variables => CameraCall.Patient;

    protected override IReadOnlyList<string> Arguments =>
        [.. base.Arguments, "--deepstack-port", "0", "--model", models.File("second.onnx"), "--model", models.File("colours.onnx")];

    private protected override string WriteModel(TemporaryFolder into)
    {
        PatchModel.Write(models.File("second.onnx"), oblong: 0.7f);
        PatchModel.WriteClassifier(models.File("colours.onnx"));
        return PatchModel.Write(models.File("first.onnx"));
    }
}

/// <summary>Calls as camera software makes them.</summary>
internal static class CameraCall
{
    /// <summary>A machine that is busy with other tests answers too.</summary>
    public static IReadOnlyDictionary<string, string> Patient { get; } = new Dictionary<string, string>(StringComparer.Ordinal) { ["SPOTTER__CAMERAS__TIMEOUTSECONDS"] = "60" };

    /// <summary>Posts a picture with fields, the picture last.</summary>
    public static async Task<Answer> DetectAsync(Uri address, byte[] picture, string path = "/v1/vision/detection", params (string Name, string Value)[] fields)
    {
        using var api = new SpotterApi(address);
        return await api.SendAsync(new HttpRequestMessage(HttpMethod.Post, path) { Content = Form(fields, picture) });
    }

    /// <summary>A form with a picture behind its fields.</summary>
    public static MultipartFormDataContent Form(IEnumerable<(string Name, string Value)> fields, byte[]? picture)
    {
        var form = new MultipartFormDataContent();
        foreach (var (name, value) in fields)
            form.Add(new StringContent(value), name);
        if (picture is not null)
            form.Add(new ByteArrayContent(picture), "image", "snapshot.jpg");
        return form;
    }

    /// <summary>Posts a form part by part, as it stands on the wire.</summary>
    public static async Task<(string Head, int Status, JsonElement Body)> SendAsync(Uri address, string path, string headers, string boundary, params (string Head, byte[] Body)[] parts)
    {
        var body = new MemoryStream();
        foreach (var (head, bytes) in parts)
        {
            body.Write(Encoding.ASCII.GetBytes($"--{boundary}\r\n{head}\r\n\r\n"));
            body.Write(bytes);
            body.Write("\r\n"u8);
        }
        body.Write(Encoding.ASCII.GetBytes($"--{boundary}--\r\n"));
        body.Position = 0;
        var request = string.Create(CultureInfo.InvariantCulture, $"POST {path} HTTP/1.1\r\nHost: {address.Authority}\r\n{headers}Connection: close\r\nContent-Length: {body.Length}\r\n\r\n");
        return Read(await RawRequest.SendAsync(address, Encoding.ASCII.GetBytes(request), body, chunked: false));
    }

    /// <summary>Takes an answer apart, and holds it to what the oldest of these programs can read: a length, no chunks.</summary>
    public static (string Head, int Status, JsonElement Body) Read(string answer)
    {
        var (status, body) = RawRequest.Read(answer);
        var head = answer[..answer.IndexOf("\r\n\r\n", StringComparison.Ordinal)];
        head.ShouldContain(string.Create(CultureInfo.InvariantCulture, $"\r\nContent-Length: {body.Length}\r\n"), Case.Insensitive);
        head.ShouldNotContain("Transfer-Encoding", Case.Insensitive);
        head.ShouldContain("\r\nContent-Type: application/json\r\n", Case.Insensitive);
        return (head, status, JsonDocument.Parse(body).RootElement);
    }

    /// <summary>Holds if this is a failure as DeepStack tells it; what it says.</summary>
    public static string ShouldBeFailure(this Answer answer, int status)
    {
        ((int)answer.Status).ShouldBe(status, answer.Text);
        answer.ContentHeaders.ContentLength.ShouldBe(answer.Bytes.Length);
        answer.MediaType.ShouldBe("application/json");
        answer.Json.EnumerateObject().Select(p => p.Name).ShouldBe(["success", "error", "duration"]);
        (answer.Json.GetProperty("success").GetBoolean(), answer.Json.GetProperty("duration").GetDouble()).ShouldBe((false, 0));
        var error = answer.Json.GetProperty("error").GetString()!;
        error.ShouldEndWith(".");
        return error;
    }

    /// <summary>The labels of an answer, in its order.</summary>
    public static IEnumerable<string?> LabelsOf(JsonElement answer) => answer.GetProperty("predictions").EnumerateArray().Select(p => p.GetProperty("label").GetString());
}
