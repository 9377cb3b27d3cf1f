using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Spotter.Core;
using Spotter.Gateway.Access;
using Spotter.Jobs;

namespace Spotter.Gateway.Compat;

/// <summary>
/// Which job each client sent last. A browser keeps that itself, in a cookie. Of other clients this gateway remembers it while it
/// runs: by their key, or by their address unless a proxy stands between, behind which many have one.
/// </summary>
internal sealed class RecentJobs(RandomSource random)
{
    /// <summary>Clients that are remembered; beyond that the one that was noted first is forgotten.</summary>
    public const int MostClients = 10_000;

    private const string Cookie = "spotter-recent";

    private static readonly TimeSpan CookieLife = TimeSpan.FromDays(7);

    private readonly string salt = random.NextHex(16);
    private readonly Lock gate = new();
    private readonly OrderedDictionary<string, JobId> newest = new(StringComparer.Ordinal);

    /// <summary>Notes a client's newest job, and has it keep the cookie.</summary>
    public void Note(HttpContext http, JobId job)
    {
        http.Response.Cookies.Append(Cookie, job.Value, new CookieOptions { HttpOnly = true, SameSite = SameSiteMode.Strict, MaxAge = CookieLife, IsEssential = true });
        if (NameOf(http) is not { } client)
            return;
        lock (gate)
        {
            // At the end again: who comes often is not forgotten.
            newest.Remove(client);
            if (newest.Count == MostClients)
                newest.RemoveAt(0);
            newest.Add(client, job);
        }
    }

    /// <summary>A client's newest job; null when there is none, or nobody knows.</summary>
    public JobId? Of(HttpContext http)
    {
        if (JobId.TryParse(http.Request.Cookies[Cookie], out var kept))
            return kept;
        if (NameOf(http) is not { } client)
            return null;
        lock (gate)
            return newest.TryGetValue(client, out var job) ? job : null;
    }

    private string? NameOf(HttpContext http)
    {
        if (Caller.Of(http).Key is { } key)
            return $"key {key}";
        var headers = http.Request.Headers;
        if (headers.ContainsKey("X-Forwarded-For") || headers.ContainsKey("Forwarded") || headers.ContainsKey("Via"))
            return null;
        // Not the address itself, which nobody is to find in a memory dump.
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{salt} {http.Connection.RemoteIpAddress}")));
    }
}
