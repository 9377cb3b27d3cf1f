using System.Net;
using System.Xml.Linq;

namespace Spotter.EndToEnd.Aws;

/// <summary>
/// Pictures that go past the gateway into the bucket. moto checks no conditions of a form; what S3 would refuse by them is checked
/// where they are made (S3LinksTests), and what comes all the same is judged again here.
/// </summary>
public sealed class DirectUploadTests : IAsyncLifetime
{
    private const string Bucket = "pictures";
    private const int LargePicture = 5 * 1024 * 1024;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private readonly TemporaryFolder folder = new();
    private readonly HttpClient client = new();
    private MotoServer moto = null!;

    private string Data => folder.File("data");

    public async Task InitializeAsync()
    {
        if (MotoServer.Executable is null)
            return;
        moto = await MotoServer.StartAsync();
        await moto.MakeBucketAsync(Bucket);
    }

    public async Task DisposeAsync()
    {
        client.Dispose();
        if (moto is not null)
            await moto.DisposeAsync();
        folder.Dispose();
    }

    [MotoFact]
    public async Task A_picture_that_was_uploaded_past_the_gateway_becomes_one_job_of_its_tenant()
    {
        var (red, blue) = (await AddKeyAsync("red"), await AddKeyAsync("blue"));
        await using var service = await StartAsync(moto.Address, "serve");
        using var api = new SpotterApi(service.Address, red);
        using var other = new SpotterApi(service.Address, blue);
        var picture = Pictures.Png(100);
        var upload = await DirectUpload.OfferAsync(api, ("contentType", "image/png"), ("size", picture.Length), ("name", "street.png"), ("confidence", 0.3), ("annotate", true));

        (await upload.ConfirmAsync()).ShouldBeProblem(409, "not_ready");
        await upload.SendAsync(picture);
        (await upload.ConfirmAsync(other)).ShouldBeProblem(404, "not_found");

        var confirmed = await upload.ConfirmAsync(waitSeconds: 60);
        confirmed.Status.ShouldBe(HttpStatusCode.OK, confirmed.Text);
        var id = SpotterApi.IdOf(confirmed.Json);
        confirmed.Headers.Location!.ToString().ShouldBe($"/v1/jobs/{id}");
        SpotterApi.StateOf(confirmed.Json).ShouldBe("succeeded");
        confirmed.Json.GetProperty("name").GetString().ShouldBe("street.png");
        var sent = await api.SubmitAsync([Part.Image(picture), Part.Field("confidence", "0.3")], waitSeconds: 60);
        confirmed.Json.GetProperty("result").GetProperty("detections").GetRawText().ShouldBe(sent.Json.GetProperty("result").GetProperty("detections").GetRawText());
        (await api.GetAsync($"/v1/jobs/{id}/image")).MediaType.ShouldBe("image/jpeg");

        // Within its time the form works again; what is uploaded then is nobody's.
        await upload.SendAsync(Pictures.Png(200));
        SpotterApi.IdOf((await upload.ConfirmAsync()).Json).ShouldBe(id);
        (await api.GetAsync($"/v1/jobs/{id}/original")).Bytes.ShouldBe(picture);
        (await api.ListAsync()).Count.ShouldBe(2);
        (await upload.ConfirmAsync(other)).ShouldBeProblem(404, "not_found");
        (await KeysAsync()).ShouldNotContain(key => key.Contains("tickets/", StringComparison.Ordinal));
        service.Log.ShouldNotContain("signature", Case.Insensitive);
    }

    [MotoFact]
    public async Task Confirmed_by_many_at_once_it_is_one_job()
    {
        await using var service = await StartAsync(moto.Address, "serve");
        using var api = new SpotterApi(service.Address);
        for (var round = 0; round < 5; round++)
        {
            var upload = await DirectUpload.OfferAsync(api, ("contentType", "image/png"));
            await upload.SendAsync(Pictures.Png((byte)(100 + round)));

            var confirmed = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => upload.ConfirmAsync()));

            confirmed.ShouldAllBe(answer => answer.Status == HttpStatusCode.Accepted);
            confirmed.Select(answer => SpotterApi.IdOf(answer.Json)).Distinct(StringComparer.Ordinal).ShouldHaveSingleItem();
        }
        (await api.ListAsync()).Count.ShouldBe(5);
    }

    [MotoTheory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task What_is_to_become_of_it_is_read_by_who_uploads_only_if_it_is_short_and_no_secret(bool secret, bool isLong)
    {
        await using var service = await StartAsync(moto.Address, "serve", "--callback-allow", "127.0.0.1");
        using var api = new SpotterApi(service.Address);
        List<(string, object)> fields = [("contentType", "image/png"), ("confidence", 0.9)];
        if (secret)
            fields.Add(("callback", "http://127.0.0.1:9/told"));
        if (isLong)
            fields.Add(("zones", string.Join("; ", Enumerable.Range(0, 32).Select(i => $"a place that is called {i}:0,0 64,0 64,64 0,64"))));
        var upload = await DirectUpload.OfferAsync(api, [.. fields]);

        upload.Fields.ContainsKey("x-amz-meta-spotter").ShouldBe(!secret && !isLong);
        upload.Fields.Values.ShouldNotContain(value => value.Contains("told", StringComparison.Ordinal));
        (await upload.ConfirmAsync()).ShouldBeProblem(409, "not_ready");
        await upload.SendAsync(Pictures.Png(100));
        var job = await upload.ConfirmAsync(waitSeconds: 60);
        job.Status.ShouldBe(HttpStatusCode.OK, job.Text);
        (await KeysAsync()).ShouldNotContain(key => key.Contains("/uploads/", StringComparison.Ordinal) || key.Contains("/tickets/", StringComparison.Ordinal));
        SpotterApi.IdOf((await upload.ConfirmAsync()).Json).ShouldBe(SpotterApi.IdOf(job.Json));
    }

    [MotoFact]
    public async Task What_a_submission_would_be_refused_for_an_upload_is_refused_for()
    {
        await using var service = await StartAsync(moto.Address, "serve");
        using var api = new SpotterApi(service.Address);

        (await DirectUpload.AskAsync(api)).ShouldBeProblem(400, "invalid_request");
        (await DirectUpload.AskAsync(api, ("contentType", "text/html"))).ShouldBeProblem(415, "unsupported_image");
        (await DirectUpload.AskAsync(api, ("contentType", "image/png"), ("model", "nothing"))).ShouldBeProblem(422, "unknown_model");
        (await DirectUpload.AskAsync(api, ("contentType", "image/png"), ("confidence", 7))).ShouldBeProblem(422, "threshold_out_of_range");
        (await DirectUpload.AskAsync(api, ("contentType", "image/png"), ("size", 1L << 40))).ShouldBeProblem(413, "body_too_large");
        (await DirectUpload.AskAsync(api, ("contentType", "image/png"), ("image", "AAAA"))).ShouldBeProblem(400, "invalid_request");
        (await DirectUpload.AskAsync(api, ("contentType", "image/png"), ("callback", "http://127.0.0.1/"))).ShouldBeProblem(422, "callback_forbidden");
        (await api.SendAsync(new HttpRequestMessage(HttpMethod.Post, "/v1/uploads/00000000000000000000000000000000"))).ShouldBeProblem(404, "not_found");
        (await KeysAsync()).ShouldBe(["spotter/spotter-owner"]);

        foreach (var (bytes, status, code) in (IEnumerable<(byte[], int, string)>)
            [("no picture at all"u8.ToArray(), 415, "unsupported_image"), (Pictures.PngHeaderOnly(60_000, 60_000), 422, "too_many_pixels"), ([], 422, "empty_body"), (new byte[21 * 1024 * 1024], 413, "body_too_large")])
        {
            var upload = await DirectUpload.OfferAsync(api, ("contentType", "image/png"));
            await upload.SendAsync(bytes);
            var (refusal, later) = (await upload.ConfirmAsync(), await upload.ConfirmAsync());
            refusal.ShouldBeProblem(status, code);
            later.ShouldBeProblem(status, code);
            later.Json.GetProperty("detail").GetString().ShouldBe(refusal.Json.GetProperty("detail").GetString());
        }
        // Of each that was refused there is left why, for who asks later.
        (await KeysAsync()).Count.ShouldBe(5);
        (await KeysAsync()).ShouldAllBe(key => key == "spotter/spotter-owner" || key.StartsWith("spotter/tickets/", StringComparison.Ordinal), "what is refused is deleted");
        (await api.ListAsync()).ShouldBeEmpty();
    }

    [MotoFact]
    public async Task Of_a_large_picture_next_to_nothing_goes_through_the_gateway()
    {
        await using var toBucket = new FaultyWire(moto.Address);
        await using var gateway = await StartAsync(toBucket.Address, "gateway");
        await using var toGateway = new FaultyWire(gateway.Address);
        using var api = new SpotterApi(toGateway.Address);
        var before = toBucket.Carried;

        var upload = await DirectUpload.OfferAsync(api, ("contentType", "image/png"));
        await upload.SendAsync(Pictures.PngWith(null, ("prVt", new byte[LargePicture])), moto.Address);
        var confirmed = await upload.ConfirmAsync();

        confirmed.Status.ShouldBe(HttpStatusCode.Accepted, confirmed.Text);
        (toGateway.Carried + toBucket.Carried - before).ShouldBeInRange(20_000, 100_000);
        await using var worker = StartWorker(gateway.Address);
        SpotterApi.StateOf(await api.EndOfAsync(SpotterApi.IdOf(confirmed.Json), Patience)).ShouldBe("succeeded");
    }

    [MotoTheory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_worker_elsewhere_fetches_and_hands_in_past_the_gateway_unless_that_is_switched_off(bool direct)
    {
        await using var gateway = await StartAsync(moto.Address, "gateway", direct ? [] : ["--no-worker-links"]);
        await using var toGateway = new FaultyWire(gateway.Address);
        using var api = new SpotterApi(gateway.Address);
        var picture = Pictures.PngWith(null, ("prVt", new byte[LargePicture]));
        var upload = await DirectUpload.OfferAsync(api, ("contentType", "image/png"), ("annotate", true));
        await upload.SendAsync(picture);
        var id = SpotterApi.IdOf((await upload.ConfirmAsync()).Json);

        await using var worker = StartWorker(toGateway.Address);
        var job = await api.EndOfAsync(id, Patience);

        SpotterApi.StateOf(job).ShouldBe("succeeded", job.GetRawText());
        var drawn = await api.GetAsync($"/v1/jobs/{id}/image");
        (drawn.Status, drawn.MediaType).ShouldBe((HttpStatusCode.OK, "image/jpeg"));
        var fetched = moto.Requests.Count(line => line.Contains("\"GET /pictures/spotter/in/", StringComparison.Ordinal) && line.Contains("X-Amz-Signature", StringComparison.Ordinal));
        var drawings = moto.Requests.Count(line => line.Contains("\"PUT /pictures/spotter/out/", StringComparison.Ordinal));
        (fetched, drawings).ShouldBe(direct ? (1, 0) : (0, 1));
        if (direct)
            toGateway.Carried.ShouldBeInRange(1000, 100_000);
        else
            toGateway.Carried.ShouldBeGreaterThan(picture.Length);
        foreach (var log in (string[])[gateway.Log, worker.Log])
            log.ShouldNotContain("signature", Case.Insensitive);
    }

    [MotoFact]
    public async Task Where_the_bucket_says_what_has_arrived_nobody_need_confirm_it()
    {
        var queue = await moto.MakeQueueAsync("uploads");
        await moto.NotifyAsync(Bucket, "uploads", "spotter/uploads/");
        await using var service = await StartAsync(moto.Address, "serve", "--upload-events", queue.ToString());
        using var api = new SpotterApi(service.Address);
        await moto.SendAsync(queue, """{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"pictures"}""");
        await moto.SendAsync(queue, "nothing that S3 writes");

        var upload = await DirectUpload.OfferAsync(api, ("contentType", "image/png"), ("name", "one.png"), ("annotate", true));
        await upload.SendAsync(Pictures.Png(100));
        var hostile = await DirectUpload.OfferAsync(api, ("contentType", "image/png"));
        await hostile.SendAsync("no picture at all"u8.ToArray());

        var job = (await Eventually.SeeAsync("a job comes", () => api.ListAsync(), jobs => jobs.Count > 0, Patience))[0];
        SpotterApi.StateOf(await api.EndOfAsync(SpotterApi.IdOf(job), Patience)).ShouldBe("succeeded");
        SpotterApi.IdOf((await upload.ConfirmAsync()).Json).ShouldBe(SpotterApi.IdOf(job));
        // The same once more, as SQS may do.
        await moto.SendAsync(queue, """{"Records":[{"eventName":"ObjectCreated:Post","s3":{"bucket":{"name":"BUCKET"},"object":{"key":"KEY"}}}]}"""
            .Replace("BUCKET", Bucket, StringComparison.Ordinal).Replace("KEY", upload.Key, StringComparison.Ordinal));
        await Eventually.SeeAsync("the queue is empty", () => moto.CountAsync(queue), count => count == 0, Patience);
        await Eventually.SeeAsync("what was refused is deleted", KeysAsync, keys => !keys.Any(k => k.Contains("/uploads/", StringComparison.Ordinal)), Patience);

        (await hostile.ConfirmAsync()).ShouldBeProblem(415, "unsupported_image");
        (await api.ListAsync()).Count.ShouldBe(1);
        (await service.TerminateAsync()).ShouldBe(0, service.Log);
        service.Log.Split('\n').Count(line => line.Contains("none of S3's", StringComparison.Ordinal)).ShouldBe(1, service.Log);
        service.Log.ShouldContain("unsupported_image");
    }

    private static Dictionary<string, string> Environment => new(MotoServer.Credentials, StringComparer.Ordinal) { ["AWS_REGION"] = "us-east-1", ["SPOTTER__WORKER__TOKEN"] = "0123456789abcdef0123456789abcdef" };

    private Task<SpotterProcess> StartAsync(Uri endpoint, string command, params string[] more)
    {
        var model = PatchModel.Write(folder.File("patches.onnx"));
        string[] options = ["--blobs", $"s3://{Bucket}/spotter", "--s3-endpoint", endpoint.ToString(), .. command == "serve" ? (string[])["--max-workers", "1"] : [], .. more];
        return SpotterProcess.StartAsync(Data, model, options, Environment, command: command);
    }

    private SpotterProcess StartWorker(Uri gateway)
    {
        Directory.CreateDirectory(folder.File("worker/models"));
        PatchModel.Write(folder.File("worker/models/patches.onnx"));
        return SpotterProcess.StartWorker(gateway, folder.File("worker"), Environment);
    }

    private async Task<string> AddKeyAsync(string tenant)
    {
        var made = await SpotterProgram.RunAsync("keys", "add", tenant, "--tenant", tenant, "--data", Data);
        made.Status.ShouldBe(0, made.Errors);
        return made.Output.Trim();
    }

    private async Task<IReadOnlyList<string>> KeysAsync()
    {
        var listing = XDocument.Parse(await client.GetStringAsync(new Uri(moto.Address, $"/{Bucket}?list-type=2")));
        return [.. listing.Descendants().Where(e => e.Name.LocalName == "Key").Select(e => e.Value).Order(StringComparer.Ordinal)];
    }
}
