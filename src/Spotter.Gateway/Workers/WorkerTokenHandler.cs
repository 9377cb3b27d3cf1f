using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Spotter.Core;

namespace Spotter.Gateway.Workers;

/// <summary>Knows workers by the token that all of a gateway share.</summary>
internal sealed class WorkerTokenHandler(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory loggers, GatewaySettings settings)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, UrlEncoder.Default)
{
    /// <summary>The name of the scheme.</summary>
    public const string SchemeName = "worker";

    private const int LongestName = 64;

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var (shown, known) = (Encoding.UTF8.GetBytes(Request.Headers.Authorization.ToString()), Encoding.UTF8.GetBytes("Bearer " + settings.WorkerToken));
        if (!CryptographicOperations.FixedTimeEquals(shown, known))
            return Task.FromResult(AuthenticateResult.NoResult());
        var name = (string?)Request.RouteValues["worker"] ?? "";
        if (name.Length is 0 or > LongestName || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'))
            throw new SpotterException(ErrorCodes.InvalidRequest, $"A worker's name is 1 to {LongestName} letters, digits, '-', '_' and '.'.");
        var worker = new ClaimsPrincipal(new ClaimsIdentity([new Claim(ClaimTypes.Name, name)], Scheme.Name));
        return Task.FromResult(AuthenticateResult.Success(new AuthenticationTicket(worker, Scheme.Name)));
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties) =>
        throw new SpotterException(ErrorCodes.Unauthorized, "The worker token is missing or wrong; pass the gateway's with --token-file or SPOTTER__WORKER__TOKEN.");
}
