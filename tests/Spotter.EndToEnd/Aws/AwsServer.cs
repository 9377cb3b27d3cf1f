using System.Text.Json;

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
        var surroundings = new Dictionary<string, string>(Surroundings, StringComparer.Ordinal);
        if (Proxy.KeysHold is not null)
        {
            surroundings["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = Proxy.Keys.ToString();
            foreach (var key in (string[])["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
                surroundings.Remove(key);
        }
        foreach (var (key, value) in more ?? new Dictionary<string, string>(StringComparer.Ordinal))
            surroundings[key] = value;
        return SpotterProcess.StartAsync(
            folder.File(name), PatchModel.Write(folder.File("patches.onnx"), work), [.. Place, "--aws-create", "--max-workers", "1", "--lanes", "2"], surroundings);
    }

    /// <summary>Runs `doctor` against it.</summary>
    public Task<Dictionary<string, (string Health, string Detail)>> ExamineAsync(params string[] more) => ExamineAsync(Surroundings, more);

    /// <summary>As that, with no keys but those that its role gives for a token, as a pod on EKS has one.</summary>
    public Task<Dictionary<string, (string Health, string Detail)>> ExamineAsPodAsync(params string[] more)
    {
        var token = folder.File("token");
        File.WriteAllText(token, "a.b.c");
        return ExamineAsync(
            new Dictionary<string, string>(Surroundings, StringComparer.Ordinal)
            {
                ["AWS_ACCESS_KEY_ID"] = "",
                ["AWS_SECRET_ACCESS_KEY"] = "",
                ["AWS_ROLE_ARN"] = "arn:aws:iam::123456789012:role/spotter-gateway",
                ["AWS_WEB_IDENTITY_TOKEN_FILE"] = token,
                ["AWS_ENDPOINT_URL_STS"] = moto.Address.ToString(),
            },
            more);
    }

    private async Task<Dictionary<string, (string Health, string Detail)>> ExamineAsync(Dictionary<string, string> surroundings, string[] more)
    {
        var ran = await SpotterProgram.RunWithAsync(surroundings, ["doctor", "--json", "--data", folder.File("doctor"), "--port", "0", .. Place, .. more]);
        return ran.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)
            .ToDictionary(f => f.GetProperty("name").GetString()!, f => (f.GetProperty("health").GetString()!, f.GetProperty("detail").GetString()!), StringComparer.Ordinal);
    }

    /// <summary>Sends a message, past any service.</summary>
    public Task SendMessageAsync(string queue, string body) => moto.CallAsync("sqs", "AmazonSQS.SendMessage", new { QueueUrl = UrlOf(queue), MessageBody = body });

    /// <summary>Deletes all messages of a queue.</summary>
    public Task PurgeQueueAsync(string queue) => moto.CallAsync("sqs", "AmazonSQS.PurgeQueue", new { QueueUrl = UrlOf(queue) });

    private string UrlOf(string queue) => new Uri(moto.Address, $"/123456789012/{queue}").ToString();

    private string[] Place => ["--backend", "aws", "--aws-endpoint", Proxy.Address.ToString(), "--blobs", "s3://pictures", "--s3-endpoint", Proxy.Address.ToString()];

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Proxy.DisposeAsync();
        await moto.DisposeAsync();
        folder.Dispose();
    }
}
