using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Spotter.EndToEnd.Cameras;

/// <summary>
/// The requests of camera software as it sends them, and its reading of the answers: from the sources of Frigate, of the
/// packages that Home Assistant's integrations use, and of CodeProject.AI; of Blue Iris and Agent DVR as far as others saw them.
/// </summary>
public sealed class CameraClientsTests(CameraService service) : IClassFixture<CameraService>
{
    private const string Requests = "User-Agent: python-requests/2.32.3\r\nAccept-Encoding: gzip, deflate\r\nAccept: */*\r\nContent-Type: multipart/form-data; boundary=0d4a3b1c5e6f47a8b9c0d1e2f3a4b5c6\r\n";
    private const string RequestsBoundary = "0d4a3b1c5e6f47a8b9c0d1e2f3a4b5c6";

    // Frigate has room for so many.
    private const int Slots = 20;

    [Fact]
    public async Task Frigate_fills_its_slots()
    {
        string[] labelmap = ["person", "bicycle", "square", "oblong"];

        var (_, status, answer) = await CameraCall.SendAsync(service.Cameras, "/v1/vision/detection", Requests, RequestsBoundary,
            ("Content-Disposition: form-data; name=\"api_key\"", []),
            ("Content-Disposition: form-data; name=\"image\"; filename=\"image\"", Pictures.Jpeg(240)));

        status.ShouldBe(200, answer.GetRawText());
        // It stops at the first that is unsure or unknown.
        var slots = new (int Label, double Confidence, double Top, double Left, double Bottom, double Right)[Slots];
        var i = 0;
        foreach (var found in answer.GetProperty("predictions").EnumerateArray())
        {
            var label = Array.IndexOf(labelmap, found.GetProperty("label").GetString());
            if (found.GetProperty("confidence").GetDouble() < 0.4 || label < 0)
                break;
            slots[i++] = (label, found.GetProperty("confidence").GetDouble(), Share(found, "y_min"), Share(found, "x_min"), Share(found, "y_max"), Share(found, "x_max"));
        }
        i.ShouldBe(2);
        (slots[0].Label, slots[1].Label).ShouldBe((2, 3));
        (slots[1].Confidence, slots[1].Top, slots[1].Left, slots[1].Bottom, slots[1].Right).ShouldBe((0.6, 24 / 64.0, 32 / 64.0, 56 / 64.0, 56 / 64.0));
    }

    [Fact]
    public async Task Frigate_can_be_given_only_the_labels_that_it_knows()
    {
        var (_, status, answer) = await CameraCall.SendAsync(service.Cameras, "/v1/vision/detection?labels=oblong", Requests, RequestsBoundary,
            ("Content-Disposition: form-data; name=\"api_key\"", []),
            ("Content-Disposition: form-data; name=\"image\"; filename=\"image\"", Pictures.Jpeg(240)));

        status.ShouldBe(200, answer.GetRawText());
        CameraCall.LabelsOf(answer).ShouldBe(["oblong"]);
    }

    [Fact]
    public async Task Home_Assistant_reads_boxes_as_shares()
    {
        var (_, status, answer) = await CameraCall.SendAsync(service.Cameras, "/v1/vision/custom/second", Requests, RequestsBoundary,
            ("Content-Disposition: form-data; name=\"min_confidence\"", "0.1"u8.ToArray()),
            ("Content-Disposition: form-data; name=\"image\"; filename=\"image\"", Pictures.Jpeg(240)));

        status.ShouldBe(200, answer.GetRawText());
        CameraCall.LabelsOf(answer).ShouldBe(["square", "oblong", "square"]);
        var found = answer.GetProperty("predictions")[1];
        (found.GetProperty("confidence").GetDouble(), found.GetProperty("x_max").GetInt32() - found.GetProperty("x_min").GetInt32()).ShouldBe((0.7, 24));
    }

    [Fact]
    public async Task Blue_Iris_looks_for_the_server_lists_its_models_and_sends_a_snapshot()
    {
        var host = service.Cameras.Authority;
        RawRequest.Read(await RawRequest.SendAsync(service.Cameras, $"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")).Status.ShouldBe(200);
        var update = CameraCall.Read(await RawRequest.SendAsync(service.Cameras, $"GET /v1/status/updateavailable HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"));
        (update.Status, update.Body.GetProperty("success").GetBoolean(), update.Body.GetProperty("updateAvailable").GetBoolean()).ShouldBe((200, true, false));

        var list = CameraCall.Read(await RawRequest.SendAsync(service.Cameras, $"POST /v1/vision/custom/list HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
        list.Body.GetProperty("models").EnumerateArray().Select(m => m.GetString()).ShouldBe(["first", "second"]);

        var (_, status, answer) = await CameraCall.SendAsync(service.Cameras, "/v1/vision/custom/SECOND", "Content-Type: multipart/form-data; boundary=\"------------------------boundary\"\r\n", "------------------------boundary",
            ("Content-Disposition: form-data; name=\"image\"; filename=\"snapshot.jpg\"\r\nContent-Type: image/jpeg", Pictures.Jpeg(240)),
            ("Content-Disposition: form-data; name=\"min_confidence\"", "0.65"u8.ToArray()));
        status.ShouldBe(200, answer.GetRawText());
        CameraCall.LabelsOf(answer).ShouldBe(["square", "oblong"]);
    }

    [Fact]
    public async Task Agent_DVR_writes_its_forms_as_dotnet_does()
    {
        using var client = new HttpClient { BaseAddress = service.Cameras };
        (await client.GetAsync(new Uri("/v1/status/ping", UriKind.Relative))).StatusCode.ShouldBe(HttpStatusCode.OK);
        using var form = new MultipartFormDataContent { { new StringContent("0,4"), "min_confidence" } };
        form.Add(new StreamContent(new MemoryStream(Pictures.Jpeg(240))) { Headers = { ContentType = new MediaTypeHeaderValue("image/jpeg") } }, "image", "image.jpg");

        using var response = await client.PostAsync(new Uri("/v1/vision/detection", UriKind.Relative), form);

        var text = await response.Content.ReadAsStringAsync();
        response.StatusCode.ShouldBe(HttpStatusCode.OK, text);
        CameraCall.LabelsOf(JsonDocument.Parse(text).RootElement).ShouldBe(["square", "oblong"]);
    }

    [Theory]
    [InlineData("file")]
    [InlineData("snapshot")]
    public async Task The_first_file_is_the_picture_whatever_its_name(string name)
    {
        var (_, status, answer) = await CameraCall.SendAsync(service.Process.Address, "/v1/vision/detection", "Content-Type: multipart/form-data; boundary=b\r\n", "b",
            ("Content-Disposition: form-data; name=\"camera\"", Encoding.UTF8.GetBytes("garage")),
            ($"Content-Disposition: form-data; name=\"{name}\"; filename=\"a.gif\"", Pictures.Gif(64, 64, 240)));

        status.ShouldBe(200, answer.GetRawText());
        answer.GetProperty("count").GetInt32().ShouldBe(2);
    }

    private static double Share(JsonElement found, string edge) => found.GetProperty(edge).GetInt32() / (double)PatchModel.Edge;
}
