using System.Net;
using System.Security.Cryptography;
using System.Text;
using Spotter.Core;
using Spotter.Jobs.Deliveries;
using Spotter.Jobs.Inboxes;

namespace Spotter.Gateway.Telegram;

/// <summary>The Telegram bot of a deployment, as its host registers it.</summary>
/// <param name="Settings">What it is told; null for no bot.</param>
public sealed record TelegramDeployment(TelegramSettings? Settings);

/// <summary>What the Telegram bot is told.</summary>
public sealed record TelegramSettings
{
    /// <summary>The public Bot API server.</summary>
    public static readonly Uri PublicApi = new("https://api.telegram.org");

    /// <summary>The networks that updates come from, as https://core.telegram.org/bots/webhooks lists them.</summary>
    public static readonly IReadOnlyList<IPNetwork> TelegramNetworks = [IPNetwork.Parse("149.154.160.0/20"), IPNetwork.Parse("91.108.4.0/22")];

    /// <summary>The bot's token, as BotFather gives it: <c>123456:ABC…</c>.</summary>
    public required string Token { get; init; }

    /// <summary>The Bot API server; another one than <see cref="PublicApi"/> is one that is run by oneself.</summary>
    public Uri Api { get; init; } = PublicApi;

    /// <summary>Where Telegram reaches this service; null to fetch updates instead (long polling).</summary>
    public Uri? PublicUrl { get; init; }

    /// <summary>File of the self-signed certificate of <see cref="PublicUrl"/> as PEM, which Telegram is then given; null for one that is trusted anyway.</summary>
    public string? CertificateFile { get; init; }

    /// <summary>The chats that are served; empty for all.</summary>
    public IReadOnlyList<long> Chats { get; init; } = [];

    /// <summary>Networks from which updates are taken; empty for any.</summary>
    public IReadOnlyList<IPNetwork> Sources { get; init; } = TelegramNetworks;

    /// <summary>The pictures of an album are taken for all once none has come for this long.</summary>
    public TimeSpan AlbumWait { get; init; } = TimeSpan.FromSeconds(4);

    /// <summary>Jobs of one chat that may wait at a time.</summary>
    public int MostWaiting { get; init; } = 30;

    /// <summary>Messages that may wait to be dealt with; beyond that they are left with Telegram.</summary>
    public int MostPending { get; init; } = 5_000;

    /// <summary>Messages of one chat that may wait to be dealt with; beyond that they are left out.</summary>
    public int MostPendingOfChat { get; init; } = 500;

    /// <summary>A message that can't be answered is given up after this time.</summary>
    public TimeSpan LongestTrial { get; init; } = TimeSpan.FromDays(1);

    /// <summary>How messages are dealt with.</summary>
    public InboxSettings Inbox { get; init; } = new();

    /// <summary>How answers are sent.</summary>
    public DeliverySettings Delivery { get; init; } = new()
    {
        // Files may be large. So long one waits whose gateway was killed while it sent it.
        Timeout = TimeSpan.FromSeconds(25),
        Lease = TimeSpan.FromSeconds(40),
        // One after another, so that answers to a chat come in order.
        PerEndpoint = 1,
        // Each may hold pictures of 50 MB in memory.
        AtOnce = 8,
        Delays =
        [
            TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(10),
            TimeSpan.FromMinutes(30), TimeSpan.FromHours(1), TimeSpan.FromHours(3), TimeSpan.FromHours(6), TimeSpan.FromHours(12),
        ],
        FirstOpen = TimeSpan.FromSeconds(2),
        LongestOpen = TimeSpan.FromHours(1),
    };

    /// <summary>Who the bot is: the part of its token that is no secret.</summary>
    public string BotId => Token[..Token.IndexOf(':', StringComparison.Ordinal)];

    /// <summary>The name of its inbox.</summary>
    public string Box => $"telegram:{BotId}";

    /// <summary>What Telegram shows with each update (1 to 256 of A-Z, a-z, 0-9, _ and -). Made of the token, so all gateways know it.</summary>
    public string WebhookSecret => Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(Token), "spotter telegram webhook"u8));

    /// <summary>True for what looks like a token.</summary>
    public static bool IsToken(string text) =>
        text.IndexOf(':', StringComparison.Ordinal) is > 0 and <= 16 and var colon && text.AsSpan(0, colon).IndexOfAnyExceptInRange('0', '9') < 0
        && text.Length - colon - 1 is >= 5 and <= 100 && text.AsSpan(colon + 1).ToString().All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-');

    /// <summary>The text without the token.</summary>
    public string Redact(string text) => text.Replace(Token, "<token>", StringComparison.Ordinal);

    /// <summary>Not the values: the token is among them.</summary>
    public override string ToString() => nameof(TelegramSettings);

    /// <summary>Checks them together.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidSettings"/>.</exception>
    public void Validate()
    {
        if (!IsToken(Token))
            throw Invalid("The Telegram token is not one; it is digits, a colon and letters, as @BotFather gives it.");
        if (Api.Scheme is not ("http" or "https"))
            throw Invalid($"The Bot API server {Api} is not reached by http or https.");
        if (Api.PathAndQuery != "/")
            throw Invalid($"The Bot API server {Api} has a path behind its name; give the address without it.");
        if (PublicUrl is { Scheme: not "https" } && Api == PublicApi)
            throw Invalid($"Telegram sends updates to https addresses only, and {PublicUrl} is none; leave it out to fetch updates instead.");
        if (CertificateFile is not null && PublicUrl is null)
            throw Invalid("A certificate for Telegram goes with a public URL; give that too.");
        Delivery.Validate();
    }

    private static SpotterException Invalid(string message) => new(ErrorCodes.InvalidSettings, message);
}
