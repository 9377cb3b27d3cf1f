using Amazon.Runtime;
using Spotter.Core;

namespace Spotter.Backends.S3;

/// <summary>Which bucket, where it is, and how patient to be with it.</summary>
internal sealed record S3Settings
{
    private const string Scheme = "s3://";
    private const int LongestPrefix = 500;

    /// <summary>The bucket.</summary>
    public required string Bucket { get; init; }

    /// <summary>What every key begins with: empty, or ending in a slash.</summary>
    public string Prefix { get; init; } = "";

    /// <summary>Any server that speaks S3; null for Amazon's.</summary>
    public Uri? Endpoint { get; init; }

    /// <summary>The region; null for what the environment or the profile says.</summary>
    public string? Region { get; init; }

    /// <summary>
    /// How long one call may take, its retries included, and how long a read may wait for the next byte. Shorter than a
    /// worker waits for a gateway's answer, so that it hears what is wrong.
    /// </summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>What to show the server; null for the SDK's usual chain: environment, profile, role.</summary>
    internal AWSCredentials? Credentials { get; init; }

    /// <summary>Not the values: credentials are among them.</summary>
    public override string ToString() => nameof(S3Settings);

    /// <summary>True for a text that names a bucket.</summary>
    public static bool IsLocation(string text) => text.StartsWith(Scheme, StringComparison.Ordinal);

    /// <summary>Reads <c>s3://bucket/prefix</c> and what goes with it.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidSettings"/>.</exception>
    public static S3Settings Parse(string location, string? endpoint, string? region)
    {
        var rest = location[Scheme.Length..];
        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        var bucket = slash < 0 ? rest : rest[..slash];
        var prefix = slash < 0 ? "" : rest[slash..].Trim('/');
        if (!IsBucket(bucket))
            throw Invalid($"'{location}' names no bucket (3 to 63 lower-case letters, digits, '-' and '.'); write s3://BUCKET or s3://BUCKET/PREFIX.");
        if (prefix.Length > LongestPrefix || prefix.Any(char.IsControl) || prefix.Split('/').Any(part => part is "" or "." or ".."))
        {
            if (prefix.Length > 0)
                throw Invalid($"The prefix of '{location}' can't be used: it has empty parts, '.', '..', control characters, or more than {LongestPrefix} characters.");
        }
        return new S3Settings
        {
            Bucket = bucket,
            Prefix = prefix.Length == 0 ? "" : prefix + "/",
            Endpoint = ParseEndpoint(endpoint),
            Region = string.IsNullOrEmpty(region) ? null : region,
        };
    }

    private static Uri? ParseEndpoint(string? endpoint)
    {
        if (string.IsNullOrEmpty(endpoint))
            return null;
        // Not repeated if it can't be used: there may be a password in it.
        return Uri.TryCreate(endpoint, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"
            && uri is { UserInfo: "", Query: "", Fragment: "", Host.Length: > 0 }
            ? uri
            : throw Invalid("The S3 endpoint is no address of the form http://HOST:PORT or https://HOST; correct --s3-endpoint.");
    }

    private static bool IsBucket(string name) =>
        name.Length is >= 3 and <= 63 && name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '.')
        && !name.Contains("..", StringComparison.Ordinal) && char.IsAsciiLetterOrDigit(name[0]) && char.IsAsciiLetterOrDigit(name[^1]);

    private static SpotterException Invalid(string message) => new(ErrorCodes.InvalidSettings, message);
}
