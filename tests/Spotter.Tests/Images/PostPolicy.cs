using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Spotter.Tests.Images;

/// <summary>
/// A form for an S3 POST as its server reads it ("Authenticating Requests in Browser-Based Uploads Using POST", AWS Signature
/// Version 4): who signed it, and what it allows. moto takes any, so tests look here.
/// </summary>
internal sealed record PostPolicy(IReadOnlyDictionary<string, string> Fields)
{
    private JsonElement Document => JsonDocument.Parse(Convert.FromBase64String(Field("policy"))).RootElement;

    /// <summary>Until when it is taken.</summary>
    public DateTimeOffset Expires => Document.GetProperty("expiration").GetDateTimeOffset();

    /// <summary>Fewest and most bytes.</summary>
    public (long Least, long Most) Length => Conditions.Where(c => c.ValueKind == JsonValueKind.Array && c[0].GetString() == "content-length-range")
        .Select(c => (c[1].GetInt64(), c[2].GetInt64())).Single();

    /// <summary>What fields have to be, word for word.</summary>
    public IReadOnlyDictionary<string, string> Exact => Conditions.Where(c => c.ValueKind == JsonValueKind.Object).SelectMany(c => c.EnumerateObject())
        .ToDictionary(p => p.Name, p => p.Value.GetString()!, StringComparer.OrdinalIgnoreCase);

    /// <summary>Conditions of any other kind, which would let in more than one thing.</summary>
    public IReadOnlyList<string> Loose => [.. Conditions.Where(c => c.ValueKind == JsonValueKind.Array && c[0].GetString() != "content-length-range").Select(c => c.GetRawText())];

    private IEnumerable<JsonElement> Conditions => Document.GetProperty("conditions").EnumerateArray();

    /// <summary>A field, whose name has no case.</summary>
    public string Field(string name) => Fields.Single(f => f.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value;

    /// <summary>True when the fields have the signature of this secret key.</summary>
    public bool IsSignedWith(string secret) => SignatureOf(secret, Field("x-amz-credential"), Field("policy")) == Field("x-amz-signature");

    /// <summary>The signature of a policy in Base64.</summary>
    public static string SignatureOf(string secret, string credential, string policy)
    {
        // KEY/20151229/us-east-1/s3/aws4_request
        var key = credential.Split('/')[1..].Aggregate(Encoding.UTF8.GetBytes("AWS4" + secret), (k, part) => HMACSHA256.HashData(k, Encoding.UTF8.GetBytes(part)));
        return Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(policy)));
    }
}
