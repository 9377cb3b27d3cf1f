using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Spotter.EndToEnd.Api;

/// <summary>The Open Inference Protocol, as clients of Triton and KServe speak it.</summary>
public sealed class OpenInferenceTests(CompatService service) : IClassFixture<CompatService>
{
    private const int Edge = PatchModel.Edge;

    private static readonly int[] One = [1];
    private static readonly string[] Nothing = [""];
    private static readonly string[] Twice = ["", ""];
    private static readonly string[] NoBase64 = ["%%%"];
    private static readonly string[] NoNumber = ["a"];

    private SpotterApi Api => service.Api;

    [Fact]
    public async Task The_server_and_its_models_say_what_they_are()
    {
        var server = (await Api.GetAsync("/v2")).Json;
        server.GetProperty("name").GetString().ShouldBe("spotter");
        server.GetProperty("extensions").EnumerateArray().Select(e => e.GetString()).ShouldContain(e => e == "binary_tensor_data");
        (await Api.GetAsync("/v2/health/live")).Json.GetProperty("live").GetBoolean().ShouldBeTrue();
        (await Api.GetAsync("/v2/health/ready")).Json.GetProperty("live").GetBoolean().ShouldBeTrue();

        var model = (await Api.GetAsync("/v2/models/patches")).Json;

        model.GetProperty("name").GetString().ShouldBe("patches");
        model.GetProperty("platform").GetString().ShouldBe("onnx_onnxv1");
        var version = model.GetProperty("versions")[0].GetString();
        PortsOf(model, "inputs").ShouldBe(["image BYTES [1]", "images FP32 [1,3,64,64]"]);
        PortsOf(model, "outputs").ShouldBe(["boxes FP32 [-1,4]", "scores FP32 [-1]", "classes INT32 [-1]", "labels BYTES [-1]", "output0 FP32 [1,6,84]"]);
        (await Api.GetAsync($"/v2/models/patches/versions/{version}")).Json.GetRawText().ShouldBe(model.GetRawText());
        var ready = (await Api.GetAsync($"/v2/models/patches/versions/{version}/ready")).Json;
        (ready.GetProperty("name").GetString(), ready.GetProperty("ready").GetBoolean()).ShouldBe(("patches", true));
        PortsOf((await Api.GetAsync("/v2/models/colours")).Json, "outputs").Take(3).ShouldBe(["scores FP32 [-1]", "classes INT32 [-1]", "labels BYTES [-1]"]);
    }

    [Theory]
    [InlineData("GET", "/v2/models/nothing")]
    [InlineData("GET", "/v2/nothing")]
    [InlineData("GET", "/v2/models/nothing/ready")]
    [InlineData("GET", "/v2/models/patches/versions/1")]
    [InlineData("POST", "/v2/models/nothing/infer")]
    [InlineData("POST", "/v2/models/patches/versions/1/infer")]
    public async Task What_is_not_there_is_said_in_the_shape_of_the_protocol(string method, string path) =>
        ErrorOf(await Api.SendAsync(new HttpRequestMessage(new HttpMethod(method), path)), 404);

    [Fact]
    public async Task The_same_picture_has_the_same_boxes_through_each_door()
    {
        var picture = Pictures.Png(200, 128, 64);
        var own = (await Api.RunAsync(picture)).GetProperty("result").GetProperty("detections").EnumerateArray().ToList();
        var boxes = own.SelectMany(f => ((string[])["x1", "y1", "x2", "y2"]).Select(e => (float)f.GetProperty("box").GetProperty(e).GetDouble())).ToList();

        var json = await InferAsync("patches", new { id = "mine", inputs = new[] { new { name = "image", shape = One, datatype = "BYTES", data = new[] { Convert.ToBase64String(picture) } } } });
        var binary = await InferAsync("patches", new { inputs = new[] { PictureInput(picture) }, parameters = new { binary_data_output = true } }, Prefixed(picture));

        json.Status.ShouldBe(HttpStatusCode.OK, json.Text);
        json.Json.GetProperty("id").GetString().ShouldBe("mine");
        json.Json.GetProperty("model_name").GetString().ShouldBe("patches");
        OutputOf(json.Json, "boxes").GetProperty("shape").GetRawText().ShouldBe("[2,4]");
        DataOf(json.Json, "boxes").Select(d => d.GetSingle()).ShouldBe(boxes);
        DataOf(json.Json, "scores").Select(d => d.GetSingle()).ShouldBe(own.Select(f => (float)f.GetProperty("confidence").GetDouble()));
        DataOf(json.Json, "classes").Select(d => d.GetInt32()).ShouldBe(own.Select(f => f.GetProperty("classId").GetInt32()));
        DataOf(json.Json, "labels").Select(d => d.GetString()).ShouldBe(own.Select(f => f.GetProperty("label").GetString()));

        var (header, tensors) = Split(binary);
        header.GetProperty("outputs").EnumerateArray().Select(o => o.GetProperty("name").GetString()).ShouldBe(["boxes", "scores", "classes", "labels"]);
        MemoryMarshal.Cast<byte, float>(tensors["boxes"]).ToArray().ShouldBe(boxes);
        TextsOf(tensors["labels"]).ShouldBe(own.Select(f => f.GetProperty("label").GetString()));

        using var form = new MultipartFormDataContent { { new ByteArrayContent(picture), "file", "a.png" } };
        var predicted = (await Api.SendAsync(new HttpRequestMessage(HttpMethod.Post, "/predict") { Content = form })).Json;
        for (var i = 0; i < own.Count; i++)
            predicted[i].GetProperty("width").GetDouble().ShouldBe((boxes[(4 * i) + 2] - boxes[4 * i]) / 128, 1e-6);
    }

    [Fact]
    public async Task Options_of_jobs_are_parameters_and_only_what_is_wanted_is_sent()
    {
        var answer = await InferAsync("patches", new
        {
            inputs = new[] { PictureInput(Pictures.Png(10)) },
            outputs = new object[] { new { name = "labels" }, new { name = "scores", parameters = new { binary_data = true } } },
            parameters = new { confidence = 0.1, priority = 1, timeout = 30_000_000, sequence_id = 0 },
        }, Prefixed(Pictures.Png(10)));

        var (header, tensors) = Split(answer);
        header.GetProperty("outputs").EnumerateArray().Select(o => o.GetProperty("name").GetString()).ShouldBe(["labels", "scores"]);
        DataOf(header, "labels").Select(d => d.GetString()).ShouldBe(["oblong", "square"]);
        MemoryMarshal.Cast<byte, float>(tensors["scores"]).ToArray().ShouldBe([0.6f, 0.15f]);
        var job = await Api.JobAsync(header.GetProperty("parameters").GetProperty("job").GetString()!);
        job.GetProperty("priority").GetString().ShouldBe("high");
        job.GetProperty("expires").ValueKind.ShouldBe(JsonValueKind.String);
    }

    [Fact]
    public async Task Tensors_go_through_the_model_as_they_are()
    {
        var half = Enumerable.Repeat(0.5f, 3 * Edge * Edge).ToArray();
        var nested = (float[][][][])[[.. half.Chunk(Edge * Edge).Select(plane => plane.Chunk(Edge).ToArray())]];

        var json = await InferAsync("patches", new { inputs = new[] { new { name = "images", shape = new[] { 1, 3, Edge, Edge }, datatype = "FP32", data = nested } } });
        var binary = await InferAsync("patches", new { inputs = new[] { TensorInput(half.Length * 4) }, outputs = new[] { new { name = "output0", parameters = new { binary_data = true } } } }, MemoryMarshal.AsBytes<float>(half).ToArray());

        json.Status.ShouldBe(HttpStatusCode.OK, json.Text);
        OutputOf(json.Json, "output0").GetProperty("shape").GetRawText().ShouldBe("[1,6,84]");
        var numbers = DataOf(json.Json, "output0").Select(d => d.GetSingle()).ToArray();
        numbers.Length.ShouldBe(6 * 84);
        // The first square: its middle, its size, and the mean of the input as its confidence.
        ((float[])[numbers[0], numbers[84], numbers[168], numbers[252], numbers[336]]).ShouldBe([16, 16, 16, 16, 0.5f]);
        MemoryMarshal.Cast<byte, float>(Split(binary).Tensors["output0"]).ToArray().ShouldBe(numbers);

        var job = await Api.JobAsync(json.Json.GetProperty("parameters").GetProperty("job").GetString()!);
        job.GetProperty("engine").GetString().ShouldBe("tensor");
        var id = SpotterApi.IdOf(job);
        (await Api.GetAsync($"/v1/jobs/{id}/image")).ShouldBeProblem(404, "not_found");
        (await Api.GetAsync(job.GetProperty("outputs")[0].GetProperty("url").GetString()!)).Bytes.Length.ShouldBe(6 * 84 * sizeof(float));
        job.GetProperty("modelVersion").GetString().ShouldBe(json.Json.GetProperty("model_version").GetString());
    }

    [Fact]
    public async Task What_a_model_does_not_take_is_refused_before_there_is_a_job()
    {
        var before = (await Api.ListAsync()).Count;
        object Input(string name, int[] shape, string type, object data) => new { inputs = new[] { new { name, shape, datatype = type, data } } };

        foreach (var (request, says) in ((object, string)[])[
            (new { inputs = Array.Empty<object>() }, "no inputs"),
            (new { }, "no inputs"),
            (Input("pictures", [1], "BYTES", Nothing), "'image'"),
            (Input("image", [2], "BYTES", Twice), "one picture"),
            (Input("image", [1], "BYTES", NoBase64), "Base64"),
            (Input("image", [1], "BYTES", new[] { Convert.ToBase64String("no picture"u8) }), "not a JPEG"),
            (Input("images", [1, 3, 32, 32], "FP32", new float[1]), "images FP32[1,3,64,64]"),
            (Input("images", [1, 3, Edge, Edge], "UINT8", new float[1]), "images FP32[1,3,64,64]"),
            (Input("images", [1, 3, Edge, Edge], "FP32", new float[7]), "12288"),
            (Input("images", [1, 3, Edge, Edge], "FP32", NoNumber), "no FP32"),
            (new { inputs = new[] { PictureInput(Pictures.Png(1)) }, outputs = new[] { new { name = "masks" } } }, "'boxes'"),
            (new { inputs = new[] { PictureInput(Pictures.Png(1)) }, parameters = new { confidence = 2 } }, "from 0 to 1"),
            (new { inputs = new[] { PictureInput(Pictures.Png(1)) }, parameters = new { confidense = 0.5 } }, "confidense"),
            (new { inputs = new[] { PictureInput(Pictures.Png(1)) }, parameters = new { timeout = "soon" } }, "microseconds"),
        ])
        {
            var isBinary = JsonSerializer.Serialize(request).Contains("binary_data_size", StringComparison.Ordinal);
            ErrorOf(isBinary ? await InferAsync("patches", request, Prefixed(Pictures.Png(1))) : await InferAsync("patches", request), 400).ShouldContain(says);
        }

        (await Api.ListAsync()).Count.ShouldBe(before);
    }

    [Theory]
    [InlineData("{", null)]
    [InlineData("[]", null)]
    [InlineData("null", null)]
    [InlineData("{}", "100")]
    [InlineData("{}", "-1")]
    [InlineData("{}", "9999999999")]
    [InlineData("{}", "x")]
    public async Task A_body_that_is_none_is_refused(string body, string? length)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "/v2/models/patches/infer") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        if (length is not null)
            request.Headers.TryAddWithoutValidation("Inference-Header-Content-Length", length);
        ErrorOf(await Api.SendAsync(request), 400);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    public async Task Binary_tensors_have_the_length_that_they_say(int more)
    {
        var picture = Pictures.Png(1);
        var sent = Prefixed(picture);
        Array.Resize(ref sent, sent.Length + more);

        ErrorOf(await InferAsync("patches", new { inputs = new[] { PictureInput(picture) } }, sent), 400);
        ErrorOf(await InferAsync("patches", new { inputs = new[] { TensorInput(3 * Edge * Edge * 4) } }, new byte[(3 * Edge * Edge * 4) + more]), 400);
        ErrorOf(await InferAsync("patches", new { inputs = new[] { TensorInput(3 * Edge * Edge * 4 + more) } }, new byte[(3 * Edge * Edge * 4) + more]), 400);
    }

    [Fact]
    public async Task Who_can_not_be_answered_in_time_is_told_so()
    {
        await Api.RunAsync(Pictures.Png(33));
        var answer = await InferAsync("patches", new { inputs = new[] { PictureInput(Pictures.Png(34)) }, parameters = new { timeout = 1 } }, Prefixed(Pictures.Png(34)));

        ((int)answer.Status).ShouldBeOneOf(503, 504);
        answer.Json.GetProperty("error").GetString().ShouldNotBeNullOrEmpty();
    }

    private static string ErrorOf(Answer answer, int status)
    {
        ((int)answer.Status).ShouldBe(status, answer.Text);
        answer.MediaType.ShouldBe("application/json");
        return answer.Json.EnumerateObject().ShouldHaveSingleItem().Value.GetString().ShouldNotBeNull();
    }

    private static IReadOnlyList<string> PortsOf(JsonElement model, string which) =>
        [.. model.GetProperty(which).EnumerateArray().Select(p => $"{p.GetProperty("name").GetString()} {p.GetProperty("datatype").GetString()} {p.GetProperty("shape").GetRawText()}")];

    private static JsonElement OutputOf(JsonElement answer, string name) => answer.GetProperty("outputs").EnumerateArray().Single(o => o.GetProperty("name").GetString() == name);

    private static IEnumerable<JsonElement> DataOf(JsonElement answer, string name) => OutputOf(answer, name).GetProperty("data").EnumerateArray();

    private static object PictureInput(byte[] picture) => new { name = "image", shape = One, datatype = "BYTES", parameters = new { binary_data_size = picture.Length + 4 } };

    private static object TensorInput(int bytes) => new { name = "images", shape = new[] { 1, 3, Edge, Edge }, datatype = "FP32", parameters = new { binary_data_size = bytes } };

    /// <summary>An element of BYTES as the binary extension has it.</summary>
    private static byte[] Prefixed(byte[] bytes)
    {
        var all = new byte[bytes.Length + 4];
        BinaryPrimitives.WriteInt32LittleEndian(all, bytes.Length);
        bytes.CopyTo(all, 4);
        return all;
    }

    private static IReadOnlyList<string> TextsOf(byte[] bytes)
    {
        var texts = new List<string>();
        for (var at = 0; at < bytes.Length; at += 4 + BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(at)))
            texts.Add(Encoding.UTF8.GetString(bytes, at + 4, BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(at))));
        return texts;
    }

    private Task<Answer> InferAsync(string model, object request) =>
        Api.SendAsync(new HttpRequestMessage(HttpMethod.Post, $"/v2/models/{model}/infer") { Content = JsonContent.Create(request) });

    /// <summary>As tritonclient sends it: the JSON, the tensors behind it, and where the one ends.</summary>
    private Task<Answer> InferAsync(string model, object request, byte[] tensors)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(request);
        var content = new ByteArrayContent([.. json, .. tensors]) { Headers = { ContentType = new MediaTypeHeaderValue("application/octet-stream") } };
        var message = new HttpRequestMessage(HttpMethod.Post, $"/v2/models/{model}/infer") { Content = content };
        message.Headers.Add("Inference-Header-Content-Length", json.Length.ToString(CultureInfo.InvariantCulture));
        return Api.SendAsync(message);
    }

    private static (JsonElement Header, Dictionary<string, byte[]> Tensors) Split(Answer answer)
    {
        answer.Status.ShouldBe(HttpStatusCode.OK, answer.Text);
        var length = int.Parse(answer.Headers.GetValues("Inference-Header-Content-Length").Single(), CultureInfo.InvariantCulture);
        var header = JsonDocument.Parse(answer.Bytes.AsMemory(0, length)).RootElement;
        var (at, tensors) = (length, new Dictionary<string, byte[]>(StringComparer.Ordinal));
        foreach (var output in header.GetProperty("outputs").EnumerateArray())
        {
            if (!output.TryGetProperty("parameters", out var parameters))
                continue;
            var size = parameters.GetProperty("binary_data_size").GetInt32();
            tensors.Add(output.GetProperty("name").GetString()!, answer.Bytes[at..(at + size)]);
            at += size;
        }
        at.ShouldBe(answer.Bytes.Length);
        return (header, tensors);
    }
}
