using System.Globalization;
using System.Text.RegularExpressions;
using Npgsql;
using Spotter.Core;

namespace Spotter.Backends.Postgres;

/// <summary>Reads the address of a database. Nothing here ever says the password.</summary>
internal static partial class PostgresAddress
{
    private const string Scheme = "postgres";
    private const string OtherScheme = "postgresql";

    /// <summary>Names in URLs, as libpq knows them, that Npgsql calls otherwise.</summary>
    private static readonly Dictionary<string, string> LibpqNames = new(StringComparer.OrdinalIgnoreCase)
    {
        ["sslmode"] = "SSL Mode",
        ["sslrootcert"] = "Root Certificate",
        ["sslcert"] = "SSL Certificate",
        ["sslkey"] = "SSL Key",
        ["connect_timeout"] = "Timeout",
        ["application_name"] = "Application Name",
        ["options"] = "Options",
        ["host"] = "Host",
        ["port"] = "Port",
        ["user"] = "Username",
        ["password"] = "Password",
        ["dbname"] = "Database",
        ["passfile"] = "Passfile",
    };

    /// <summary>Reads a URL, or pairs of keys and values.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidSettings"/>: it is neither.</exception>
    public static NpgsqlConnectionStringBuilder Parse(string address)
    {
        var text = address.Trim();
        NpgsqlConnectionStringBuilder parsed;
        try
        {
            parsed = text.Contains("://", StringComparison.Ordinal) ? FromUrl(text) : new NpgsqlConnectionStringBuilder(text);
        }
        catch (Exception e) when (e is ArgumentException or FormatException or KeyNotFoundException or InvalidCastException)
        {
            // The cause is kept back: it may repeat a part of what was given, and that may be the password.
            throw Invalid("it can't be read");
        }
        if (string.IsNullOrEmpty(parsed.Host))
            throw Invalid("it names no host");
        // Saying nothing would leave the impression that it is done.
        if (parsed.CheckCertificateRevocation)
            throw Invalid("it asks for revocation to be checked, which would fetch from wherever the server's certificate says");
        return parsed;
    }

    /// <summary>Host, port, database and user: what people may be shown.</summary>
    public static string Describe(NpgsqlConnectionStringBuilder parsed) =>
        string.Create(CultureInfo.InvariantCulture, $"{parsed.Host}:{parsed.Port}/{parsed.Database ?? parsed.Username}");

    /// <summary>Checks the name of a schema, which becomes part of statements.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidSettings"/>.</exception>
    public static string CheckSchema(string schema) =>
        SchemaName().IsMatch(schema)
            ? schema
            : throw new SpotterException(ErrorCodes.InvalidSettings,
                $"'{schema}' can't be the schema of the job store; use up to 40 lower-case letters, digits and underscores, a letter first.");

    private static NpgsqlConnectionStringBuilder FromUrl(string text)
    {
        var url = new Uri(text, UriKind.Absolute);
        if (url.Scheme is not (Scheme or OtherScheme))
            throw new FormatException("not a URL of PostgreSQL");
        var parsed = new NpgsqlConnectionStringBuilder();
        if (url.Host.Length > 0)
            parsed.Host = Uri.UnescapeDataString(url.Host.Trim('[', ']'));
        if (url.Port > 0)
            parsed.Port = url.Port;
        var user = url.UserInfo.Split(':', 2);
        if (user[0].Length > 0)
            parsed.Username = Uri.UnescapeDataString(user[0]);
        if (user.Length > 1)
            parsed.Password = Uri.UnescapeDataString(user[1]);
        if (url.AbsolutePath.Trim('/') is { Length: > 0 } database)
            parsed.Database = Uri.UnescapeDataString(database);
        foreach (var pair in url.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var parts = pair.Split('=', 2);
            var (name, value) = (Uri.UnescapeDataString(parts[0]), Uri.UnescapeDataString(parts.Length > 1 ? parts[1] : ""));
            if (name.Equals("sslmode", StringComparison.OrdinalIgnoreCase))
                value = value.Replace("-", "", StringComparison.Ordinal);
            parsed[LibpqNames.GetValueOrDefault(name, name)] = value;
        }
        return parsed;
    }

    private static SpotterException Invalid(string why) =>
        new(ErrorCodes.InvalidSettings,
            $"The address of the PostgreSQL server is no good: {why}; write it as postgres://user:password@host:5432/database.");

    [GeneratedRegex(@"\A[a-z_][a-z0-9_]{0,39}\z", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex SchemaName();
}
