using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using System.Xml.Linq;
using Spotter.EndToEnd.Harness;

namespace Spotter.Cloud.Tests;

/// <summary>
/// An AWS of our own, moto. The scripts speak to it with the AWS command line; the tests ask it over HTTP, since each start of the
/// command line takes a second.
/// </summary>
public sealed class Cloud : IAsyncLifetime
{
    public const string Region = "us-east-1";

    private readonly HttpClient client = new() { Timeout = TimeSpan.FromMinutes(2) };
    private MotoServer? server;

    /// <summary>What the command line and the scripts have to know.</summary>
    public IReadOnlyDictionary<string, string?> Environment { get; private set; } = new Dictionary<string, string?>(StringComparer.Ordinal);

    public async Task InitializeAsync()
    {
        if (Tools.NoCloud is not null)
            return;
        server = await MotoServer.StartAsync();
        client.BaseAddress = server.Address;
        Environment = MotoServer.Credentials.Select(c => KeyValuePair.Create(c.Key, (string?)c.Value)).Concat(
        [
            new("AWS_ENDPOINT_URL", server.Address.ToString().TrimEnd('/')), new("AWS_REGION", Region), new("AWS_DEFAULT_REGION", Region), new("AWS_PAGER", ""),
            new("AWS_PROFILE", null), new("AWS_CONFIG_FILE", "/dev/null"), new("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
        ]).ToDictionary(StringComparer.Ordinal);
    }

    public async Task DisposeAsync()
    {
        client.Dispose();
        if (server is not null)
            await server.DisposeAsync();
    }

    /// <summary>Forgets everything: each test begins with an empty account.</summary>
    public async Task ResetAsync()
    {
        using var answer = await client.PostAsync(new Uri("/moto-api/reset", UriKind.Relative), content: null);
        answer.EnsureSuccessStatusCode();
    }

    /// <summary>Calls a service that speaks JSON, as <c>dynamodb DynamoDB_20120810.DescribeTable</c>.</summary>
    public async Task<JsonNode> JsonAsync(string service, string target, string body = "{}")
    {
        using var content = new StringContent(body, Encoding.UTF8);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/x-amz-json-1.0");
        content.Headers.Add("X-Amz-Target", target);
        return JsonNode.Parse(await SendAsync(service, HttpMethod.Post, "/", content))!;
    }

    /// <summary>Calls a service that speaks AWS's query protocol.</summary>
    public async Task<XDocument> QueryAsync(string service, string action, params (string Name, string Value)[] parameters)
    {
        using var content = new FormUrlEncodedContent(
            parameters.Append(("Version", "2016-11-15")).DistinctBy(p => p.Item1, StringComparer.Ordinal).Append(("Action", action)).Select(p => KeyValuePair.Create(p.Item1, p.Item2)));
        return XDocument.Parse(await SendAsync(service, HttpMethod.Post, "/", content));
    }

    /// <summary>Calls S3.</summary>
    public async Task<string> S3Async(HttpMethod method, string path, string? body = null)
    {
        using var content = body is null ? null : new StringContent(body, Encoding.UTF8);
        return await SendAsync("s3", method, path, content);
    }

    /// <summary>The buckets that there are.</summary>
    public async Task<IReadOnlyList<string>> BucketsAsync() =>
        [.. XDocument.Parse(await S3Async(HttpMethod.Get, "/")).Descendants().Where(e => e.Name.LocalName == "Bucket").Select(b => Value(b, "Name")!)];

    /// <summary>The queues' addresses.</summary>
    public async Task<IReadOnlyList<string>> QueuesAsync() =>
        (await JsonAsync("sqs", "AmazonSQS.ListQueues"))["QueueUrls"]?.AsArray().Select(u => (string)u!).ToList() ?? [];

    /// <summary>A queue's attributes.</summary>
    public async Task<JsonNode> AttributesAsync(string queue) =>
        (await JsonAsync("sqs", "AmazonSQS.GetQueueAttributes", $$"""{"QueueUrl":"{{queue}}","AttributeNames":["All"]}"""))["Attributes"]!;

    /// <summary>Imports a certificate; its name.</summary>
    public async Task<string> ImportAsync(string certificate, string key)
    {
        var body = new JsonObject
        {
            ["Certificate"] = Convert.ToBase64String(await File.ReadAllBytesAsync(certificate)), ["PrivateKey"] = Convert.ToBase64String(await File.ReadAllBytesAsync(key)),
        };
        return (string)(await JsonAsync("acm", "CertificateManager.ImportCertificate", body.ToJsonString()))["CertificateArn"]!;
    }

    /// <summary>The text of the first element of that name below an element.</summary>
    public static string? Value(XContainer below, string name) => below.Descendants().FirstOrDefault(e => e.Name.LocalName == name)?.Value;

    /// <summary>The texts of all elements of that name.</summary>
    public static IReadOnlyList<string> Values(XContainer below, string name) => [.. below.Descendants().Where(e => e.Name.LocalName == name).Select(e => e.Value)];

    /// <summary>A certificate and its key, as files.</summary>
    internal static (string Certificate, string Key) MakeCertificate(Folder folder)
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=spotter.example", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using var certificate = request.CreateSelfSigned(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero), new DateTimeOffset(2046, 1, 1, 0, 0, 0, TimeSpan.Zero));
        return (folder.Write("certificate.pem", certificate.ExportCertificatePem() + "\n"), folder.Write("key.pem", key.ExportPkcs8PrivateKeyPem() + "\n"));
    }

    // moto looks at the service's name in the credentials, and checks no signature.
    private async Task<string> SendAsync(string service, HttpMethod method, string path, HttpContent? content)
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative)) { Content = content };
        request.Headers.TryAddWithoutValidation(
            "Authorization", $"AWS4-HMAC-SHA256 Credential=testing/20260101/{Region}/{service}/aws4_request, SignedHeaders=host, Signature=0");
        using var answer = await client.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        answer.IsSuccessStatusCode.ShouldBeTrue($"{service} {path}: {(int)answer.StatusCode} {text}");
        return text;
    }
}
