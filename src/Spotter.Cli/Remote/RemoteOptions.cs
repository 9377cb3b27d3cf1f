using System.CommandLine;
using Spotter.Cli.Settings;
using Spotter.Core;
using Spotter.Core.Files;

namespace Spotter.Cli.Remote;

/// <summary>The options of commands that talk to a running service.</summary>
internal static class RemoteOptions
{
    private static readonly Uri Nearby = new("http://127.0.0.1:8080");

    /// <summary>The environment variable that may hold the API key.</summary>
    public const string KeyVariable = "SPOTTER__KEY";

    /// <summary>Where the service is; see <see cref="Find"/>.</summary>
    public static readonly Option<Uri?> Url = new(RemoteSection.Url.Flag!)
    {
        HelpName = RemoteSection.Url.ValueName,
        Description = $"The service, as http://host:8080. Default: what {RemoteSection.Url.Variable} or {SettingSources.FileName} says, else where the service of the data folder listens, else {Nearby}.",
        CustomParser = result =>
        {
            var given = result.Tokens[0].Value;
            if (RemoteSection.Url.Accepts(given))
                return new Uri(given);
            result.AddError($"{RemoteSection.Url.Flag} takes {RemoteSection.Url.Words}, not {given}.");
            return null;
        },
    };

    /// <summary>The data folder of the service, which says where it listens.</summary>
    public static readonly Option<string?> Data = DataOption.For("where a running service has noted its address");

    /// <summary>A file with the API key: never an argument, since those can be seen by everyone.</summary>
    public static readonly Option<string?> KeyFile = new("--key-file")
    {
        HelpName = "FILE",
        Description = $"File with an API key of the service. Default: what {KeyVariable} says, else none.",
    };

    /// <summary>
    /// Which service is meant, for every command alike: the one that is typed (<c>--url</c>, or the one that runs on
    /// <c>--data</c>), else that of the environment or the file, else the one that runs on the data folder; null when none of
    /// these says any.
    /// </summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidSettings"/>: one of them says nonsense.</exception>
    public static ServiceTarget? Find(ParseResult parsed)
    {
        if (parsed.GetValue(Url) is { } typed)
            return new(typed);
        if (parsed.GetValue(Data) is { } folder)
            return Noted(GatewaySection.ExistingDataFolderOf(folder));
        var settings = SettingSources.Open();
        var told = settings.Get(RemoteSection.Url);
        settings.ThrowIfWrong();
        var named = SettingSources.OpenNamed();
        return told is null
            ? Noted(GatewaySection.DataFolder(settings)) is { } noted ? noted with { IsFound = named.Get(GatewaySection.Data) != settings.Get(GatewaySection.Data) } : null
            : new(new Uri(told)) { From = settings.NameOf(RemoteSection.Url), IsFound = named.Get(RemoteSection.Url) != told };
    }

    /// <summary>A client of the service that is meant, the one on this machine if none is named.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="connections">Most connections at a time.</param>
    /// <exception cref="SpotterException">The key file can't be read, or no service runs on the folder that was typed.</exception>
    public static ServiceClient Client(ParseResult parsed, int connections = 4)
    {
        var target = Find(parsed);
        if (target is null && parsed.GetValue(Data) is { } folder)
            throw new SpotterException(ErrorCodes.StoreUnavailable, $"No service runs on {SpotterPaths.DataFolder(folder)}; start it with `spotter serve --data {folder}`, or name another one with --url.");
        return Client(parsed, target ?? new(Nearby), connections);
    }

    /// <summary>A client of some service, with the key that the options give.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="target">The service.</param>
    /// <param name="connections">Most connections at a time.</param>
    /// <exception cref="SpotterException">The key file can't be read.</exception>
    public static ServiceClient Client(ParseResult parsed, ServiceTarget target, int connections = 4) =>
        new(target.Url, ReadKey(parsed, target), connections) { From = target.From };

    private static ServiceTarget? Noted(string data) =>
        ServiceAddress.Read(data) is { } address ? new(address) { From = ServiceAddress.FileIn(data), IsNoted = true } : null;

    /// <summary>The API key that the options, or the environment, give; null for none.</summary>
    /// <exception cref="SpotterException">The key file can't be read.</exception>
    private static string? ReadKey(ParseResult parsed, ServiceTarget target)
    {
        var file = parsed.GetValue(KeyFile);
        if (file is null)
        {
            if (Environment.GetEnvironmentVariable(KeyVariable) is not { Length: > 0 } key)
                return null;
            // An unpacked archive or somebody's checkout must not get a key by being the current folder.
            return target.IsFound && !target.Url.IsLoopback
                ? throw new SpotterException(ErrorCodes.InvalidSettings, $"{target.From} in the current folder names {target.Url}, and the key of {KeyVariable} is not sent where only such a file says; give --url {target.Url}, or --key-file FILE.")
                : key.Trim();
        }
        try
        {
            return RegularFile.ReadText(file, 64 * 1024).Trim();
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new SpotterException(ErrorCodes.InvalidSettings, $"The key file {file} can't be read: {unreadable.Message.TrimEnd('.')}; name the file that holds the key with --key-file, or put the key into {KeyVariable}.", unreadable);
        }
    }
}

/// <summary>A service that a command is to talk to.</summary>
/// <param name="Url">Where it is.</param>
internal sealed record ServiceTarget(Uri Url)
{
    /// <summary>Who says so, for those who are to correct it; null for the command line.</summary>
    public string? From { get; init; }

    /// <summary>True when only a file says so that nobody has named: the one in the current folder.</summary>
    public bool IsFound { get; init; }

    /// <summary>True when the service has noted it itself; it may be gone since.</summary>
    public bool IsNoted { get; init; }
}
