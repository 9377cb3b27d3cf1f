using System.Net;

namespace Spotter.EndToEnd.Faults;

/// <summary>Pictures in a bucket: the whole way, and what happens while the bucket is away.</summary>
public sealed class BucketTests : IAsyncLifetime
{
    private const string Bucket = "pictures";
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
    public async Task A_picture_goes_through_the_bucket_and_is_deleted_when_its_time_is_over()
    {
        string id;
        await using (var service = await StartAsync(moto.Address, "serve"))
        {
            using var api = new SpotterApi(service.Address);
            var job = await api.RunAsync(Pictures.Png(100));
            SpotterApi.StateOf(job).ShouldBe("succeeded");
            id = SpotterApi.IdOf(job);

            var drawn = await api.GetAsync($"/v1/jobs/{id}/image");
            (drawn.Status, drawn.MediaType).ShouldBe((HttpStatusCode.OK, "image/jpeg"));
            drawn.Bytes.AsSpan(0, 2).ToArray().ShouldBe([0xFF, 0xD8]);
            var original = await api.GetAsync($"/v1/jobs/{id}/original");
            original.Bytes.ShouldBe(Pictures.Png(100));
            original.ContentHeaders.ContentLength.ShouldBe(Pictures.Png(100).Length);

            Directory.Exists(Path.Combine(Data, "blobs")).ShouldBeFalse("everything is in the bucket");
            (await KeysAsync()).ShouldContain(key => key.StartsWith("spotter/in/", StringComparison.Ordinal));
            (await KeysAsync()).ShouldContain(key => key.StartsWith("spotter/out/", StringComparison.Ordinal));
            (await service.TerminateAsync()).ShouldBe(0);
        }

        await using (var service = await StartAsync(moto.Address, "serve", "--keep-pictures", "0"))
        {
            using var api = new SpotterApi(service.Address);
            await Eventually.SeeAsync("the bucket has no pictures", KeysAsync, keys => keys is ["spotter/spotter-owner"], Patience);
            (await api.GetAsync($"/v1/jobs/{id}/original")).ShouldBeProblem(410, "original_expired");
            SpotterApi.StateOf(await api.JobAsync(id)).ShouldBe("succeeded");
        }
    }

    [MotoFact]
    public async Task While_the_bucket_is_away_pictures_are_refused_and_accepted_jobs_wait_without_losing_an_attempt()
    {
        await using var wire = new FaultyWire(moto.Address);
        await using var gateway = await StartAsync(wire.Address, "gateway");
        using var api = new SpotterApi(gateway.Address);
        var accepted = new List<string>();
        for (byte shade = 100; shade < 104; shade++)
            accepted.Add(SpotterApi.IdOf((await api.SubmitAsync(Pictures.Png(shade))).Json));

        wire.Requests = new WireFault(AfterBytes: 0);
        var refused = await api.SubmitAsync(Pictures.Png(110));
        refused.ShouldBeProblem(503, "store_unavailable");
        refused.Headers.RetryAfter.ShouldNotBeNull();
        refused.Json.GetProperty("detail").GetString().ShouldBe(
            $"The S3 server at {wire.Address.GetLeftPart(UriPartial.Authority)} can't be reached; check --s3-endpoint and the network.");
        (await api.GetAsync("/healthz")).Status.ShouldBe(HttpStatusCode.OK);
        await using var worker = StartWorker(gateway);
        await Eventually.SeeAsync("a worker tries", () => api.JobAsync(accepted[0]), job => SpotterApi.StateOf(job) == "running", Patience);
        (await api.GetAsync($"/v1/jobs/{accepted[0]}/original")).ShouldBeProblem(503, "store_unavailable");

        wire.Requests = null;
        foreach (var id in accepted)
        {
            var job = await api.EndOfAsync(id, Patience);
            SpotterApi.StateOf(job).ShouldBe("succeeded", job.GetRawText());
            job.GetProperty("attempts").GetInt32().ShouldBe(1);
        }
        (await api.SubmitAsync(Pictures.Png(110))).Status.ShouldBe(HttpStatusCode.Accepted);
        (await api.ListAsync()).Count.ShouldBe(accepted.Count + 1, "what was refused is no job");
    }

    [MotoFact]
    public async Task A_bit_that_flips_in_the_bucket_is_noticed()
    {
        await using var gateway = await StartAsync(moto.Address, "gateway");
        using var api = new SpotterApi(gateway.Address);
        var flipped = SpotterApi.IdOf((await api.SubmitAsync(Pictures.Png(100))).Json);
        var bytes = Pictures.Png(100);
        bytes[^20] ^= 1;
        await moto.PutAsync($"/{Bucket}/{(await KeysAsync()).Single(key => key.StartsWith("spotter/in/", StringComparison.Ordinal))}", bytes);
        var whole = SpotterApi.IdOf((await api.SubmitAsync(Pictures.Png(101))).Json);

        await using var worker = StartWorker(gateway);

        await ShouldBeCorruptAsync(api, flipped);
        SpotterApi.StateOf(await api.EndOfAsync(whole, Patience)).ShouldBe("succeeded");
    }

    [Fact]
    public async Task A_bit_that_flips_in_a_folder_is_noticed()
    {
        var shared = folder.File("shared");
        await using var gateway = await StartAsync(endpoint: null, "gateway", "--blobs", $"folder:{shared}");
        using var api = new SpotterApi(gateway.Address);
        var flipped = SpotterApi.IdOf((await api.SubmitAsync(Pictures.Png(100))).Json);
        var file = Directory.EnumerateFiles(Path.Combine(shared, "in"), "*", SearchOption.AllDirectories).Single();
        var bytes = await File.ReadAllBytesAsync(file);
        bytes[^20] ^= 1;
        await File.WriteAllBytesAsync(file, bytes);
        var whole = SpotterApi.IdOf((await api.SubmitAsync(Pictures.Png(101))).Json);

        await using var worker = StartWorker(gateway);

        await ShouldBeCorruptAsync(api, flipped);
        SpotterApi.StateOf(await api.EndOfAsync(whole, Patience)).ShouldBe("succeeded");
    }

    [MotoFact]
    public async Task A_bucket_that_is_missing_keeps_the_service_from_starting()
    {
        var (status, _, errors) = await SpotterProgram.RunWithAsync(
            MotoServer.Credentials, "serve", "--port", "0", "--data", Data, "--blobs", "s3://no-such-bucket", "--s3-endpoint", moto.Address.ToString());

        status.ShouldBe(1);
        errors.Trim().ShouldBe($"spotter: The S3 server at {moto.Address.GetLeftPart(UriPartial.Authority)} has no bucket no-such-bucket; make it, or name another with --blobs.");
    }

    [Fact]
    public async Task Missing_credentials_keep_the_service_from_starting()
    {
        var nothing = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["AWS_ACCESS_KEY_ID"] = "",
            ["AWS_SECRET_ACCESS_KEY"] = "",
            ["AWS_EC2_METADATA_DISABLED"] = "true",
            ["AWS_SHARED_CREDENTIALS_FILE"] = folder.File("none"),
            ["AWS_CONFIG_FILE"] = folder.File("none"),
            ["AWS_PROFILE"] = "",
            ["AWS_WEB_IDENTITY_TOKEN_FILE"] = "",
            ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "",
            ["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "",
        };

        var (status, _, errors) = await SpotterProgram.RunWithAsync(
            nothing, "serve", "--port", "0", "--data", Data, "--blobs", "s3://bucket", "--s3-endpoint", "http://127.0.0.1:9");

        status.ShouldBe(1);
        errors.Trim().ShouldBe(
            "spotter: There are no credentials for S3; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a profile with AWS_PROFILE, or give the machine a role.");
    }

    private static async Task ShouldBeCorruptAsync(SpotterApi api, string id)
    {
        var job = await api.EndOfAsync(id, Patience);
        SpotterApi.StateOf(job).ShouldBe("failed", job.GetRawText());
        job.GetProperty("error").GetProperty("code").GetString().ShouldBe("blob_corrupt");
    }

    /// <summary>Starts a service, whose pictures are in the bucket if there is an endpoint.</summary>
    private Task<SpotterProcess> StartAsync(Uri? endpoint, string command, params string[] arguments)
    {
        string[] place = endpoint is null ? [] : ["--blobs", $"s3://{Bucket}/spotter", "--s3-endpoint", endpoint.ToString()];
        string[] workers = command == "serve" ? ["--max-workers", "1", "--lanes", "2"] : [];
        return SpotterProcess.StartAsync(Data, PatchModel.Write(folder.File("patches.onnx")), [.. place, .. workers, .. arguments], Environment(), command: command);
    }

    private SpotterProcess StartWorker(SpotterProcess gateway)
    {
        Directory.CreateDirectory(folder.File("worker/models"));
        PatchModel.Write(folder.File("worker/models/patches.onnx"));
        return SpotterProcess.StartWorker(gateway.Address, folder.File("worker"), Environment());
    }

    private static Dictionary<string, string> Environment() =>
        new(MotoServer.Credentials, StringComparer.Ordinal) { ["SPOTTER__WORKER__TOKEN"] = "0123456789abcdef0123456789abcdef" };

    private async Task<IReadOnlyList<string>> KeysAsync()
    {
        var listing = System.Xml.Linq.XDocument.Parse(await client.GetStringAsync(new Uri(moto.Address, $"/{Bucket}?list-type=2")));
        return [.. listing.Descendants().Where(e => e.Name.LocalName == "Key").Select(e => e.Value)];
    }
}
