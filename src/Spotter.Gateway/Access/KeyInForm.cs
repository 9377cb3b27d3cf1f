using System.Security.Claims;
using Microsoft.AspNetCore.Http;
using Spotter.Core;

namespace Spotter.Gateway.Access;

/// <summary>
/// Marks a call whose key may also come as a field of its form, as some protocols send it. Anybody gets to such a call
/// (<c>AllowAnonymous()</c>); it has <see cref="FormKeys"/> say who calls, before it does anything for them.
/// </summary>
/// <param name="Needed">What the key has to be good for.</param>
internal sealed record KeyInForm(NeedsKey Needed);

/// <summary>Knows callers by keys that come in forms.</summary>
/// <param name="keys">The keys that are good.</param>
internal sealed class FormKeys(KeyRing keys)
{
    /// <summary>True while it isn't known who calls: there are keys, and the headers show none. A header that shows a wrong one is refused.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.Unauthorized"/>.</exception>
    public static bool IsUnknown(HttpContext http)
    {
        if (Caller.Find(http) is not null)
            return false;
        return ApiKeyHandler.ShownBy(http.Request) is null ? true : throw ApiKeyHandler.Unknown();
    }

    /// <summary>From now on the owner of this key is who calls.</summary>
    /// <param name="http">The call.</param>
    /// <param name="shown">The key; null when none was sent.</param>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.Unauthorized"/>: it is none that is known.</exception>
    public void Identify(HttpContext http, string? shown)
    {
        if (string.IsNullOrEmpty(shown))
            throw new SpotterException(ErrorCodes.Unauthorized, "This service takes requests with a key only; send it as the field 'api_key', or as the header 'X-API-Key: KEY'.");
        var key = ApiKeyHandler.Find(keys, shown) ?? throw ApiKeyHandler.Unknown();
        http.User = new ClaimsPrincipal(new CallerIdentity(Caller.With(key)));
    }

    /// <summary>Refuses a caller whose key is not good for the call.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.Forbidden"/>.</exception>
    public static void Demand(HttpContext http)
    {
        var needed = http.GetEndpoint()!.Metadata.GetRequiredMetadata<KeyInForm>().Needed;
        if (!Caller.Of(http).Scopes.HasFlag(needed.Scope))
            throw ApiKeyHandler.Forbidden(http, needed);
    }
}
