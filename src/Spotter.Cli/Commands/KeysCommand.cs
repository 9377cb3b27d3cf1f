using System.CommandLine;
using System.Globalization;
using Spotter.Cli.Settings;
using Spotter.Core;
using Spotter.Gateway.Access;

namespace Spotter.Cli.Commands;

/// <summary><c>keys</c>: who may use the service. Works on the file of the keys, so the service need not run; one that runs notices.</summary>
internal static class KeysCommand
{
    private const KeyScopes UsualScopes = KeyScopes.Submit | KeyScopes.Read;

    private static readonly Argument<string> Name = new("NAME") { Description = "The key's name: letters, digits, '-', '_' and '.'." };

    private static readonly DefaultOption<string> Tenant = new(
        "--tenant", "default", "`default`", "Whose key it is: it sees this tenant's jobs only; * for all tenants.")
    {
        HelpName = "TENANT",
    };

    private static readonly DefaultOption<KeyScopes> Scopes = new(
        "--scopes", UsualScopes, "submit,read", "What it is good for, with commas between: submit (and cancel), read, operate (see all tenants, metrics, scaling).")
    {
        HelpName = "LIST",
        CustomParser = result =>
        {
            var scopes = KeyScopes.None;
            foreach (var name in result.Tokens[0].Value.Split(',', StringSplitOptions.TrimEntries))
            {
                if (ApiKey.ScopeOf(name) is { } scope)
                    scopes |= scope;
                else
                    result.AddError($"--scopes takes submit, read and operate with commas between, not '{name}'.");
            }
            return scopes;
        },
    };

    private static readonly Option<string?> Keys = new("--keys")
    {
        HelpName = "FILE",
        Description = "The file of the keys. Default: keys.json in the data folder.",
    };

    private static readonly Option<string?> Data = DataOption.For("where the keys are");

    private static readonly Option<bool> Json = new("--json") { Description = "Print one JSON object per key." };

    public static Command Create() => new("keys", "Make, list and revoke the API keys of a service.") { CreateAdd(), CreateList(), CreateRevoke() };

    private static Command CreateAdd()
    {
        var command = new Command("add", "Make a key, and print it: it is shown this once, and kept as a hash.") { Name, Tenant, Scopes, Keys, Data, Json };
        command.SetAction(async (parsed, cancel) =>
        {
            var (kept, key) = ApiKey.Make(
                parsed.GetRequiredValue(Name), Tenant.Of(parsed), Scopes.Of(parsed), RandomSource.System, TimeProvider.System.GetUtcNow());
            var file = FileOf(parsed, isMade: true);
            await file.AddAsync(kept, TimeProvider.System, cancel);
            if (parsed.GetValue(Json))
                JsonLines.Write(new KeyListing(kept.Name, kept.Tenant, ApiKey.NamesOf(kept.Scopes), kept.Created, key));
            else
                Console.Out.WriteLine(key);
            StandardError.Complain($"this key is shown once; {file.Path} holds its hash only.");
            return ExitStatus.Done;
        });
        return command;
    }

    private static Command CreateList()
    {
        var command = new Command("list", "Show the keys that are good.") { Keys, Data, Json };
        command.SetAction(parsed =>
        {
            var keys = FileOf(parsed).Read() ?? [];
            if (parsed.GetValue(Json))
            {
                foreach (var key in keys)
                    JsonLines.Write(new KeyListing(key.Name, key.Tenant, ApiKey.NamesOf(key.Scopes), key.Created));
                return ExitStatus.Done;
            }
            if (keys.Count == 0)
            {
                Console.Out.WriteLine("There is no key, so the service takes requests without one. Make the first with `spotter keys add NAME`.");
                return ExitStatus.Done;
            }
            var table = new TextTable("name", "tenant", "scopes", "created");
            foreach (var key in keys)
                table.Add(key.Name, key.Tenant, string.Join(',', ApiKey.NamesOf(key.Scopes)), key.Created.ToString("u", CultureInfo.InvariantCulture));
            Console.Out.Write(table);
            return ExitStatus.Done;
        });
        return command;
    }

    private static Command CreateRevoke()
    {
        var command = new Command("revoke", "Take a key back; a running service turns it away within a second or two.") { Name, Keys, Data };
        command.SetAction(async (parsed, cancel) =>
        {
            await FileOf(parsed).RevokeAsync(parsed.GetRequiredValue(Name), TimeProvider.System, cancel);
            return ExitStatus.Done;
        });
        return command;
    }

    /// <summary>The file that <c>--keys</c> and <c>--data</c> mean.</summary>
    private static KeyFile FileOf(ParseResult parsed, bool isMade = false)
    {
        if ((parsed.GetValue(Keys) ?? SettingSources.Open().Get(GatewaySection.Keys)) is { } named)
        {
            var file = Path.GetFullPath(named);
            return isMade || File.Exists(file) ? new(file) : throw new SpotterException(ErrorCodes.NotFound, $"There is no key file {file}; correct the name, or make it with `spotter keys add NAME`.");
        }
        var data = parsed.GetValue(Data);
        return new(Path.Combine(isMade ? GatewaySection.DataFolderOf(data) : GatewaySection.ExistingDataFolderOf(data), KeyFile.DefaultName));
    }
}

/// <summary>A key as <c>--json</c> prints it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Tenant">Whose it is.</param>
/// <param name="Scopes">What it is good for.</param>
/// <param name="Created">When it was made.</param>
/// <param name="Key">The key itself, when it was just made; null later.</param>
internal sealed record KeyListing(
    string Name, string Tenant, IReadOnlyList<string> Scopes, DateTimeOffset Created,
    [property: System.Text.Json.Serialization.JsonIgnore(Condition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull)] string? Key = null);
