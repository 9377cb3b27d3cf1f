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
        throw new SpotterException(ErrorCodes.Unauthorized, Shown is null
            ? SignedLinks.IsShown(Request) ? "The link has expired, or was made for something else; ask who gave it to you for another."
            : "This service takes requests with a key only; send it as 'Authorization: Bearer KEY' or 'X-API-Key: KEY'."
            : "The key is not known here, or was revoked; ask who runs the service for another.");

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) =>
        throw new SpotterException(
            ErrorCodes.Forbidden, $"The key '{Caller.Of(Context).By}' is not good for this; it needs the scope '{string.Join(", ", ApiKey.NamesOf(Needed?.Scope ?? KeyScopes.Operate))}'.");

    private NeedsKey? Needed => Context.GetEndpoint() is { } call ? NeedsKey.Of(call.Metadata) : null;

    private string? Shown
    {
        get
        {
            var authorization = Request.Headers.Authorization.ToString();
            if (authorization.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase))
                return authorization[Bearer.Length..].Trim();
            var header = Request.Headers[KeyHeader];
            return header.Count == 1 ? header.ToString().Trim() : null;
        }
    }

    private AuthenticateResult Authenticate()
    {
        if (Needed is null)
            return AuthenticateResult.NoResult();
        if (!keys.Closed)
            return Success(Caller.Anonymous(Context));
        // No failure, which would be logged: a stranger could fill the log. The answer says it.
        if (Shown is { Length: <= LongestKey } shown && keys.Find(shown) is { } key)
            return Success(Caller.With(key));
        return links.Opens(Request, Context.GetEndpoint()?.Metadata.GetMetadata<OpensByLink>()) ? Success(Caller.WithLink) : AuthenticateResult.NoResult();
    }

    private AuthenticateResult Success(Caller caller) =>
        AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(new CallerIdentity(caller)), Scheme.Name));
}
