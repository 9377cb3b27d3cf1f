using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Gateway.Access;

/// <summary>What turns the addresses of one job's calls into links that open without a key.</summary>
/// <param name="Query">To stand behind each address, with its question mark.</param>
/// <param name="Expires">Until when they open.</param>
internal sealed record SignedQuery(string Query, DateTimeOffset Expires);

/// <summary>
/// Says of a call that it opens by a signed link of the job that it names, besides by a key. It only reads, and names no other
/// job.
/// </summary>
/// <param name="JobOf">The job that a request names.</param>
internal sealed record OpensByLink(Func<HttpRequest, string?> JobOf)
{
    /// <summary>For calls whose address has the job's id.</summary>
    public static readonly OpensByLink OfPath = new(request => request.RouteValues["id"] as string);
}

/// <summary>
/// Signs links to one job (HMAC-SHA-256 over its address and the end of the link's life), for whoever is to see that job and has no
/// key. The secret is made from the one that signs webhooks, which all gateways of a store have.
/// </summary>
internal sealed class SignedLinks(GatewaySettings settings, TimeProvider time)
{
    // No endpoint of a webhook is called so: those have a scheme.
    private const string Purpose = "links";
    private const string Expires = "expires";
    private const string Signature = "signature";

    /// <summary>The links of a job.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.UnsupportedOption"/>: there is no secret.</exception>
    public SignedQuery Sign(JobId job)
    {
        if (settings.Webhooks.Secrets is not [var newest, ..])
            throw new SpotterException(ErrorCodes.UnsupportedOption, "This deployment has no secret to sign links with; ask who runs it for a key.");
        var expires = DateTimeOffset.FromUnixTimeSeconds((time.GetUtcNow() + settings.LinkLife).ToUnixTimeSeconds());
        var text = expires.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        return new SignedQuery($"?{Expires}={text}&{Signature}={Base64Url.EncodeToString(newest.For(Purpose).Sign(Text(job, text)))}", expires);
    }

    /// <summary>True for a request that shows a link, good or not.</summary>
    public static bool IsShown(HttpRequest request) => request.Query.ContainsKey(Signature);

    /// <summary>True for a request with a link that opens this call for the job that it names.</summary>
    public bool Opens(HttpRequest request, OpensByLink? call)
    {
        if (call is null || !HttpMethods.IsGet(request.Method) || request.Query[Signature] is not [{ } shown] || request.Query[Expires] is not [{ } expires])
            return false;
        // The whole id, since only that was signed.
        if (!JobId.TryParse(call.JobOf(request), out var job)
            || !long.TryParse(expires, NumberStyles.None, CultureInfo.InvariantCulture, out var end) || end < time.GetUtcNow().ToUnixTimeSeconds())
            return false;
        Span<byte> signature = stackalloc byte[HMACSHA256.HashSizeInBytes];
        if (!Base64Url.IsValid(shown) || !Base64Url.TryDecodeFromChars(shown, signature, out var length) || length != signature.Length)
            return false;
        var isGood = false;
        foreach (var secret in settings.Webhooks.Secrets)
            isGood |= CryptographicOperations.FixedTimeEquals(secret.For(Purpose).Sign(Text(job, expires)), signature);
        return isGood;
    }

    private static byte[] Text(JobId job, string expires) => Encoding.UTF8.GetBytes($"/v1/jobs/{job.Value}\n{expires}");
}
