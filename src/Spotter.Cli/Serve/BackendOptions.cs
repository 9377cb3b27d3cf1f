using System.CommandLine;
using Spotter.Core;

namespace Spotter.Cli.Serve;

/// <summary>The options that say where jobs are kept.</summary>
internal static class BackendOptions
{
    private const string Local = "local";
    private const string Postgres = "postgres";
    private const string KindVariable = "SPOTTER__BACKEND";
    private const string AddressVariable = "SPOTTER__POSTGRES";
    private const string SchemaVariable = "SPOTTER__POSTGRES__SCHEMA";

    private static readonly Option<string?> Kind = new("--backend")
    {
        HelpName = "KIND",
        Description = $"Where jobs are kept: `local`, in the data folder, for one gateway; or `postgres`, for any number. Default: what {KindVariable} says, else local.",
    };

    private static readonly Option<string?> Address = new("--postgres")
    {
        HelpName = "URL",
        Description = $"The PostgreSQL server, as postgres://user:password@host:5432/database. Default: what {AddressVariable} says, where nobody else sees the password.",
    };

    private static readonly Option<string?> AddressFile = new("--postgres-file")
    {
        HelpName = "FILE",
        Description = "File with that address.",
    };

    private static readonly Option<string?> Schema = new("--postgres-schema")
    {
        HelpName = "NAME",
        Description = $"The schema for the tables; several deployments may share a database. Default: what {SchemaVariable} says, else spotter.",
    };

    /// <summary>Adds them to a command.</summary>
    public static void AddTo(Command command)
    {
        command.Add(Kind);
        command.Add(Address);
        command.Add(AddressFile);
        command.Add(Schema);
    }

    /// <summary>The settings with what was asked for.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidSettings"/>: the options don't go together.</exception>
    public static ServeSettings Read(ParseResult parsed, ServeSettings settings)
    {
        var kind = parsed.GetValue(Kind) ?? Variable(KindVariable) ?? Local;
        if (kind is not (Local or Postgres))
            throw new SpotterException(ErrorCodes.InvalidSettings, $"There is no backend '{kind}'; choose one of: {Local}, {Postgres}.");
        var given = (parsed.GetValue(Address), parsed.GetValue(AddressFile));
        if (kind == Local && given != (null, null))
            throw new SpotterException(ErrorCodes.InvalidSettings, $"A PostgreSQL server is named, but jobs are kept locally; add --backend {Postgres}.");
        if (kind == Local)
            return settings;
        var address = given switch
        {
            (not null, not null) => throw new SpotterException(ErrorCodes.InvalidSettings, "Give the PostgreSQL server with --postgres or with --postgres-file, not with both."),
            (null, { } file) => ReadFile(file),
            ({ } url, null) => url,
            _ => Variable(AddressVariable),
        };
        return settings with { Backend = kind, Postgres = address, PostgresSchema = parsed.GetValue(Schema) ?? Variable(SchemaVariable) };
    }

    private static string ReadFile(string file)
    {
        try
        {
            return File.ReadAllText(file).Trim();
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new SpotterException(ErrorCodes.InvalidSettings, $"The file {file} with the PostgreSQL server's address can't be read: {unreadable.Message}", unreadable);
        }
    }

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}
