using System.Net;
using Amazon.Runtime;
using Spotter.Backends.S3;
using Spotter.Core;
using Spotter.EndToEnd.Harness;
using Spotter.Jobs;

namespace Spotter.Tests.Images;

/// <summary>What only a store over a network meets: wrong names, refused credentials, cut and slow connections, large blobs, many blobs.</summary>
[Collection(nameof(S3Server))]
public sealed class S3FaultTests(S3Server server)
{
    private const string Key = "in/ab/abc";

    [MotoFact]
    public async Task A_bucket_that_is_not_there_is_said_and_is_no_missing_blob()
    {
        using var store = Open(server.SettingsOf("s3://no-such-bucket/pictures"));

        foreach (var refusal in await EveryCallRefusedAsync(store))
            refusal.Message.ShouldBe($"The S3 server at {Authority(server.Moto.Address)} has no bucket no-such-bucket; make it, or name another with --blobs.");
        (await Should.ThrowAsync<SpotterException>(() => store.CheckAsync(default))).Message.ShouldContain("no bucket no-such-bucket");
    }

    [MotoFact]
    public async Task Refused_credentials_are_said_and_not_shown()
    {
        var settings = await server.NewBucketAsync() with { Credentials = new SessionAWSCredentials("AKIAOFTHETEST", "secret-of-the-test", "token-of-the-test") };
        using var store = Open(settings);
        await server.DemandCredentialsAsync(true);
        try
        {
            foreach (var refusal in await EveryCallRefusedAsync(store))
            {
                refusal.Message.ShouldStartWith($"The S3 server at {Authority(server.Moto.Address)} refused to ");
                refusal.Message.ShouldEndWith($" bucket {settings.Bucket} (InvalidAccessKeyId); check the credentials and what they allow.");
                refusal.ToString().ShouldNotContain("of-the-test", Case.Insensitive);
                refusal.ToString().ShouldNotContain("AKIA");
            }
            await Should.ThrowAsync<SpotterException>(() => store.CheckAsync(default));
        }
        finally
        {
            await server.DemandCredentialsAsync(false);
        }
    }

    [MotoFact]
    public async Task A_server_that_is_not_there_is_said()
    {
        var nobody = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        nobody.Start();
        var address = new Uri($"http://{nobody.LocalEndpoint}");
        nobody.Stop();
        using var store = Open(server.SettingsOf("s3://bucket-0/", address));

        foreach (var refusal in await EveryCallRefusedAsync(store))
            refusal.Message.ShouldBe($"The S3 server at {Authority(address)} can't be reached (ConnectionRefused); check --s3-endpoint and the network.");
        (await store.CheckAsync(default)).ShouldNotBeNull("it may come back by itself").ShouldContain("can't be reached");
    }

    [MotoFact]
    public async Task A_server_that_does_not_speak_S3_is_said()
    {
        await using var page = new OddServer("HTTP/1.1 404 Not Found", "text/html", "<html>nothing here</html>");
        using var store = Open(server.SettingsOf("s3://bucket-0/", page.Address));

        foreach (var refusal in await EveryCallRefusedAsync(store))
            refusal.Message.ShouldBe($"The S3 server at {Authority(page.Address)} answered status 404, not as S3 does; check --s3-endpoint.");
    }

    [MotoFact]
    public async Task A_server_that_fails_is_said_after_some_tries()
    {
        await using var broken = new OddServer("HTTP/1.1 503 Slow Down", "application/xml", "<?xml version=\"1.0\"?><Error><Code>SlowDown</Code><Message>Reduce your rate.</Message></Error>");
        using var store = Open(server.SettingsOf("s3://bucket-0/", broken.Address));

        var refusal = await Should.ThrowAsync<SpotterException>(() => store.OpenAsync(Key, default));

        refusal.Code.ShouldBe(ErrorCodes.StoreUnavailable);
        refusal.Message.ShouldBe($"The S3 server at {Authority(broken.Address)} failed to read from bucket bucket-0 (SlowDown); try again later.");
        broken.Requests.ShouldBe(3);
    }

    [MotoFact]
    public async Task A_slow_server_is_not_waited_for_longer_than_is_set()
    {
        var settings = await server.NewBucketAsync();
        await using var wire = new FaultyWire(server.Moto.Address) { Answers = new WireFault(AfterBytes: 0, Stall: true) };
        using var store = Open(settings with { Endpoint = wire.Address, Patience = TimeSpan.FromSeconds(0.5) });

        foreach (var refusal in await EveryCallRefusedAsync(store))
            refusal.Message.ShouldEndWith($" bucket {settings.Bucket} within 0.5 s; try again later.");
    }

    [MotoFact]
    public async Task An_answer_that_is_cut_midway_is_no_shorter_picture()
    {
        var settings = await server.NewBucketAsync();
        await using var wire = new FaultyWire(server.Moto.Address);
        using var store = Open(settings with { Endpoint = wire.Address });
        await store.PutAsync(Key, new MemoryStream(Bytes.Random(500_000, seed: 1)), default);
        wire.Answers = new WireFault(AfterBytes: 200_000);

        using var fresh = Open(settings with { Endpoint = wire.Address });
        await using var reader = (await fresh.OpenAsync(Key, default)).ShouldNotBeNull();
        reader.Length.ShouldBe(500_000);
        var refusal = await Should.ThrowAsync<SpotterException>(() => reader.CopyToAsync(Stream.Null));

        refusal.Code.ShouldBe(ErrorCodes.StoreUnavailable);
        refusal.Message.ShouldMatch($"^The connection to bucket {settings.Bucket} was cut after [0-9]+ of 500000 bytes; try again\\.$");
    }

    [MotoFact]
    public async Task An_answer_that_stops_midway_is_not_waited_for_longer_than_is_set()
    {
        var settings = await server.NewBucketAsync();
        await using var wire = new FaultyWire(server.Moto.Address);
        using var store = Open(settings with { Endpoint = wire.Address, Patience = TimeSpan.FromSeconds(2) });
        await store.PutAsync(Key, new MemoryStream(Bytes.Random(500_000, seed: 1)), default);
        wire.Answers = new WireFault(AfterBytes: 200_000, Stall: true);

        using var fresh = Open(settings with { Endpoint = wire.Address, Patience = TimeSpan.FromSeconds(2) });
        await using var reader = (await fresh.OpenAsync(Key, default)).ShouldNotBeNull();
        var refusal = await Should.ThrowAsync<SpotterException>(() => reader.CopyToAsync(Stream.Null));

        refusal.Message.ShouldEndWith($"did not go on reading from bucket {settings.Bucket} within 2 s; try again later.");
    }

    [MotoFact]
    public async Task An_upload_that_is_cut_is_sent_again()
    {
        var settings = await server.NewBucketAsync();
        await using var wire = new FaultyWire(server.Moto.Address) { Requests = new WireFault(AfterBytes: 100_000, Times: 1) };
        using var store = Open(settings with { Endpoint = wire.Address });
        var bytes = Bytes.Random(500_000, seed: 2);

        await store.PutAsync(Key, new MemoryStream(bytes), default);

        (await ReadAsync(store, Key)).ShouldBe(bytes);
    }

    [MotoFact]
    public async Task An_upload_that_is_cut_each_time_leaves_nothing()
    {
        var settings = await server.NewBucketAsync();
        await using var wire = new FaultyWire(server.Moto.Address) { Requests = new WireFault(AfterBytes: 100_000) };
        using var store = Open(settings with { Endpoint = wire.Address });

        var refusal = await Should.ThrowAsync<SpotterException>(() => store.PutAsync(Key, new MemoryStream(Bytes.Random(500_000, seed: 2)), default));

        refusal.Code.ShouldBe(ErrorCodes.StoreUnavailable);
        refusal.Message.ShouldStartWith($"The S3 server at {Authority(wire.Address)} can't be reached");
        using var direct = Open(settings);
        (await direct.OpenAsync(Key, default)).ShouldBeNull();
    }

    [MotoFact]
    public async Task A_large_picture_goes_in_parts_and_comes_back_whole()
    {
        var settings = await server.NewBucketAsync();
        using var store = Open(settings);
        var bytes = Bytes.Random(20 * 1024 * 1024, seed: 3);

        await store.PutAsync(Key, new OneWayStream(bytes), default);

        (await ReadAsync(store, Key)).SequenceEqual(bytes).ShouldBeTrue();
        (await server.SendAsync(HttpMethod.Head, $"/{settings.Bucket}/{Key}")).Headers.ETag!.Tag.ShouldEndWith("-4\"", customMessage: "four parts");
    }

    [MotoFact]
    public async Task A_sender_that_fails_after_the_first_part_leaves_no_parts()
    {
        var settings = await server.NewBucketAsync();
        using var store = Open(settings);
        var broken = new OneWayStream(Bytes.Random(12 * 1024 * 1024, seed: 4)) { FailAfter = 11 * 1024 * 1024 };

        await Should.ThrowAsync<InvalidDataException>(() => store.PutAsync(Key, broken, default));

        (await store.OpenAsync(Key, default)).ShouldBeNull();
        (await server.TextAsync(HttpMethod.Get, $"/{settings.Bucket}?uploads")).ShouldNotContain("<UploadId>");
    }

    [MotoFact]
    public async Task Uploads_that_a_dead_process_left_are_dropped_and_those_of_others_are_not()
    {
        var settings = await server.NewBucketAsync("ours");
        await server.TextAsync(HttpMethod.Post, $"/{settings.Bucket}/ours/{Key}?uploads");
        await server.TextAsync(HttpMethod.Post, $"/{settings.Bucket}/theirs/{Key}?uploads");
        using var store = Open(settings);

        await store.DeleteUnfinishedAsync(TimeProvider.System.GetUtcNow(), default);

        var left = await server.TextAsync(HttpMethod.Get, $"/{settings.Bucket}?uploads");
        left.ShouldNotContain("ours/in");
        left.ShouldContain("theirs/in");
    }

    [MotoFact]
    public async Task The_check_of_a_good_bucket_leaves_nothing()
    {
        using var store = Open(await server.NewBucketAsync());

        (await store.CheckAsync(default)).ShouldBeNull();

        (await KeysAsync(store, "")).ShouldBeEmpty();
    }

    [MotoFact]
    public async Task More_blobs_are_listed_than_one_answer_holds()
    {
        var settings = await server.NewBucketAsync("p");
        using var store = Open(settings);
        var keys = Enumerable.Range(0, 1005).Select(i => $"in/{i % 16:x2}/{i}").ToList();
        await Parallel.ForEachAsync(keys, new ParallelOptions { MaxDegreeOfParallelism = 8 },
            async (key, cancel) => await server.TextAsync(HttpMethod.Put, $"/{settings.Bucket}/p/{key}"));

        (await KeysAsync(store, "in/")).ShouldBe(keys, ignoreOrder: true);
    }

    [MotoFact]
    public async Task What_else_lies_in_the_bucket_is_not_listed()
    {
        var settings = await server.NewBucketAsync("p");
        using var store = Open(settings);
        string[] foreign = ["p/in/UPPER", "p/in/a%20b", "p/in/%C3%A4+%26%3C%3E", "p/in/a..b", "p/.hidden", "q/in/ab/abc", "pin/ab/abc", "in/ab/abc", "p/in/%25"];
        foreach (var name in foreign)
            await server.TextAsync(HttpMethod.Put, $"/{settings.Bucket}/{name}");
        await store.PutAsync(Key, new MemoryStream([1]), default);

        (await KeysAsync(store, "")).ShouldBe([Key]);
    }

    private static S3BlobStore Open(S3Settings settings) => new(settings, TimeProvider.System);

    private static string Authority(Uri address) => address.GetLeftPart(UriPartial.Authority);

    /// <summary>What each of the calls says when none of them works.</summary>
    private static async Task<IReadOnlyList<SpotterException>> EveryCallRefusedAsync(S3BlobStore store)
    {
        SpotterException[] refusals =
        [
            await Should.ThrowAsync<SpotterException>(() => store.PutAsync(Key, new MemoryStream([1]), default)),
            await Should.ThrowAsync<SpotterException>(() => store.PutAsync(Key, new OneWayStream(new byte[S3BlobStore.PartBytes + 1]), default)),
            await Should.ThrowAsync<SpotterException>(() => store.OpenAsync(Key, default)),
            await Should.ThrowAsync<SpotterException>(() => store.DeleteAsync(Key, default)),
            await Should.ThrowAsync<SpotterException>(() => KeysAsync(store, "in/")),
        ];
        foreach (var refusal in refusals)
            refusal.Code.ShouldBe(ErrorCodes.StoreUnavailable);
        return refusals;
    }

    private static async Task<byte[]> ReadAsync(IBlobStore store, string key)
    {
        await using var stream = (await store.OpenAsync(key, default)).ShouldNotBeNull();
        using var read = new MemoryStream();
        await stream.CopyToAsync(read);
        return read.ToArray();
    }

    private static async Task<List<string>> KeysAsync(IBlobStore store, string prefix)
    {
        var keys = new List<string>();
        await foreach (var key in store.ListAsync(prefix, TimeProvider.System.GetUtcNow().AddDays(1), default))
            keys.Add(key);
        return keys;
    }

    /// <summary>Bytes as a request's body gives them: forwards only, of unknown length.</summary>
    private sealed class OneWayStream(byte[] bytes) : MemoryStream(bytes, writable: false)
    {
        public long FailAfter { get; init; } = long.MaxValue;

        public override bool CanSeek => false;

        public override long Length => throw new NotSupportedException();

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.Position >= FailAfter ? throw new InvalidDataException("The sender has gone.") : base.ReadAsync(buffer, cancellationToken);
    }
}

public sealed class S3SettingsTests
{
    [Theory]
    [InlineData("s3://bucket", "bucket", "")]
    [InlineData("s3://bucket/", "bucket", "")]
    [InlineData("s3://my.bucket-1/spotter", "my.bucket-1", "spotter/")]
    [InlineData("s3://bucket/a b/ä+%/", "bucket", "a b/ä+%/")]
    public void A_place_has_a_bucket_and_may_have_a_prefix(string place, string bucket, string prefix)
    {
        var settings = S3Settings.Parse(place, endpoint: null, region: null);

        settings.Bucket.ShouldBe(bucket);
        settings.Prefix.ShouldBe(prefix);
    }

    [Theory]
    [InlineData("s3://")]
    [InlineData("s3:///prefix")]
    [InlineData("s3://ab")]
    [InlineData("s3://Bucket")]
    [InlineData("s3://user:password@host/bucket")]
    [InlineData("s3://bucket/../other")]
    [InlineData("s3://bucket/a//b")]
    [InlineData("s3://bucket/a\nb")]
    public void A_place_that_cannot_be_is_refused(string place) =>
        Should.Throw<SpotterException>(() => S3Settings.Parse(place, endpoint: null, region: null)).Code.ShouldBe(ErrorCodes.InvalidSettings);

    [Theory]
    [InlineData("localhost:9000")]
    [InlineData("ftp://host")]
    [InlineData("http://user:pass-word@host:9000")]
    [InlineData("http://host/?x=1")]
    public void An_endpoint_that_cannot_be_is_refused_and_not_repeated(string endpoint)
    {
        var refusal = Should.Throw<SpotterException>(() => S3Settings.Parse("s3://bucket", endpoint, region: null));

        refusal.Code.ShouldBe(ErrorCodes.InvalidSettings);
        refusal.Message.ShouldBe("The S3 endpoint is no address of the form http://HOST:PORT or https://HOST; correct --s3-endpoint.");
    }
}
