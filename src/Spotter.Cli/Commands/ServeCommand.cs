using System.CommandLine;
using Spotter.Cli.Serve;
using Spotter.Core;
using Spotter.Gateway.Webhooks;

namespace Spotter.Cli.Commands;

/// <summary><c>serve</c> and <c>gateway</c>: the service on one machine, with its own workers or for workers elsewhere.</summary>
internal static class ServeCommand
{
    private static readonly Option<string> Host = new("--host")
    {
        HelpName = "ADDRESS",
        Description = "Address to listen on. Default: 127.0.0.1, this machine only.",
        DefaultValueFactory = _ => "127.0.0.1",
    };

    private static readonly Option<string[]> AllowHost = new("--allow-host")
    {
        HelpName = "NAME",
        Description = "A name by which a proxy on this machine calls the service; may be repeated. Default: this machine's own names only.",
    };

    private static readonly Option<int> Port = NumberOption.Whole("--port", 8080, 0, 65535, "Port to listen on; 0 for any free one. Default: 8080.");

    private static readonly Option<string?> Data = new("--data")
    {
        HelpName = "DIR",
        Description = "Where jobs and pictures are kept. Default: `data`, or what SPOTTER__DATA says.",
    };

    private static readonly Option<string[]> Models = new("--model")
    {
        HelpName = "NAME|FILE",
        Description = "A model to load; may be repeated, the first is the default one. Default: all that `spotter models list` shows.",
    };

    private static readonly Option<string?> TokenFile = new("--token-file")
    {
        HelpName = "FILE",
        Description = $"File with the secret by which workers are known. Default: what {WorkerToken.Variable} says, else a new one.",
    };

    private static readonly Option<string?> Keys = new("--keys")
    {
        HelpName = "FILE",
        Description = "File of the API keys, as `spotter keys` makes it; with it nobody gets in without a key. Default: keys.json in the data folder, if it is there.",
    };

    private static readonly Option<int> MaxQueued = NumberOption.Whole("--max-queued", 50_000, 1, 100_000_000, "Waiting jobs beyond which new ones are refused. Default: 50000.");

    private static readonly Option<int> MaxQueueAge = NumberOption.Whole("--max-queue-age", 900, 1, 604_800, "Seconds that the oldest job may have waited before new ones are refused. Default: 900.");

    private static readonly Option<int> ClientRate = NumberOption.Whole("--client-rate", 10, 0, 1_000_000, "Submissions a second that one client (a key; without keys, an address) may make, five times that at once; 0 for no limit. Default: 10.");

    private static readonly Option<bool> NoReuse = new("--no-reuse")
    {
        Description = "Run every job, also when the result of the same picture, model and options is stored.",
    };

    private static readonly Option<string[]> CallbackAllow = new("--callback-allow")
    {
        HelpName = "HOST[:PORT]",
        Description = "An endpoint that webhooks may go to besides public ones over https: a name, *.SUFFIX, an address or a network as 10.0.0.0/8; may be repeated.",
    };

    public static Command Create()
    {
        var command = new Command("serve", "Run everything on this machine: page, API, queue and as many workers as the backlog needs.")
        {
            Host, AllowHost, Port, Data, Models, TokenFile, Keys, MaxQueued, MaxQueueAge, ClientRate, NoReuse, CallbackAllow,
        };
        BackendOptions.AddTo(command);
        BlobOptions.AddTo(command);
        KeepOptions.AddTo(command);
        ScaleOptions.AddTo(command);
        PoolOptions.AddTo(command);
        command.SetAction(parsed => new Service(Common(parsed) with { Pools = PoolOptions.Read(parsed, ScaleOptions.Read(parsed)) }).RunAsync());
        return command;
    }

    public static Command CreateGateway()
    {
        var command = new Command("gateway", "Run page, API and queue, for workers that join over HTTP.")
        {
            Host, AllowHost, Port, Data, Models, TokenFile, Keys, MaxQueued, MaxQueueAge, ClientRate, NoReuse, CallbackAllow,
        };
        BackendOptions.AddTo(command);
        BlobOptions.AddTo(command);
        KeepOptions.AddTo(command);
        command.SetAction(parsed =>
        {
            var settings = Common(parsed);
            return settings.WorkerToken is null
                ? throw new SpotterException(ErrorCodes.InvalidSettings,
                    $"A gateway needs the secret that its workers show; give it with --token-file FILE or {WorkerToken.Variable}.")
                : new Service(settings).RunAsync();
        });
        return command;
    }

    private static ServeSettings Common(ParseResult parsed) => BackendOptions.Read(parsed, BlobOptions.Read(parsed, new()
    {
        Host = parsed.GetRequiredValue(Host),
        AllowedHosts = parsed.GetValue(AllowHost) ?? [],
        Port = parsed.GetValue(Port),
        DataFolder = SpotterPaths.DataFolder(parsed.GetValue(Data)),
        Models = parsed.GetValue(Models) ?? [],
        WorkerToken = WorkerToken.Read(parsed.GetValue(TokenFile)),
        Leases = KeepOptions.Read(parsed, LeaseVariables.Read()),
        KeysFile = parsed.GetValue(Keys) is { } keys ? Existing(keys) : null,
        MaxQueued = parsed.GetValue(MaxQueued),
        MaxQueueAge = TimeSpan.FromSeconds(parsed.GetValue(MaxQueueAge)),
        ClientRate = parsed.GetValue(ClientRate),
        Reuse = !parsed.GetValue(NoReuse),
        Webhooks = WebhookVariables.Read() with { Allowed = [.. (parsed.GetValue(CallbackAllow) ?? []).Select(CallbackAllowance.Parse)] },
    }));

    /// <summary>A name with a mistake in it must not open the service to everybody.</summary>
    private static string Existing(string keys) => File.Exists(keys)
        ? Path.GetFullPath(keys)
        : throw new SpotterException(ErrorCodes.InvalidSettings, $"There is no key file {keys}; make one with `spotter keys add NAME --keys {keys}`.");
}
