namespace Spotter.EndToEnd.Aws;

/// <summary>Amazon's services as moto plays them, behind a proxy, and services on them.</summary>
internal sealed class AwsServer : IAsyncDisposable
{
    private static readonly Dictionary<string, string> Surroundings = new(MotoServer.Credentials, StringComparer.Ordinal)
    {
        ["AWS_REGION"] = "eu-central-1",
        ["SPOTTER__WORKER__TOKEN"] = "0123456789abcdef0123456789abcdef",
    };

    private readonly TemporaryFolder folder = new();
    private readonly MotoServer moto;

    private AwsServer(MotoServer moto, AwsProxy proxy) => (this.moto, Proxy) = (moto, proxy);

    /// <summary>What stands before it.</summary>
    public AwsProxy Proxy { get; }

    /// <summary>Starts it, with a bucket.</summary>
    public static async Task<AwsServer> StartAsync()
    {
        var server = await MotoServer.StartAsync();
        await server.MakeBucketAsync("pictures");
        return new AwsServer(server, await AwsProxy.StartAsync(server.Address));
    }

    /// <summary>Starts a service on it.</summary>
    /// <param name="name">The name of its data folder.</param>
    /// <param name="work">What its model has to do for each picture.</param>
    /// <param name="more">What else it is set to.</param>
    public Task<SpotterProcess> ServeAsync(string name, int work, IReadOnlyDictionary<string, string>? more = null)
    {
        var address = Proxy.Address.ToString();
        return SpotterProcess.StartAsync(
            folder.File(name), PatchModel.Write(folder.File("patches.onnx"), work),
            [
                "--backend", "aws", "--aws-create", "--aws-endpoint", address, "--blobs", "s3://pictures", "--s3-endpoint", address, "--max-workers", "1", "--lanes", "2",
            ],
            new Dictionary<string, string>(Surroundings.Concat(more ?? new Dictionary<string, string>(StringComparer.Ordinal)), StringComparer.Ordinal));
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Proxy.DisposeAsync();
        await moto.DisposeAsync();
        folder.Dispose();
    }
}
