using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Spotter.EndToEnd.Harness;

/// <summary>A running <c>moto_server</c>, which speaks S3 and keeps everything in memory. Disposing of it ends it.</summary>
public sealed class MotoServer : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    // In which it makes buckets that nobody signs for; a bucket tells queues of its own region only.
    private const string BucketRegion = "us-east-1";

    private readonly ServerProcess process;

    private MotoServer(ServerProcess process) => this.process = process;

    /// <summary>The program: what SPOTTER_MOTO names, else <c>moto_server</c> of the PATH; null when there is none.</summary>
    public static string? Executable { get; } = Find();

    /// <summary>Why tests that need it are skipped; null when it is there.</summary>
    public static string? Missing => Executable is null ? "there is no moto_server: pip install 'moto[server]', or set SPOTTER_MOTO" : null;

    /// <summary>What to show it: any will do.</summary>
    public static IReadOnlyDictionary<string, string> Credentials { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["AWS_ACCESS_KEY_ID"] = "testing",
        ["AWS_SECRET_ACCESS_KEY"] = "testing",
        ["AWS_EC2_METADATA_DISABLED"] = "true",
    };

    /// <summary>Its process id.</summary>
    public int Id => process.Id;

    /// <summary>Where it listens.</summary>
    public Uri Address => process.Address;

    /// <summary>The requests that it has answered, a line each with method and path.</summary>
    public IReadOnlyList<string> Requests => [.. process.Log.Split('\n').Where(line => line.Contains(" HTTP/1.1\"", StringComparison.Ordinal))];

    /// <summary>Starts it and waits until it listens.</summary>
    /// <param name="port">Where; 0 for any free one.</param>
    public static async Task<MotoServer> StartAsync(int port = 0)
    {
        var start = new ProcessStartInfo(Executable!, ["-H", "127.0.0.1", "-p", port.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        start.Environment["PYTHONUNBUFFERED"] = "1";
        // It reads sitecustomize.py there.
        var other = Environment.GetEnvironmentVariable("PYTHONPATH");
        start.Environment["PYTHONPATH"] = Path.Combine(AppContext.BaseDirectory, "moto") + (string.IsNullOrEmpty(other) ? "" : $"{Path.PathSeparator}{other}");
        return new MotoServer(await ServerProcess.StartAsync(start));
    }

    /// <summary>Makes a bucket.</summary>
    public async Task MakeBucketAsync(string name)
    {
        using var client = new HttpClient { BaseAddress = Address, Timeout = Patience };
        using var response = await client.PutAsync(new Uri($"/{name}", UriKind.Relative), content: null);
        response.EnsureSuccessStatusCode();
    }

    /// <summary>Makes a call of a service whose calls are JSON, in the region of the tests or another.</summary>
    public async Task<JsonElement> CallAsync(string service, string target, object parameters, string region = "eu-central-1")
    {
        using var client = new HttpClient { Timeout = Patience };
        using var request = new HttpRequestMessage(HttpMethod.Post, Address) { Content = new StringContent(JsonSerializer.Serialize(parameters), Encoding.UTF8, "application/x-amz-json-1.0") };
        request.Headers.TryAddWithoutValidation("X-Amz-Target", target);
        // It takes the region from the signature, and checks none.
        request.Headers.TryAddWithoutValidation("Authorization", $"AWS4-HMAC-SHA256 Credential=testing/20260101/{region}/{service}/aws4_request, SignedHeaders=host, Signature=0");
        using var response = await client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        return response.IsSuccessStatusCode ? JsonDocument.Parse(text.Length == 0 ? "{}" : text).RootElement : throw new HttpRequestException($"{target}: {text}");
    }

    /// <summary>Makes an SQS queue where the buckets are; its URL.</summary>
    public async Task<Uri> MakeQueueAsync(string name) =>
        new((await CallAsync("sqs", "AmazonSQS.CreateQueue", new { QueueName = name }, BucketRegion)).GetProperty("QueueUrl").GetString()!);

    /// <summary>Has a bucket send a message to a queue for each object that comes under a prefix.</summary>
    public async Task NotifyAsync(string bucket, string queue, string prefix)
    {
        using var client = new HttpClient { BaseAddress = Address, Timeout = Patience };
        using var response = await client.PutAsync(new Uri($"/{bucket}?notification", UriKind.Relative), new StringContent(
            $"<NotificationConfiguration><QueueConfiguration><Id>uploads</Id><Queue>arn:aws:sqs:{BucketRegion}:123456789012:{queue}</Queue><Event>s3:ObjectCreated:*</Event><Filter><S3Key><FilterRule><Name>prefix</Name><Value>{prefix}</Value></FilterRule></S3Key></Filter></QueueConfiguration></NotificationConfiguration>",
            Encoding.UTF8, "application/xml"));
        response.EnsureSuccessStatusCode();
    }

    /// <summary>Sends a message to such a queue.</summary>
    public Task SendAsync(Uri queue, string message) => CallAsync("sqs", "AmazonSQS.SendMessage", new { QueueUrl = queue, MessageBody = message }, BucketRegion);

    /// <summary>Messages in such a queue, those that somebody has received and not taken off among them.</summary>
    public async Task<int> CountAsync(Uri queue)
    {
        var counts = await CallAsync("sqs", "AmazonSQS.GetQueueAttributes", new { QueueUrl = queue, AttributeNames = new List<string> { "All" } }, BucketRegion);
        return ((string[])["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"])
            .Sum(kind => int.Parse(counts.GetProperty("Attributes").GetProperty(kind).GetString()!, System.Globalization.CultureInfo.InvariantCulture));
    }

    /// <summary>Writes an object, past any store.</summary>
    public async Task PutAsync(string path, byte[] bytes)
    {
        using var client = new HttpClient { Timeout = Patience };
        using var request = new HttpRequestMessage(HttpMethod.Put, new Uri(Address, path)) { Content = new ByteArrayContent(bytes) };
        // It wants a signature where there is an object already, and checks none.
        request.Headers.TryAddWithoutValidation("Authorization", "AWS4-HMAC-SHA256 Credential=testing/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0");
        using var response = await client.SendAsync(request);
        response.EnsureSuccessStatusCode();
    }

    /// <summary>An object's bytes; null if there is none.</summary>
    public async Task<byte[]?> GetAsync(string path)
    {
        using var client = new HttpClient { Timeout = Patience };
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(Address, path));
        Sign(request, "s3");
        using var response = await client.SendAsync(request);
        return response.IsSuccessStatusCode ? await response.Content.ReadAsByteArrayAsync() : null;
    }

    /// <summary>Calls a service that speaks JSON, as <c>AmazonSQS.SendMessage</c>.</summary>
    public async Task<JsonElement> CallAsync(string target, JsonObject body)
    {
        using var client = new HttpClient { Timeout = Patience };
        using var request = new HttpRequestMessage(HttpMethod.Post, Address) { Content = new StringContent(body.ToJsonString(), new MediaTypeHeaderValue("application/x-amz-json-1.0")) };
        request.Headers.TryAddWithoutValidation("X-Amz-Target", target);
        Sign(request, target.StartsWith("AmazonSQS", StringComparison.Ordinal) ? "sqs" : "dynamodb");
        using var response = await client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        if (!response.IsSuccessStatusCode)
            throw new InvalidOperationException($"{target}: {(int)response.StatusCode} {text}");
        return text.Length == 0 ? default : JsonDocument.Parse(text).RootElement;
    }

    // It reads the region and the service there, and checks nothing.
    private static void Sign(HttpRequestMessage request, string service) => request.Headers.TryAddWithoutValidation(
        "Authorization", $"AWS4-HMAC-SHA256 Credential=testing/20260101/eu-central-1/{service}/aws4_request, SignedHeaders=host, Signature=0");

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => process.DisposeAsync();

    private static string? Find()
    {
        if (Environment.GetEnvironmentVariable("SPOTTER_MOTO") is { Length: > 0 } named)
            return File.Exists(named) ? named : null;
        return (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Select(folder => Path.Combine(folder, "moto_server"))
            .FirstOrDefault(File.Exists);
    }
}
