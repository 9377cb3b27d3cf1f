using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Spotter.Cli.Settings;
using Spotter.Core;
using Spotter.Fleets;
using Spotter.Scaling;

namespace Spotter.Cli.Doctor;

/// <summary>Looks whether the workers of pools can be found where they are started: a cluster, an Auto Scaling group, machines. Starts and ends none.</summary>
internal static class FleetCheck
{
    // Whatever answers later than this is not there.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>What was found of each pool whose workers are not processes of this machine.</summary>
    public static IEnumerable<Finding> Examine(IEnumerable<PoolSettings> pools, TimeProvider time) =>
        pools.Where(p => !p.IsObserved && p.Launcher.IsElsewhere).Select(p => ExamineAsync(p, time).GetAwaiter().GetResult());

    private static async Task<Finding> ExamineAsync(PoolSettings pool, TimeProvider time)
    {
        var name = $"workers of pool {pool.Name}";
        using var limit = new CancellationTokenSource(Patience, time);
        IWorkerLauncher? launcher = null;
        try
        {
            launcher = pool.Launcher.Create(new LauncherContext(
                pool.Settings, pool.Name, "", "", "", () => throw new NotSupportedException("Nothing is started."), default, time, RandomSource.System, NullLoggerFactory.Instance));
            var workers = (await launcher.ListAsync(limit.Token)).Count;
            return new(name, Health.Ok, string.Create(CultureInfo.InvariantCulture, $"{pool.Launcher.Name} answers; {workers} there now"));
        }
        catch (SpotterException wrong)
        {
            return new(name, Health.Wrong, wrong.Message);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            return new(name, Health.Wrong, string.Create(CultureInfo.InvariantCulture, $"{pool.Launcher.Name} did not answer within {Patience.TotalSeconds:0} s; check that it can be reached from here."));
        }
        finally
        {
            if (launcher is IAsyncDisposable held)
                await held.DisposeAsync();
        }
    }
}
