using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Serialization;
using Spotter.Core;

namespace Spotter.Gateway.Access;

/// <summary>What a key is good for.</summary>
[Flags]
public enum KeyScopes
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Submit pictures, cancel and redrive the tenant's jobs.</summary>
    Submit = 1,

    /// <summary>See the tenant's jobs and pictures.</summary>
    Read = 2,

    /// <summary>Run the service: see all tenants' jobs, metrics and scaling decisions.</summary>
    Operate = 4,
}

/// <summary>A key as it is kept: everything but the key itself.</summary>
/// <param name="Name">Its name, by which it is listed and revoked, and which jobs carry.</param>
/// <param name="Tenant">Whose it is: it sees this tenant's jobs only; <see cref="AllTenants"/> for all.</param>
/// <param name="Scopes">What it is good for.</param>
/// <param name="Hash">SHA-256 of the key, as hexadecimal digits. A key has 256 random bits, so nothing slower is needed.</param>
/// <param name="Created">When it was made.</param>
public sealed record ApiKey(string Name, string Tenant, [property: JsonConverter(typeof(KeyScopesConverter))] KeyScopes Scopes, string Hash, DateTimeOffset Created)
{
    /// <summary>The tenant of keys that see everybody's jobs.</summary>
    public const string AllTenants = "*";

    /// <summary>How a key begins, so that one that got lost is recognised.</summary>
    public const string Prefix = "sk_";

    private const int SecretBytes = 32;
    private const int LongestName = 64;

    /// <summary>Makes a key.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="tenant">Whose it is.</param>
    /// <param name="scopes">What it is good for.</param>
    /// <param name="random">Where its bits come from.</param>
    /// <param name="now">The time.</param>
    /// <returns>What is kept, and the key itself, which is not.</returns>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidRequest"/>: a name that can't be one, or no scope.</exception>
    public static (ApiKey Kept, string Key) Make(string name, string tenant, KeyScopes scopes, RandomSource random, DateTimeOffset now)
    {
        Span<byte> secret = stackalloc byte[SecretBytes];
        random.Fill(secret);
        var key = Prefix + Base64Url.EncodeToString(secret);
        var kept = new ApiKey(name, tenant, scopes, Convert.ToHexStringLower(HashOf(key)), now);
        return kept.Flaw is { } flaw ? throw new SpotterException(ErrorCodes.InvalidRequest, flaw) : (kept, key);
    }

    /// <summary>The hash of a key that someone shows.</summary>
    public static byte[] HashOf(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));

    /// <summary>The scope of this name; null if there is none.</summary>
    public static KeyScopes? ScopeOf(string name) => KeyScopesConverter.ScopeOf(name);

    /// <summary>The names of scopes.</summary>
    public static IReadOnlyList<string> NamesOf(KeyScopes scopes) =>
        [.. KeyScopesConverter.Names.Where(n => scopes.HasFlag(n.Scope)).Select(n => n.Name)];

    /// <summary>What keeps this from being a key; null when it is one.</summary>
    [JsonIgnore]
    internal string? Flaw =>
        !IsName(Name) ? $"A key's name is 1 to {LongestName} letters, digits, '-', '_' and '.'."
        : Tenant != AllTenants && !IsName(Tenant) ? $"A tenant's name is 1 to {LongestName} letters, digits, '-', '_' and '.', or {AllTenants} for all tenants."
        : Scopes == KeyScopes.None ? $"The key '{Name}' has no scope; there is submit, read and operate."
        : Hash is not { Length: SecretBytes * 2 } || !Hash.All(char.IsAsciiHexDigitLower) ? $"The hash of the key '{Name}' is not 64 hexadecimal digits."
        : null;

    private static bool IsName(string? name) =>
        name is { Length: > 0 and <= LongestName } && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');
}
