namespace Spotter.Scaling.Simulation;

/// <summary>
/// Plays recorded days again on workers like those of this service: boots and jobs take what was measured here.
/// One day at a time, since each keeps a core busy.
/// </summary>
/// <param name="settings">The settings of the service.</param>
/// <param name="meter">What was measured.</param>
public sealed class DayReplay(ScaleSettings settings, ScaleMeter meter) : IScaleReplay, IDisposable
{
    private const int Seed = 1;

    // Looking four times a second for 24 hours takes four times as long and changes little.
    private static readonly TimeSpan ShortestTick = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim turn = new(1);

    /// <inheritdoc/>
    public ReplayTerms Terms => new(
        settings.Policy, settings.Preset, settings.Max, ServiceSeconds, BootSeconds, settings.Slo.TotalSeconds, settings.PricePerHour);

    private double ServiceSeconds => meter.Measured.ServiceSeconds ?? settings.ServicePrior.TotalSeconds;

    private double BootSeconds => meter.Measured.BootSeconds ?? settings.BootPrior.TotalSeconds;

    /// <inheritdoc/>
    public async Task<ReplayedDay> ReplayAsync(IReadOnlyList<ArrivalCount> arrivals, ScalePreset? preset, int? maxWorkers, CancellationToken cancel)
    {
        var wanted = settings with
        {
            Preset = preset ?? settings.Preset,
            Max = maxWorkers ?? settings.Max,
            Tick = settings.Tick < ShortestTick ? ShortestTick : settings.Tick,
        };
        await turn.WaitAsync(cancel);
        try
        {
            return await Task.Run(() => Play(arrivals, wanted, cancel), cancel);
        }
        finally
        {
            turn.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => turn.Dispose();

    private ReplayedDay Play(IReadOnlyList<ArrivalCount> arrivals, ScaleSettings wanted, CancellationToken cancel)
    {
        var machine = new MachineKind
        {
            Name = "this service",
            BootSeconds = BootSeconds,
            ServiceSeconds = ServiceSeconds,
            ServiceVariation = meter.Measured.ServiceVariation,
            MinBillSeconds = wanted.MinBill.TotalSeconds,
            MaxWorkers = wanted.Max,
            Lanes = wanted.Lanes,
        };
        var trace = Trace(arrivals, machine);
        var entry = Contenders.Named(wanted.Policy).Enter(Comparison.For(machine, wanted), Draws.For("replay", Seed));
        var figures = new Simulator(machine, trace, entry.Rules, Seed) { SloSeconds = wanted.Slo.TotalSeconds }.Run(entry.Policy, cancel: cancel);
        var hours = figures.WorkerSeconds / 3600;
        return new ReplayedDay(
            wanted.Preset, wanted.Max, (int)figures.Jobs, hours, hours * wanted.PricePerHour,
            figures.Wait.P50, figures.Wait.P95, figures.Wait.P99, (int)figures.SloMisses, (int)figures.Launches, (int)figures.MostWorkers);
    }

    /// <summary>Jobs of one second are spread over it.</summary>
    private static ArrivalTrace Trace(IReadOnlyList<ArrivalCount> arrivals, MachineKind machine)
    {
        var draws = Draws.For("replay/arrivals", Seed);
        var start = arrivals[0].Time;
        var times = new List<double>();
        foreach (var (time, jobs) in arrivals)
        {
            for (var i = 0; i < jobs; i++)
                times.Add((time - start).TotalSeconds + draws.Share());
        }
        times.Sort();
        // A job of this service may well be shorter than those that traces are otherwise made of.
        var services = times.ConvertAll(_ => draws.LogNormal(machine.ServiceSeconds, machine.ServiceVariation));
        return new ArrivalTrace("replay", times, services, times[^1]);
    }
}
