using System.Globalization;
using System.Net.Http.Headers;

namespace Spotter.Gateway.Webhooks;

/// <summary>
/// The three headers of Standard Webhooks: which delivery it is, when it was sent, and that it comes from here and was not
/// changed on its way.
/// </summary>
internal static class WebhookSignature
{
    public const string IdHeader = "webhook-id";
    public const string TimestampHeader = "webhook-timestamp";
    public const string SignatureHeader = "webhook-signature";

    /// <summary>Signs one delivery with every secret, so that a receiver that knows any of them can verify it.</summary>
    public static void Sign(HttpRequestHeaders headers, IReadOnlyList<WebhookSecret> secrets, string id, DateTimeOffset now, ReadOnlySpan<byte> body)
    {
        var timestamp = now.ToUnixTimeSeconds();
        var signatures = new List<string>(secrets.Count);
        foreach (var secret in secrets)
            signatures.Add(secret.Sign(id, timestamp, body));
        headers.TryAddWithoutValidation(IdHeader, id);
        headers.TryAddWithoutValidation(TimestampHeader, timestamp.ToString(CultureInfo.InvariantCulture));
        if (signatures.Count > 0)
            headers.TryAddWithoutValidation(SignatureHeader, string.Join(' ', signatures));
    }
}
