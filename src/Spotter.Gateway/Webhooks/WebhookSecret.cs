using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Spotter.Core;
using Spotter.Gateway.Egress;

namespace Spotter.Gateway.Webhooks;

/// <summary>
/// A key that signs webhook deliveries, as Standard Webhooks (https://www.standardwebhooks.com) writes it: <c>whsec_</c> and 24 to
/// 64 bytes in Base64. Nothing shows it but <see cref="Reveal"/>.
/// </summary>
public sealed class WebhookSecret
{
    /// <summary>What every secret begins with.</summary>
    public const string Prefix = "whsec_";

    /// <summary>Fewest bytes.</summary>
    public const int LeastBytes = 24;

    /// <summary>Most bytes.</summary>
    public const int MostBytes = 64;

    /// <summary>So many sign a delivery at most: the new one and those that it replaces.</summary>
    public const int MostAtOnce = 4;

    private const int NewBytes = 32;

    private readonly byte[] key;

    private WebhookSecret(byte[] key) => this.key = key;

    /// <summary>A new one.</summary>
    public static WebhookSecret New(RandomSource random)
    {
        var bytes = new byte[NewBytes];
        random.Fill(bytes);
        return new WebhookSecret(bytes);
    }

    /// <summary>
    /// Reads one secret, or several with white space between them: the first is the one in use, the others are on their
    /// way out. False if it is anything else.
    /// </summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out IReadOnlyList<WebhookSecret>? secrets)
    {
        secrets = null;
        var parts = text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length is 0 or > MostAtOnce)
            return false;
        var read = new List<WebhookSecret>();
        Span<byte> bytes = stackalloc byte[MostBytes];
        foreach (var part in parts)
        {
            if (!part.StartsWith(Prefix, StringComparison.Ordinal)
                || !Convert.TryFromBase64Chars(part.AsSpan(Prefix.Length), bytes, out var length)
                || length < LeastBytes)
                return false;
            read.Add(new WebhookSecret(bytes[..length].ToArray()));
        }
        secrets = read;
        return true;
    }

    /// <summary>The secret for one endpoint, made from this one, so that no two endpoints share one.</summary>
    /// <param name="endpoint">Scheme, host and port.</param>
    public WebhookSecret For(string endpoint) => new(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(endpoint)));

    /// <summary>The secret for the endpoint of a URL.</summary>
    public WebhookSecret ForUrl(string url) => For(StrictUrl.EndpointOf(url));

    /// <summary>The secret itself, for whoever is to verify with it.</summary>
    public string Reveal() => Prefix + Convert.ToBase64String(key);

    /// <summary>Not the secret.</summary>
    public override string ToString() => nameof(WebhookSecret);

    /// <summary>The signature of any bytes (HMAC-SHA-256).</summary>
    internal byte[] Sign(ReadOnlySpan<byte> bytes) => HMACSHA256.HashData(key, bytes);

    /// <summary>The signature of one delivery, <c>v1,</c> and Base64.</summary>
    internal string Sign(string id, long timestamp, ReadOnlySpan<byte> body)
    {
        using var hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
        hash.AppendData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{id}.{timestamp}.")));
        hash.AppendData(body);
        return "v1," + Convert.ToBase64String(hash.GetHashAndReset());
    }
}
