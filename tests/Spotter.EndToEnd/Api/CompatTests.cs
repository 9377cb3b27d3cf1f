using System.Globalization;
using System.Net;
using System.Text.Json;

namespace Spotter.EndToEnd.Api;

/// <summary>The endpoints of earlier services, as their clients call them.</summary>
public sealed class CompatTests(CompatService service) : IClassFixture<CompatService>
{
    private SpotterApi Api => service.Api;

    [Fact]
    public async Task A_program_gets_ok_and_a_browser_the_page()
    {
        (await Api.GetAsync("/")).Text.ShouldBe("Ok");
        var page = new HttpRequestMessage(HttpMethod.Get, "/") { Headers = { { "Accept", "text/html,application/xhtml+xml" } } };
        (await Api.SendAsync(page)).MediaType.ShouldBe("text/html");
    }

    [Fact]
    public async Task The_service_says_that_it_is_healthy_in_the_words_of_the_earlier_one()
    {
        var health = await Api.GetAsync("/health");

        health.Status.ShouldBe(HttpStatusCode.OK);
        health.Json.GetProperty("status").GetString().ShouldBe("healthy");
        health.Json.GetProperty("message").GetString().ShouldBe("Service is up and running!");
    }

    [Fact]
    public async Task A_service_that_can_do_no_work_says_so()
    {
        using var folder = new TemporaryFolder();
        await using var process = await SpotterProcess.StartAsync(folder.File("data"), model: null, ["--compat"]);
        using var api = new SpotterApi(process.Address);

        var health = await api.GetAsync("/health");

        health.Status.ShouldBe(HttpStatusCode.ServiceUnavailable);
        health.Json.GetProperty("status").GetString().ShouldBe("unhealthy");
        health.Json.GetProperty("message").GetString()!.ShouldContain("model");
    }

    [Fact]
    public async Task Without_the_setting_there_are_no_such_endpoints()
    {
        using var folder = new TemporaryFolder();
        await using var process = await SpotterProcess.StartAsync(folder.File("data"), model: null);
        using var api = new SpotterApi(process.Address);

        (await api.GetAsync("/")).MediaType.ShouldBe("text/html");
        foreach (var path in (string[])["/health", "/recent", "/fetchResults", "/results?predictionId=0"])
            (await api.GetAsync(path)).ShouldBeProblem(404, "not_found");
        (await api.SendAsync(new HttpRequestMessage(HttpMethod.Post, "/predict"))).ShouldBeProblem(404, "not_found");
    }

    [Fact]
    public async Task A_picture_is_classified_in_the_same_request()
    {
        var answer = await PostAsync("/", new Part("myfile", Pictures.Colour(0, 250, 0), "green.png", "image/png"));

        answer.Status.ShouldBe(HttpStatusCode.OK, answer.Text);
        var entry = answer.Json.EnumerateObject().ShouldHaveSingleItem();
        entry.Name.ShouldMatch(@"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6} message$");
        entry.Value.GetString().ShouldBe("Classification result: green");
    }

    [Fact]
    public async Task Of_several_pictures_each_is_answered_in_their_order()
    {
        var answer = await PostAsync("/", [.. Shades.Select((s, i) => new Part("myfile", s.Picture, $"{i}.png", "image/png"))]);

        answer.Status.ShouldBe(HttpStatusCode.OK, answer.Text);
        answer.Json.EnumerateObject().Select(e => e.Value.GetString()).ShouldBe(Shades.Select(s => $"Classification result: {s.Label}"));
    }

    [Fact]
    public async Task A_hundred_at_once_get_each_their_own_answer()
    {
        var sent = Enumerable.Range(0, 100).Select(i => (Picture: Pictures.Colour((byte)(i % 3 == 0 ? 100 + i : 0), (byte)(i % 3 == 1 ? 100 + i : 0), (byte)(i % 3 == 2 ? 100 + i : 0)), Shades[i % 3].Label)).ToList();

        var answers = await Task.WhenAll(sent.Select((s, i) => PostAsync("/", new Part("myfile", s.Picture, $"{i}.png", "image/png"))));

        answers.Select(a => a.Json.EnumerateObject().Single().Value.GetString()).ShouldBe(sent.Select(s => $"Classification result: {s.Label}"));
    }

    [Fact]
    public async Task Without_the_part_it_is_said_as_the_earlier_service_said_it()
    {
        foreach (var answer in (Answer[])[await PostAsync("/", Part.Field("other", "x")), await Api.SendAsync(new HttpRequestMessage(HttpMethod.Post, "/"))])
        {
            answer.Status.ShouldBe(HttpStatusCode.BadRequest, answer.Text);
            var entry = answer.Json.EnumerateObject().ShouldHaveSingleItem();
            entry.Name.ShouldEndWith(" message");
            entry.Value.GetString().ShouldBe("missing required img param");
        }
    }

    [Fact]
    public async Task A_picture_that_can_not_be_read_is_an_error_and_not_an_endless_wait()
    {
        var answer = await PostAsync("/", new Part("myfile", Pictures.PngHeaderOnly(64, 64), "cut.png", "image/png"));

        answer.Status.ShouldBe(HttpStatusCode.InternalServerError, answer.Text);
        answer.Json.EnumerateObject().Single().Value.GetString().ShouldBe("Internal server error");
    }

    [Theory]
    [InlineData("$(touch pwned).png")]
    [InlineData("; rm -rf ~;.png")]
    [InlineData("../../../etc/passwd.png")]
    [InlineData("a.b.c.png")]
    public async Task What_a_file_is_called_decides_nothing(string name)
    {
        var answer = await PostAsync("/predict", new Part("file", Pictures.Png(200), name, "image/png"));

        answer.Status.ShouldBe(HttpStatusCode.OK, answer.Text);
        answer.Json.GetArrayLength().ShouldBe(2);
    }

    [Fact]
    public async Task A_prediction_has_the_boxes_of_our_own_interface_as_parts_of_the_picture()
    {
        var picture = Pictures.Png(200, 128, 64);
        var own = await Api.RunAsync(picture);

        var predicted = (await PostAsync("/predict", new Part("file", picture, "Street.PNG", "image/png"))).Json;

        var found = own.GetProperty("result").GetProperty("detections").EnumerateArray().ToList();
        predicted.GetArrayLength().ShouldBe(found.Count);
        foreach (var (theirs, ours) in predicted.EnumerateArray().Zip(found))
        {
            theirs.EnumerateObject().Select(p => p.Name).ShouldBe(["class", "cx", "cy", "width", "height"]);
            theirs.GetProperty("class").GetString().ShouldBe(ours.GetProperty("label").GetString());
            var box = ours.GetProperty("box");
            double Of(string name) => box.GetProperty(name).GetDouble();
            theirs.GetProperty("cx").GetDouble().ShouldBe((Of("x1") + Of("x2")) / 2 / 128, 1e-6);
            theirs.GetProperty("cy").GetDouble().ShouldBe((Of("y1") + Of("y2")) / 2 / 64, 1e-6);
            theirs.GetProperty("width").GetDouble().ShouldBe((Of("x2") - Of("x1")) / 128, 1e-6);
            theirs.GetProperty("height").GetDouble().ShouldBe((Of("y2") - Of("y1")) / 64, 1e-6);
        }
    }

    [Fact]
    public async Task Where_nothing_is_found_the_list_is_empty() =>
        (await PostAsync("/predict?confidence=0.99", new Part("file", Pictures.Png(20), "a.jpeg", "image/png"))).Text.ShouldBe("[]");

    [Theory]
    [InlineData("a.csv")]
    [InlineData("png")]
    [InlineData("a.png.exe")]
    public async Task Other_files_are_refused_in_the_words_of_the_earlier_service(string name)
    {
        var answer = await PostAsync("/predict", new Part("file", Pictures.Png(1), name, "image/png"));

        answer.Status.ShouldBe(HttpStatusCode.BadRequest);
        answer.Text.ShouldBe("Bad file format, allowed files are {'png', 'jpg', 'jpeg', 'gif'}");
    }

    [Fact]
    public async Task Without_a_file_it_is_said_as_the_earlier_service_said_it()
    {
        foreach (var answer in (Answer[])[await PostAsync("/predict", Part.Field("file", "text")), await Api.SendAsync(new HttpRequestMessage(HttpMethod.Post, "/predict"))])
            (answer.Status, answer.Text).ShouldBe((HttpStatusCode.BadRequest, "No file attached"));
    }

    [Fact]
    public async Task A_picture_in_the_place_of_the_pictures_is_predicted_by_its_name_and_kept_as_it_is()
    {
        var picture = Pictures.Png(180);
        service.Place("Street_1.b.png", picture);

        var answer = await PostAsync("/predict?imgName=Street_1.b.png");

        answer.Status.ShouldBe(HttpStatusCode.OK, answer.Text);
        answer.Json.GetProperty("original_img_path").GetString().ShouldBe("images/Street_1.b.png");
        answer.Json.GetProperty("labels").GetArrayLength().ShouldBe(2);
        (await Api.GetAsync(answer.Json.GetProperty("predicted_img_path").GetString()!)).MediaType.ShouldBe("image/jpeg");
        service.Placed("Street_1.b.png").ShouldBe(picture);

        var id = answer.Json.GetProperty("prediction_id").GetString()!;
        var later = (await Api.GetAsync($"/results?predictionId={id}")).Json;
        later.GetProperty("labels").GetRawText().ShouldBe(answer.Json.GetProperty("labels").GetRawText());
    }

    [Theory]
    [InlineData("", 400)]
    [InlineData("missing.png", 404)]
    [InlineData("../spotter-owner", 404)]
    [InlineData("..%2Fspotter-owner", 404)]
    [InlineData("%2Fetc%2Fpasswd", 404)]
    [InlineData("..", 404)]
    [InlineData("a%00.png", 404)]
    public async Task No_name_leads_to_anything_else(string name, int status) => ((int)(await PostAsync($"/predict?imgName={name}")).Status).ShouldBe(status);

    [Theory]
    [InlineData("", HttpStatusCode.BadRequest)]
    [InlineData("?predictionId=", HttpStatusCode.BadRequest)]
    [InlineData("?predictionId=00000000000000000000000000000000", HttpStatusCode.NotFound)]
    public async Task Results_of_nothing_are_refused(string query, HttpStatusCode status) => (await Api.GetAsync($"/results{query}")).Status.ShouldBe(status);

    [Fact]
    public async Task Each_client_sees_what_it_sent_last()
    {
        using var red = new Browser(service.Process.Address, "red");
        using var blue = new Browser(service.Process.Address, "blue");
        (await red.GetAsync("/recent")).ShouldBe("No recent detection found");

        (await red.PostAsync(Pictures.Png(90))).ShouldBe("Your image is being processed...");
        (await blue.PostAsync(Pictures.Png(10))).ShouldBe("Your image is being processed...");

        var results = await Eventually.SeeAsync(
            "there is a result", async () => JsonDocument.Parse(await red.GetAsync("/fetchResults")).RootElement, r => r.GetProperty("results").GetInt32() == 1);
        results.GetProperty("filename").GetString().ShouldBe("red.png");
        results.GetProperty("detections").GetArrayLength().ShouldBe(2);
        (await red.GetAsync("/recent")).ShouldBe(results.GetProperty("summary").GetString());
        results.GetProperty("summary").GetString()!.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal).ShouldBe(["oblong: 1", "square: 1"]);
        JsonDocument.Parse(await blue.GetAsync("/fetchResults")).RootElement.GetProperty("filename").GetString().ShouldBe("blue.png");
    }

    [Fact]
    public async Task A_client_without_cookies_is_known_by_where_it_comes_from_but_not_behind_a_proxy()
    {
        using var client = new HttpClient(new HttpClientHandler { UseCookies = false }) { BaseAddress = service.Process.Address };
        using var form = FormOf([new Part("file", Pictures.Png(60), "mine.png")]);
        using var sent = await client.PostAsync(new Uri("/", UriKind.Relative), form);
        (await sent.Content.ReadAsStringAsync()).ShouldBe("Your image is being processed...");

        (await client.GetStringAsync(new Uri("/fetchResults", UriKind.Relative))).ShouldContain("\"filename\":\"mine.png\"");
        client.DefaultRequestHeaders.Add("X-Forwarded-For", "192.0.2.7");
        (await client.GetStringAsync(new Uri("/recent", UriKind.Relative))).ShouldBe("No recent detection found");
    }

    [Fact]
    public async Task What_comes_in_is_a_job_like_any_other()
    {
        var answer = await PostAsync("/", new Part("myfile", Pictures.Colour(0, 0, 222), "x.blue.png", "image/png"));

        var location = answer.Headers.Location!.ToString();
        var job = (await Api.GetAsync(location)).Json;
        job.GetProperty("engine").GetString().ShouldBe("classify");
        // The object of the earlier service: the name without its extension, and the result.
        (await Api.GetAsync($"{location}/output")).Text.ShouldBe("x.blue,blue");
    }

    private static IReadOnlyList<(byte[] Picture, string Label)> Shades { get; } =
        [(Pictures.Colour(240, 0, 0), "red, or so"), (Pictures.Colour(0, 240, 0), "green"), (Pictures.Colour(0, 0, 240), "blue")];

    private Task<Answer> PostAsync(string path, params Part[] parts) => Api.SendAsync(new HttpRequestMessage(HttpMethod.Post, path) { Content = FormOf(parts) });

    private static MultipartFormDataContent FormOf(IEnumerable<Part> parts)
    {
        var form = new MultipartFormDataContent();
        foreach (var part in parts)
        {
            var content = new ByteArrayContent(part.Bytes);
            if (part.FileName is null)
                form.Add(content, part.Name);
            else
                form.Add(content, part.Name, part.FileName);
        }
        return form;
    }

    /// <summary>A client that keeps cookies, as browsers do, behind a proxy as others.</summary>
    private sealed class Browser : IDisposable
    {
        private readonly HttpClient client;
        private readonly string name;

        public Browser(Uri address, string name)
        {
            this.name = name;
            client = new HttpClient { BaseAddress = address };
            client.DefaultRequestHeaders.Add("X-Forwarded-For", "192.0.2.1");
        }

        public Task<string> GetAsync(string path) => client.GetStringAsync(new Uri(path, UriKind.Relative));

        public async Task<string> PostAsync(byte[] picture)
        {
            using var form = FormOf([new Part("file", picture, string.Create(CultureInfo.InvariantCulture, $"{name}.png"))]);
            using var answer = await client.PostAsync(new Uri("/", UriKind.Relative), form);
            return await answer.Content.ReadAsStringAsync();
        }

        public void Dispose() => client.Dispose();
    }
}

/// <summary>A service that answers the endpoints of earlier ones, with a detector and a classifier.</summary>
public sealed class CompatService : RunningService
{
    private string classifier = "";

    protected override IReadOnlyList<string> Arguments => ["--max-workers", "1", "--lanes", "2", "--compat", "--model", classifier];

    /// <summary>Puts a picture where requests may name it.</summary>
    public void Place(string name, byte[] picture)
    {
        Directory.CreateDirectory(Path.Combine(Data, "blobs", "images"));
        File.WriteAllBytes(Path.Combine(Data, "blobs", "images", name), picture);
    }

    public byte[] Placed(string name) => File.ReadAllBytes(Path.Combine(Data, "blobs", "images", name));

    private protected override string WriteModel(TemporaryFolder into)
    {
        classifier = PatchModel.WriteClassifier(into.File("colours.onnx"));
        return base.WriteModel(into);
    }
}
