using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Spotter.Core;

namespace Spotter.Gateway.Access;

/// <summary>
/// Says what scope a key needs to make a call. A call that says nothing needs <see cref="ToOperate"/>; one that anybody may
/// make says <c>AllowAnonymous()</c>.
/// </summary>
/// <param name="Scope">The scope; none for any key.</param>
public sealed record NeedsKey(KeyScopes Scope)
{
    /// <summary>To submit, cancel and redrive jobs.</summary>
    public static readonly NeedsKey ToSubmit = new(KeyScopes.Submit);

    /// <summary>To read the tenant's jobs and pictures.</summary>
    public static readonly NeedsKey ToRead = new(KeyScopes.Read);

    /// <summary>To see all tenants' jobs and how the service is run.</summary>
    public static readonly NeedsKey ToOperate = new(KeyScopes.Operate);

    /// <summary>Any key that is known.</summary>
    public static readonly NeedsKey OfAnyKind = new(KeyScopes.None);

    /// <summary>What a call needs; null when anybody may make it.</summary>
    internal static NeedsKey? Of(IEnumerable<object> metadata) =>
        metadata.OfType<IAllowAnonymous>().Any() ? null : metadata.OfType<NeedsKey>().LastOrDefault();
}

/// <summary>Finds out who makes a request, and turns away who may not: before its body is read.</summary>
internal sealed class KeyGuard(KeyRing keys)
{
    private const string Bearer = "Bearer ";
    private const string KeyHeader = "X-API-Key";

    // What is longer is no key, and not worth hashing.
    private const int LongestKey = 256;

    /// <summary>Notes the caller of calls that ask for one; nobody, when a key is needed and none that is good was shown.</summary>
    public Task IdentifyAsync(HttpContext http, RequestDelegate next)
    {
        if (http.GetEndpoint() is { } call && NeedsKey.Of(call.Metadata) is not null)
            Identify(http)?.NoteIn(http);
        return next(http);
    }

    /// <summary>Turns away who may not make the call.</summary>
    public static Task CheckAsync(HttpContext http, RequestDelegate next)
    {
        if (http.GetEndpoint() is not { } call || NeedsKey.Of(call.Metadata) is not { } needed)
            return next(http);
        if (Caller.Find(http) is not { } caller)
        {
            throw new SpotterException(ErrorCodes.Unauthorized, ShownIn(http.Request) is null
                ? "This service takes requests with a key only; send it as 'Authorization: Bearer KEY' or 'X-API-Key: KEY'."
                : "The key is not known here, or was revoked; ask who runs the service for another.");
        }
        if (!caller.Scopes.HasFlag(needed.Scope))
            throw new SpotterException(ErrorCodes.Forbidden, $"The key '{caller.By}' is not good for this; it needs the scope '{Name(needed.Scope)}'.");
        return next(http);
    }

    private Caller? Identify(HttpContext http)
    {
        if (!keys.Closed)
            return Caller.Anonymous(http);
        return ShownIn(http.Request) is { Length: <= LongestKey } shown && keys.Find(shown) is { } key ? Caller.With(key) : null;
    }

    private static string? ShownIn(HttpRequest request)
    {
        var authorization = request.Headers.Authorization.ToString();
        if (authorization.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase))
            return authorization[Bearer.Length..].Trim();
        var header = request.Headers[KeyHeader];
        return header.Count == 1 ? header.ToString().Trim() : null;
    }

    private static string Name(KeyScopes scope) => KeyScopesConverter.Names.First(n => n.Scope == scope).Name;
}
