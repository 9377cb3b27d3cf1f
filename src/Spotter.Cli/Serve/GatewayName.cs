using Spotter.Backends;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Cli.Serve;

/// <summary>
/// By what a gateway knows the workers that it started itself, also after it has ended and begun again: a name that
/// lies in its data folder and begins theirs. On a backend that others share, all other leases are not its business.
/// </summary>
internal sealed class GatewayName
{
    private const string File = "gateway";
    private const int Bytes = 4;
    private const int MostRunning = 100_000;

    private const string Only = "local";

    private GatewayName(string prefix) => Prefix = prefix;

    /// <summary>What other gateways call it.</summary>
    public string Name => Prefix.Length == 0 ? Only : Prefix.TrimEnd('-');

    /// <summary>What the names of its workers begin with; empty on a backend that it has for itself.</summary>
    public string Prefix { get; }

    /// <summary>Reads the name, making one the first time.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidSettings"/>: the data folder can't be written to.</exception>
    public static GatewayName Of(Backend backend, string data, RandomSource random)
    {
        if (!backend.IsShared)
            return new GatewayName("");
        var file = Path.Combine(data, File);
        try
        {
            var name = System.IO.File.Exists(file) ? System.IO.File.ReadAllText(file).Trim() : "";
            if (name.Length != 2 * Bytes || !name.All(char.IsAsciiHexDigitLower))
            {
                name = random.NextHex(Bytes);
                System.IO.File.WriteAllText(file, name + "\n");
            }
            return new GatewayName($"{name}-");
        }
        catch (Exception unwritten) when (unwritten is IOException or UnauthorizedAccessException)
        {
            throw new SpotterException(ErrorCodes.InvalidSettings, $"The name of this gateway can't be kept in {data}: {unwritten.Message}", unwritten);
        }
    }

    /// <summary>Takes the leases of those workers, which ended with the gateway when it last ended.</summary>
    public async Task ReleaseAsync(Backend backend, JobError reason, CancellationToken cancel)
    {
        if (!backend.IsShared)
        {
            await backend.Jobs.ReleaseAsync(worker: null, reason, spendAttempt: false, cancel);
            return;
        }
        var running = await backend.Jobs.ListAsync(new JobFilter { State = JobState.Running, Limit = MostRunning }, cancel);
        var gone = running.Select(j => j.Worker).OfType<string>().Where(w => w.StartsWith(Prefix, StringComparison.Ordinal));
        foreach (var worker in gone.Distinct(StringComparer.Ordinal))
            await backend.Jobs.ReleaseAsync(worker, reason, spendAttempt: false, cancel);
    }
}
