using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Spotter.Core;

namespace Spotter.Gateway.Access;

/// <summary>
/// Knows callers by their API key, or by a signed link to the one job that they ask for; without keys, everybody is somebody who may
/// do everything.
/// </summary>
internal sealed class ApiKeyHandler(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory loggers, KeyRing keys, SignedLinks links)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, UrlEncoder.Default)
{
    /// <summary>The name of the scheme.</summary>
    public const string SchemeName = "key";

    private const string Bearer = "Bearer ";
    private const string KeyHeader = "X-API-Key";

    // What is longer is no key, and not worth hashing.
    private const int LongestKey = 256;

    protected override Task<AuthenticateResult> HandleAuthenticateAsync() => Task.FromResult(Authenticate());

    protected override Task HandleChallengeAsync(AuthenticationProperties properties) =>
        throw (ShownBy(Request) is null
            ? new SpotterException(ErrorCodes.Unauthorized, SignedLinks.IsShown(Request)
                ? "The link has expired, or was made for something else; ask who gave it to you for another."
                : "This service takes requests with a key only; send it as 'Authorization: Bearer KEY' or 'X-API-Key: KEY'.")
            : Unknown());

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) => throw Forbidden(Context, Needed ?? NeedsKey.ToOperate);

    /// <summary>The key that the headers of a request show; null when they show none.</summary>
    internal static string? ShownBy(HttpRequest request)
    {
        var authorization = request.Headers.Authorization.ToString();
        if (authorization.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase))
            return authorization[Bearer.Length..].Trim();
        var header = request.Headers[KeyHeader];
        return header.Count == 1 ? header.ToString().Trim() : null;
    }

    /// <summary>The key that somebody shows; null when it is none that is good.</summary>
    internal static ApiKey? Find(KeyRing keys, string shown) => shown.Length <= LongestKey ? keys.Find(shown) : null;

    /// <summary>The refusal of a key that is none.</summary>
    internal static SpotterException Unknown() => new(ErrorCodes.Unauthorized, "The key is not known here, or was revoked; ask who runs the service for another.");

    /// <summary>The refusal of a key that is not good for a call.</summary>
    internal static SpotterException Forbidden(HttpContext http, NeedsKey needed) => new(
        ErrorCodes.Forbidden, $"The key '{Caller.Of(http).By}' is not good for this; it needs the scope '{string.Join(", ", ApiKey.NamesOf(needed.Scope))}'.");

    private NeedsKey? Needed => Context.GetEndpoint() is { } call ? NeedsKey.Of(call.Metadata) : null;

    private AuthenticateResult Authenticate()
    {
        if (Needed is null && Context.GetEndpoint()?.Metadata.GetMetadata<KeyInForm>() is null)
            return AuthenticateResult.NoResult();
        if (!keys.Closed)
            return Success(Caller.Anonymous(Context));
        // No failure, which would be logged: a stranger could fill the log. The answer says it.
        if (ShownBy(Request) is { } shown && Find(keys, shown) is { } key)
            return Success(Caller.With(key));
        return links.Opens(Request, Context.GetEndpoint()?.Metadata.GetMetadata<OpensByLink>()) ? Success(Caller.WithLink) : AuthenticateResult.NoResult();
    }

    private AuthenticateResult Success(Caller caller) =>
        AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(new CallerIdentity(caller)), Scheme.Name));
}
