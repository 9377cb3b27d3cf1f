using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using ModelContextProtocol.Protocol;
using Spotter.EndToEnd.Cameras;
using Spotter.EndToEnd.Mcp;
using Spotter.EndToEnd.Telegram;

namespace Spotter.EndToEnd.Api;

/// <summary>
/// One picture through each door of one service: what is found is the same to the last digit that the door's protocol has. Nothing
/// comes from the cache of results, so each door has to ask for the same.
/// </summary>
public sealed class EveryDoorTests(EveryDoorService service) : IClassFixture<EveryDoorService>
{
    private const string Confidence = "0.1";
    private const int Width = 110;
    private const int Height = 150;

    // That the picture has in the model's input.
    private const int Columns = 47;

    private static readonly string[] Edges = ["x1", "y1", "x2", "y2"];

    // Lies on its side, so that a door that forgets about EXIF shows, and has no edge that the model's input divides.
    private static readonly byte[] Picture = Pictures.Jpeg(200, Height, Width, components: 3, exif: Pictures.Exif(6, "maker"));

    [Fact]
    public async Task The_same_picture_has_the_same_objects_through_every_door()
    {
        var own = await AskOwnAsync();
        var found = ObjectsOf(own.GetProperty("result").GetProperty("detections"));
        (own.GetProperty("result").GetProperty("width").GetInt32(), own.GetProperty("result").GetProperty("height").GetInt32()).ShouldBe((Width, Height));
        // The mean of the model's input, of which the picture has some columns; the others are grey.
        found.Select(f => (f.Label, f.Confidence)).ShouldBe([("square", Math.Round(((Columns * 200.0) + ((PatchModel.Edge - Columns) * 114)) / PatchModel.Edge / 255, 4)), ("oblong", 0.6), ("square", 0.15)]);
        foreach (var (one, known) in found.Zip([PatchModel.Square, PatchModel.Oblong, PatchModel.FaintSquare]))
            ShouldLieAt(one, known);
        var drawn = (await service.Api.GetAsync($"/v1/jobs/{SpotterApi.IdOf(own)}/image")).Bytes;

        await PredictAsync(found);
        foreach (var port in (Uri[])[service.Process.Address, service.Process.CameraAddress!])
        {
            await SeeByCameraAsync(found, port, "/v1/vision/detection");
            await SeeByCameraAsync(found, port, "/v1/vision/custom/patches");
        }
        await InferAsync(found);
        await AssistAsync(own, drawn);
        await ChatAsync(found, drawn);

        // Each call had a job of its own.
        var jobs = await service.Api.ListAsync();
        jobs.Count.ShouldBe(9);
        jobs.ShouldAllBe(job => job.GetProperty("cachedFrom").ValueKind == JsonValueKind.Null);
    }

    private async Task<JsonElement> AskOwnAsync()
    {
        var answer = await service.Api.SubmitAsync([Part.Field("confidence", Confidence), Part.Field("annotate", "true"), Part.Image(Picture, "photo.jpg", "image/jpeg")], waitSeconds: 60);
        answer.Status.ShouldBe(HttpStatusCode.OK, answer.Text);
        return answer.Json;
    }

    /// <summary>The endpoint of earlier services: middles and sizes as parts of the picture, of six digits, and no confidence.</summary>
    private async Task PredictAsync(IReadOnlyList<Found> found)
    {
        using var form = new MultipartFormDataContent { { new ByteArrayContent(Picture), "file", "photo.jpg" } };
        var answer = await service.Api.SendAsync(new HttpRequestMessage(HttpMethod.Post, $"/predict?confidence={Confidence}") { Content = form });
        answer.Status.ShouldBe(HttpStatusCode.OK, answer.Text);
        answer.Json.EnumerateArray().Select(o => (o.GetProperty("class").GetString()!, Of(o, "cx"), Of(o, "cy"), Of(o, "width"), Of(o, "height"))).ShouldBe(
            found.Select(f => (f.Label, Part((f.X1 + f.X2) / 2, Width), Part((f.Y1 + f.Y2) / 2, Height), Part(f.X2 - f.X1, Width), Part(f.Y2 - f.Y1, Height))), "/predict");

        static double Part(double pixels, double of) => Math.Round(pixels / of, 6);
    }

    /// <summary>DeepStack and CodeProject.AI: whole pixels, of halves the farther one from 0.</summary>
    private static async Task SeeByCameraAsync(IReadOnlyList<Found> found, Uri port, string path)
    {
        var answer = await CameraCall.DetectAsync(port, Picture, path, ("min_confidence", Confidence));
        answer.Status.ShouldBe(HttpStatusCode.OK, answer.Text);
        answer.Json.GetProperty("predictions").EnumerateArray()
            .Select(p => new Found(p.GetProperty("label").GetString()!, Of(p, "confidence"), Of(p, "x_min"), Of(p, "y_min"), Of(p, "x_max"), Of(p, "y_max")))
            .ShouldBe(found.Select(f => f with { X1 = Whole(f.X1), Y1 = Whole(f.Y1), X2 = Whole(f.X2), Y2 = Whole(f.Y2) }), $"{path} on port {port.Port}");

        static double Whole(double edge) => Math.Round(edge, MidpointRounding.AwayFromZero);
    }

    /// <summary>The Open Inference Protocol, with the file's bytes as they are behind the JSON: numbers of single precision.</summary>
    private async Task InferAsync(IReadOnlyList<Found> found)
    {
        var request = new
        {
            inputs = new[] { new { name = "image", shape = (int[])[1], datatype = "BYTES", parameters = new { binary_data_size = Picture.Length + 4 } } },
            parameters = new { confidence = double.Parse(Confidence, CultureInfo.InvariantCulture) },
        };
        var json = JsonSerializer.SerializeToUtf8Bytes(request);
        var length = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, Picture.Length);
        var content = new ByteArrayContent([.. json, .. length, .. Picture]) { Headers = { ContentType = new MediaTypeHeaderValue("application/octet-stream") } };
        var message = new HttpRequestMessage(HttpMethod.Post, "/v2/models/patches/infer") { Content = content };
        message.Headers.Add("Inference-Header-Content-Length", json.Length.ToString(CultureInfo.InvariantCulture));
        var answer = await service.Api.SendAsync(message);
        answer.Status.ShouldBe(HttpStatusCode.OK, answer.Text);
        var outputs = answer.Json.GetProperty("outputs").EnumerateArray().ToDictionary(o => o.GetProperty("name").GetString()!, o => o.GetProperty("data").EnumerateArray().ToList(), StringComparer.Ordinal);
        outputs["labels"].Select(d => d.GetString()).ShouldBe(found.Select(f => f.Label), "labels of /v2");
        outputs["scores"].Select(d => d.GetSingle()).ShouldBe(found.Select(f => (float)f.Confidence), "scores of /v2");
        outputs["boxes"].Select(d => d.GetSingle()).ShouldBe(found.SelectMany(f => (float[])[(float)f.X1, (float)f.Y1, (float)f.X2, (float)f.Y2]), "boxes of /v2");
    }

    /// <summary>Model Context Protocol: the numbers of our own API, and its drawing.</summary>
    private async Task AssistAsync(JsonElement own, byte[] drawn)
    {
        await using var assistant = await Assistant.ConnectAsync(service.Process.Address, key: null);
        var submitted = await assistant.AskAsync("submit_picture", ("image", Convert.ToBase64String(Picture)), ("confidence", Confidence), ("wait_seconds", 0));
        var result = await assistant.CallAsync("wait_for_job", ("id", SpotterApi.IdOf(submitted)));
        var job = Assistant.JsonOf(result);
        ObjectsOf(job.GetProperty("objects")).ShouldBe(ObjectsOf(own.GetProperty("result").GetProperty("detections")), "objects of MCP");
        job.GetProperty("counts").GetRawText().ShouldBe(own.GetProperty("result").GetProperty("summary").GetRawText());
        result.Content.OfType<ImageContentBlock>().ShouldHaveSingleItem().DecodedData.ToArray().ShouldBe(drawn, "the drawing of MCP");
    }

    /// <summary>Telegram: how many there are of each kind, and the drawing.</summary>
    private async Task ChatAsync(IReadOnlyList<Found> found, byte[] drawn)
    {
        const long Chat = 7_654_321;
        service.Bot.Push(service.Bot.Photo(Chat, Picture, $"predict {Confidence}"));
        var answer = (await service.Bot.AnswersAsync(Chat)).ShouldHaveSingleItem();
        answer.Text.ShouldBe($"Detected Objects:\n{string.Concat(found.CountBy(f => f.Label, StringComparer.Ordinal).Select(c => $"{char.ToUpperInvariant(c.Key[0])}{c.Key[1..]}: {c.Value}\n"))}");
        answer.Picture.ShouldBe(drawn, "the drawing of Telegram");
    }

    private static IReadOnlyList<Found> ObjectsOf(JsonElement objects) =>
    [
        .. objects.EnumerateArray().Select(o =>
        {
            var edges = Edges.Select(edge => Of(o.GetProperty("box"), edge)).ToList();
            return new Found(o.GetProperty("label").GetString()!, Of(o, "confidence"), edges[0], edges[1], edges[2], edges[3]);
        }),
    ];

    private static double Of(JsonElement of, string name) => of.GetProperty(name).GetDouble();

    /// <summary>Where a box of the model's input lies in the picture, to a tenth of a pixel; the picture stands in the middle, by whole pixels.</summary>
    private static void ShouldLieAt(Found found, double[] box)
    {
        const double Scale = (double)Height / PatchModel.Edge;
        const int Beside = (PatchModel.Edge - Columns) / 2;
        foreach (var (edge, known) in ((double, double)[])[(found.X1, Across(box[0])), (found.Y1, Down(box[1])), (found.X2, Across(box[2])), (found.Y2, Down(box[3]))])
            edge.ShouldBe(known, tolerance: 0.051, $"{found}");

        static double Across(double edge) => Math.Clamp((edge - Beside) * Scale, 0, Width);
        static double Down(double edge) => Math.Clamp(edge * Scale, 0, Height);
    }

    private sealed record Found(string Label, double Confidence, double X1, double Y1, double X2, double Y2);
}

/// <summary>A service with all its doors open, and Telegram.</summary>
public sealed class EveryDoorService : IAsyncLifetime
{
    private readonly TemporaryFolder folder = new();

    public SpotterProcess Process { get; private set; } = null!;

    public SpotterApi Api { get; private set; } = null!;

    internal FakeBotApi Bot { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Bot = await FakeBotApi.StartAsync();
        await File.WriteAllTextAsync(folder.File("token"), FakeBotApi.Token);
        Process = await SpotterProcess.StartAsync(
            folder.File("data"), PatchModel.Write(folder.File("patches.onnx")),
            ["--max-workers", "1", "--lanes", "2", "--no-reuse", "--compat", "--deepstack-port", "0", "--telegram-token-file", folder.File("token"), "--telegram-api", Bot.Address.ToString()],
            CameraCall.Patient);
        Api = new SpotterApi(Process.Address);
    }

    public async Task DisposeAsync()
    {
        Api?.Dispose();
        if (Process is not null)
            await Process.DisposeAsync();
        if (Bot is not null)
            await Bot.DisposeAsync();
        folder.Dispose();
    }
}
