using System.Globalization;
using Spotter.Core;

namespace Spotter.Engine;

/// <summary>What the program of an engine is told: by flags, or by the variables that <c>spotter worker</c> has too.</summary>
/// <param name="Server">The gateway's address.</param>
/// <param name="Token">The worker token.</param>
/// <param name="Name">The worker's name.</param>
/// <param name="Lanes">Jobs at a time.</param>
/// <param name="Config">What the configuration file says; null for none.</param>
internal sealed record EngineSettings(Uri Server, string Token, string Name, int Lanes, EngineConfig? Config)
{
    public const string Help = """
        Joins a Spotter gateway and runs its jobs until told to stop.

          --server URL       the gateway's address (SPOTTER__WORKER__SERVER); default http://127.0.0.1:8080
          --token-file FILE  a file with the worker token (SPOTTER__WORKER__TOKENFILE); else SPOTTER__WORKER__TOKEN has it
          --name NAME        the worker's name, unlike that of any other (SPOTTER__WORKER__NAME); default made up
          --lanes N          jobs at a time (SPOTTER__WORKER__LANES); default what the configuration says, or the number of cores
          --config FILE      a configuration file of the engine (SPOTTER__WORKER__CONFIG, BLUEEDGE_CFG)

        """;

    private const int MostLanes = 256;
    private static readonly string[] Flags = ["--server", "--token-file", "--name", "--lanes", "--config"];

    /// <summary>Reads them.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidSettings"/>.</exception>
    public static EngineSettings Read(IReadOnlyList<string> args, Func<string, string?> variable, string engine)
    {
        var told = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < args.Count; i++)
        {
            var (flag, value) = args[i].Split('=', 2) is [var name, var given] ? (name, given) : (args[i], null);
            if (!Flags.Contains(flag, StringComparer.Ordinal))
                throw Wrong($"There is no option '{flag}'; --help lists those that there are.");
            told[flag] = value ?? (++i < args.Count ? args[i] : throw Wrong($"The option {flag} needs a value."));
        }
        string? Get(string flag, string setting) => told.GetValueOrDefault(flag) ?? (variable($"SPOTTER__WORKER__{setting}") is { Length: > 0 } given ? given : null);

        var server = Get("--server", "SERVER") ?? "http://127.0.0.1:8080";
        if (!Uri.TryCreate(server, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
            throw Wrong($"The server '{server}' is no address like http://host:8080.");
        var config = (Get("--config", "CONFIG") ?? (variable("BLUEEDGE_CFG") is { Length: > 0 } usual ? usual : null)) is { } path ? EngineConfig.Read(path) : null;
        var lanes = config?.Lanes ?? Environment.ProcessorCount;
        if (Get("--lanes", "LANES") is { } text && (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out lanes) || lanes is < 1 or > MostLanes))
            throw Wrong($"The number of lanes '{text}' is not from 1 to {MostLanes}.");
        var machine = new string([.. Environment.MachineName.Where(c => char.IsAsciiLetterOrDigit(c) || c == '-').Take(24)]);
        return new EngineSettings(
            address,
            Get("--token-file", "TOKENFILE") is { } file ? ReadToken(file) : variable("SPOTTER__WORKER__TOKEN") is { Length: > 0 } token ? token
                : throw Wrong("There is no worker token; give one with --token-file FILE or SPOTTER__WORKER__TOKEN."),
            Get("--name", "NAME") ?? $"{engine[..Math.Min(engine.Length, 24)]}-{machine}-{RandomSource.System.NextHex(3)}", lanes, config);
    }

    private static string ReadToken(string file)
    {
        try
        {
            return File.ReadAllText(file).Trim();
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw Wrong($"The token file '{file}' can't be read: {unreadable.Message}");
        }
    }

    private static SpotterException Wrong(string message) => new(ErrorCodes.InvalidSettings, message);
}
