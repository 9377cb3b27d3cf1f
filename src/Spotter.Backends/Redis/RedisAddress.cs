using System.Globalization;
using System.Net;
using System.Net.Security;
using Spotter.Core;
using StackExchange.Redis;

namespace Spotter.Backends.Redis;

/// <summary>Reads the address of a Redis server. Nothing here ever says the password.</summary>
internal static class RedisAddress
{
    private const string Scheme = "redis";
    private const string SecureScheme = "rediss";
    private const int Port = 6379;

    private static readonly TimeSpan ConnectWithin = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan ReconnectAfter = TimeSpan.FromMilliseconds(500);

    /// <summary>Reads <c>redis://user:password@host:port/database</c>, or <c>rediss://…</c> for TLS.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidSettings"/>: it is none.</exception>
    public static ConfigurationOptions Parse(string address)
    {
        if (!Uri.TryCreate(address.Trim(), UriKind.Absolute, out var url) || url.Scheme is not (Scheme or SecureScheme))
            throw Invalid("it can't be read");
        if (url.Host.Length == 0)
            throw Invalid("it names no host");
        if (url.Query.Length > 0 || url.Fragment.Length > 0)
            throw Invalid("nothing may come after the number of the database; write '?' and '#' in a password as %3F and %23");
        var database = 0;
        if (url.AbsolutePath.Trim('/') is { Length: > 0 } number && !int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out database))
            throw Invalid("what comes after the host is the number of a database, as in /0");
        var host = url.Host.Trim('[', ']');
        var options = new ConfigurationOptions
        {
            DefaultDatabase = database,
            ClientName = "spotter",
            AbortOnConnectFail = false,
            ConnectTimeout = (int)ConnectWithin.TotalMilliseconds,
            AsyncTimeout = (int)AnswerWithin.TotalMilliseconds,
            SyncTimeout = (int)AnswerWithin.TotalMilliseconds,
            ReconnectRetryPolicy = new LinearRetry((int)ReconnectAfter.TotalMilliseconds),
            // Whoever asks hears at once that it is away: it is asked again anyway, and then the rows may say otherwise.
            BacklogPolicy = BacklogPolicy.FailFast,
            TieBreaker = "",
            ConfigurationChannel = "",
            IncludeDetailInExceptions = false,
        };
        options.EndPoints.Add(host, url.Port > 0 ? url.Port : Port);
        var user = url.UserInfo.Split(':', 2);
        if (user[0].Length > 0)
            options.User = Uri.UnescapeDataString(user[0]);
        if (user.Length > 1)
            options.Password = Uri.UnescapeDataString(user[1]);
        if (url.Scheme == SecureScheme)
        {
            options.Ssl = true;
            options.SslClientAuthenticationOptions = target => TlsOf(target.Length > 0 ? target : host);
        }
        return options;
    }

    /// <summary>Host, port and database: what people may be shown.</summary>
    public static string Describe(ConfigurationOptions parsed) => string.Create(
        CultureInfo.InvariantCulture,
        $"{(parsed.EndPoints[0] is DnsEndPoint name ? $"{name.Host}:{name.Port}" : parsed.EndPoints[0].ToString())}/{parsed.DefaultDatabase}");

    private static SslClientAuthenticationOptions TlsOf(string host)
    {
#pragma warning disable RS0030 // Kept to its server in the next line.
        var tls = new SslClientAuthenticationOptions { TargetHost = host };
#pragma warning restore RS0030
        Outgoing.KeepToServer(tls);
        return tls;
    }

    private static SpotterException Invalid(string why) =>
        new(ErrorCodes.InvalidSettings, $"The address of the Redis server is no good: {why}; write it as redis://:password@host:6379/0, or rediss://… for TLS.");
}
