using System.Net;
using System.Text.Json;
using Spotter.Core;

namespace Spotter.Worker.Machines;

/// <summary>Word that a machine is to be taken away.</summary>
/// <param name="Why">Why, for the log.</param>
/// <param name="At">When it is; null when that is open.</param>
public sealed record MachineNotice(string Why, DateTimeOffset? At);

/// <summary>
/// What an EC2 instance is told of itself, from its metadata service (IMDSv2: a token first, then the question). It answers nobody but
/// the instance.
/// </summary>
public sealed class Ec2Metadata : IDisposable
{
    /// <summary>Where it is on every instance; nothing leaves the machine on the way there.</summary>
    public static readonly Uri Usual = new("http://169.254.169.254");

    private const string TokenHeader = "X-aws-ec2-metadata-token";
    private const string TokenSeconds = "21600"; // the most that there is
    private const int LargestAnswer = 64 * 1024;

    private static readonly TimeSpan LongestAnswer = TimeSpan.FromSeconds(2);

    private readonly HttpClient client;
    private string? token;

    /// <summary>Asks nothing yet.</summary>
    /// <param name="address">Where the service is.</param>
    public Ec2Metadata(Uri address)
    {
        var handler = Outgoing.NewHandler();
        handler.ConnectTimeout = LongestAnswer;
        client = new HttpClient(handler) { BaseAddress = address, Timeout = LongestAnswer, MaxResponseContentBufferSize = LargestAnswer };
    }

    /// <summary>Where the instance's Auto Scaling group wants it to be, as <c>InService</c>, <c>Terminated</c> or <c>Warmed:Stopped</c>; null when it is in none.</summary>
    /// <exception cref="HttpRequestException">The service does not answer as it should.</exception>
    public async Task<string?> TargetStateAsync(CancellationToken cancel) => (await GetAsync("autoscaling/target-lifecycle-state", cancel))?.Trim();

    /// <summary>When and how Amazon takes this spot instance back; null while it does not.</summary>
    /// <exception cref="HttpRequestException">The service does not answer as it should.</exception>
    public async Task<MachineNotice?> InterruptionAsync(CancellationToken cancel)
    {
        if (await GetAsync("spot/instance-action", cancel) is not { } text)
            return null;
        try
        {
            using var notice = JsonDocument.Parse(text);
            return new($"Amazon takes the spot instance back ({notice.RootElement.GetProperty("action").GetString()})", notice.RootElement.GetProperty("time").GetDateTimeOffset());
        }
        catch (Exception unread) when (unread is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            // That there is one says enough.
            return new("Amazon takes the spot instance back", null);
        }
    }

    /// <summary>True once Amazon recommends to leave this spot instance, as it is likely to be taken back.</summary>
    /// <exception cref="HttpRequestException">The service does not answer as it should.</exception>
    public async Task<bool> IsRebalanceRecommendedAsync(CancellationToken cancel) => await GetAsync("events/recommendations/rebalance", cancel) is not null;

    /// <inheritdoc/>
    public void Dispose() => client.Dispose();

    private async Task<string?> GetAsync(string what, CancellationToken cancel)
    {
        // A token may be of a service that has started anew; a second one is not refused.
        for (var isNew = token is null; ; isNew = true)
        {
            token ??= await TokenAsync(cancel);
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"/latest/meta-data/{what}", UriKind.Relative)) { Headers = { { TokenHeader, token } } };
            using var answer = await client.SendAsync(request, cancel);
            if (answer.StatusCode == HttpStatusCode.NotFound)
                return null;
            if (answer.StatusCode == HttpStatusCode.Unauthorized && !isNew)
            {
                token = null;
                continue;
            }
            answer.EnsureSuccessStatusCode();
            return await answer.Content.ReadAsStringAsync(cancel);
        }
    }

    private async Task<string> TokenAsync(CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, new Uri("/latest/api/token", UriKind.Relative)) { Headers = { { $"{TokenHeader}-ttl-seconds", TokenSeconds } } };
        using var answer = await client.SendAsync(request, cancel);
        answer.EnsureSuccessStatusCode();
        return await answer.Content.ReadAsStringAsync(cancel);
    }
}
