using Amazon.Runtime;
using Spotter.Backends.S3;
using Spotter.EndToEnd.Harness;
using Spotter.Jobs;

namespace Spotter.Tests.Images;

/// <summary>One server for all tests of S3; each test has a bucket of its own.</summary>
public sealed class S3Server : IAsyncLifetime
{
    private readonly HttpClient client = new();
    private int buckets;

    public MotoServer Moto { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        if (MotoServer.Executable is not null)
            Moto = await MotoServer.StartAsync();
    }

    public async Task DisposeAsync()
    {
        client.Dispose();
        if (Moto is not null)
            await Moto.DisposeAsync();
    }

    /// <summary>A new bucket, and how to reach it.</summary>
    internal async Task<S3Settings> NewBucketAsync(string prefix = "")
    {
        var name = $"bucket-{Interlocked.Increment(ref buckets)}";
        await Moto.MakeBucketAsync(name);
        return SettingsOf($"s3://{name}/{prefix}");
    }

    /// <summary>From now on only credentials that it knows, and it knows none; or any again.</summary>
    public Task DemandCredentialsAsync(bool demand) => TextAsync(HttpMethod.Post, "/moto-api/reset-auth", demand ? "0" : "inf");

    /// <summary>Asks the server directly, without a store.</summary>
    public async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, string body = "")
    {
        using var request = new HttpRequestMessage(method, new Uri(Moto.Address, path)) { Content = method == HttpMethod.Get || method == HttpMethod.Head ? null : new StringContent(body) };
        var response = await client.SendAsync(request);
        return response.EnsureSuccessStatusCode();
    }

    /// <summary>As <see cref="SendAsync"/>; the answer's text.</summary>
    public async Task<string> TextAsync(HttpMethod method, string path, string body = "")
    {
        using var response = await SendAsync(method, path, body);
        return await response.Content.ReadAsStringAsync();
    }

    internal S3Settings SettingsOf(string location, Uri? endpoint = null) =>
        S3Settings.Parse(location, (endpoint ?? Moto.Address).ToString(), region: null) with { Credentials = new BasicAWSCredentials("testing", "testing") };
}

[CollectionDefinition(nameof(S3Server))]
public sealed class S3Collection : ICollectionFixture<S3Server>;

/// <summary>A suite that needs moto_server.</summary>
public sealed class NeedsMotoAttribute : NeedsAttribute
{
    public override string? Missing => MotoServer.Missing;
}

[NeedsMoto, Collection(nameof(S3Server))]
public class S3BlobStoreConformance(S3Server server) : BlobStoreConformance
{
    private S3BlobStore store = null!;

    protected virtual string Prefix => "";

    protected override async Task<IBlobStore> OpenAsync() =>
        MotoServer.Executable is null ? null! : store = new S3BlobStore(await server.NewBucketAsync(Prefix), TimeProvider.System);

    protected override Task CloseAsync()
    {
        store?.Dispose();
        return Task.CompletedTask;
    }
}

[NeedsMoto, Collection(nameof(S3Server))]
public sealed class S3BlobStoreInAFolderOfOddName(S3Server server) : S3BlobStoreConformance(server)
{
    protected override string Prefix => "Über uns/100% + a=b&c #1/$(x)";
}
