using System.Text.Json;
using Spotter.Core;
using Spotter.Gateway.Egress;
using Spotter.Gateway.Webhooks;
using Spotter.Jobs;
using Spotter.Jobs.Deliveries;

namespace Spotter.Gateway.Sessions;

/// <summary>Tells of what, how, and with which results.</summary>
/// <param name="Types">Of what; empty for all.</param>
/// <param name="Headers">Headers of the call.</param>
/// <param name="Channel">The channel whose results are sent along; null for all.</param>
internal sealed record SessionCallback(IReadOnlyList<string> Types, IReadOnlyDictionary<string, string> Headers, string? Channel)
{
    /// <summary>Not the headers.</summary>
    public override string ToString() => nameof(SessionCallback);
}

/// <summary>Calls those that sessions name, when a session has ended: with the session as the answer to a request for it has it.</summary>
internal sealed class SessionChannel(GatewaySettings gateway, WebhookSettings settings, EgressGuard guard, WebhookClient client, SessionPresenter presenter) : IDeliveryChannel
{
    /// <summary>The name of the channel.</summary>
    public const string ChannelName = "session";

    private const string StatusChanged = "sessionStatusChanged";
    private const int MostHeaders = 16;
    private const int LongestHeaders = 8192;
    private const int LongestUrl = 2048;
    private const int LongestName = 100;
    private const int MostTypes = 16;

    public string Name => ChannelName;

    public bool IsOn => gateway.Sessions;

    public DeliverySettings Settings => settings.Delivery;

    /// <summary>What a session's request asks for; null for nothing, as the examples of BlueEdge have it.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidRequest"/>.</exception>
    public static JobNotification? Of(SessionWebhook? asked)
    {
        if (asked?.CallbackUrl is not { Length: > 0 } url)
            return null;
        if (url.Length > LongestUrl)
            throw Invalid($"The 'callbackUrl' of one of the 'webhooks' has more than {LongestUrl} characters.");
        var headers = asked.CallbackHeader ?? new Dictionary<string, string>(StringComparer.Ordinal);
        if (headers.Count > MostHeaders || headers.Sum(h => h.Key.Length + (h.Value?.Length ?? 0)) > LongestHeaders || headers.Any(h => !MayBeSent(h.Key, h.Value)))
            throw Invalid($"The 'callbackHeader' of one of the 'webhooks' can't be sent; it has at most {MostHeaders} headers, together of at most {LongestHeaders} printable ASCII characters, and none that HTTP itself or the signature uses.");
        IReadOnlyList<string?> types = asked.StatusTypes ?? [];
        if (types.Count > MostTypes || types.Any(t => t is not { Length: > 0 and <= LongestName }) || asked.ResultChan is { Length: > LongestName })
            throw Invalid($"One of the 'webhooks' has more than {MostTypes} 'statusTypes', or one of them or its 'resultChan' is no text of 1 to {LongestName} characters.");
        return new JobNotification(ChannelName, url, RawJson.Of(new SessionCallback([.. types.OfType<string>()], headers, asked.ResultChan), SessionJson.Default.SessionCallback).ToString());
    }

    /// <inheritdoc/>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.CallbackForbidden"/>.</exception>
    public JobNotification Accept(JobNotification asked)
    {
        guard.Check(asked.Target);
        return asked with { Endpoint = StrictUrl.EndpointOf(asked.Target) };
    }

    public async Task<DeliveryOutcome> SendAsync(OutboxEntry entry, Job job, CancellationToken cancel)
    {
        var callback = JsonSerializer.Deserialize(entry.Secret!, SessionJson.Default.SessionCallback)!;
        Uri url;
        try
        {
            // What is allowed may have changed since the session was accepted.
            url = guard.Check(entry.Target);
        }
        catch (SpotterException)
        {
            return new DeliveryOutcome.GivenUp(null, WebhookClient.Blocked);
        }
        var session = await presenter.ShowAsync(job, null, cancel);
        var happened = EventsOf(session).ToList();
        if ((callback.Types.Count == 0 ? happened[0] : happened.Find(e => callback.Types.Contains(e, StringComparer.Ordinal))) is not { } told)
            return new DeliveryOutcome.Delivered();
        if (callback.Channel is { } channel)
            session = session with { Results = session.Results.Where(r => r.Key == channel).ToDictionary(StringComparer.Ordinal) };
        var body = RawJson.Of(SessionAnswer.Of(session with { Event = told }, job.Error?.Detail), SessionJson.Default.SessionAnswer);
        return await client.PostAsync(url, entry.Id, body.Utf8.ToArray(), [.. settings.Secrets.Select(s => s.ForUrl(entry.Target))], cancel, callback.Headers);
    }

    /// <summary>What has happened, in the words of <c>statusTypes</c>: how it ended, what its engines said, and that its state changed.</summary>
    internal static IEnumerable<string> EventsOf(SessionView session)
    {
        var end = session.Process.Status switch
        {
            SessionStates.Finished => StatusItem.Finish,
            SessionStates.Failed => StatusItem.Error,
            var other => other,
        };
        // In a workflow the channel for them may have any name.
        var said = session.Results.Values.SelectMany(items => items).Select(s => StatusItem.Of(new SessionItem.Value(s))?.Type).OfType<string>();
        return [end, .. said.Where(s => s != end && s is not (StatusItem.Finish or StatusItem.Error)), StatusChanged];
    }

    private static bool MayBeSent(string name, string? value)
    {
        if (value is null || value.Any(c => c is < ' ' or > '~'))
            return false;
        if (name.StartsWith("webhook-", StringComparison.OrdinalIgnoreCase) || Refused.Contains(name))
            return false;
        using var probe = new HttpRequestMessage();
        return probe.Headers.TryAddWithoutValidation(name, value);
    }

    private static readonly HashSet<string> Refused = new(
        ["Host", "Connection", "Keep-Alive", "Proxy-Connection", "Transfer-Encoding", "TE", "Trailer", "Upgrade", "Expect", "Content-Length", "Content-Type", "Content-Encoding", "User-Agent", "traceparent", "tracestate"],
        StringComparer.OrdinalIgnoreCase);

    private static SpotterException Invalid(string message) => new(ErrorCodes.InvalidRequest, message);
}
