using System.Globalization;
using Spotter.Core;

namespace Spotter.Faults.Soak;

/// <summary>Does one bad thing after the other to a service. What and when follows from a seed.</summary>
internal sealed class SoakMonkey(SoakService service, SoakStore store, SoakLog log)
{
    private const string KillGateway = "gateways killed";
    private const string KillWorker = "workers killed";
    private const string Freeze = "workers frozen";
    private const string Outage = "outages of the store";
    private const string FillDisk = "full disks";
    private const string SetClock = "clocks set";

    private readonly RandomSource random = RandomSource.Seeded(SoakSettings.Seed);
    private readonly SortedDictionary<string, int> done = new(StringComparer.Ordinal);
    private int turn;

    /// <summary>How many processes were killed.</summary>
    public int Kills => done.GetValueOrDefault(KillGateway) + done.GetValueOrDefault(KillWorker);

    /// <summary>What it has not done, though it could.</summary>
    public IEnumerable<string> Undone => Deeds(gateways: true).Where(deed => !done.ContainsKey(deed));

    /// <summary>Goes on until it is told to stop; the last deed is undone then.</summary>
    /// <param name="gateways">Whether it kills those too.</param>
    /// <param name="stop">When to stop.</param>
    public async Task RunAsync(bool gateways, CancellationToken stop)
    {
        var deeds = Deeds(gateways);
        while (!stop.IsCancellationRequested)
        {
            // Each once, then at random; processes are killed between all others.
            var deed = turn % 2 == 0 ? (gateways && turn % 4 == 0 ? KillGateway : KillWorker) : turn / 2 < deeds.Count ? deeds[turn / 2] : deeds[(int)(random.NextDouble() * deeds.Count)];
            turn++;
            await DoAsync(deed, (int)(random.NextDouble() * 1000));
            done[deed] = done.GetValueOrDefault(deed) + 1;
            await Task.WhenAny(Task.Delay(TimeSpan.FromSeconds(0.5 + (2 * random.NextDouble())), TimeProvider.System, stop));
        }
    }

    public override string ToString() => string.Join(", ", done.Select(d => string.Create(CultureInfo.InvariantCulture, $"{d.Value} {d.Key}")));

    private List<string> Deeds(bool gateways) =>
        [KillWorker, .. gateways ? (string[])[KillGateway] : [], Freeze, .. store.IsServer ? (string[])[Outage] : [], .. service.HasSmallDisk ? (string[])[FillDisk] : [],
            .. SoakClock.CanJump ? (string[])[SetClock] : []];

    private async Task DoAsync(string deed, int which)
    {
        switch (deed)
        {
            case KillGateway:
                await service.KillGatewayAsync();
                break;
            case KillWorker:
                await service.KillWorkerAsync(which);
                break;
            case Freeze:
                await service.FreezeWorkerAsync(which);
                break;
            case Outage:
                await store.LeaveAsync(TimeSpan.FromSeconds(1 + (which % 5)));
                break;
            case SetClock:
                // An hour forward or back, for a while; then as suddenly right again.
                service.Clock.Set(TimeSpan.FromHours(which % 2 == 0 ? 1 : -1));
                await Task.Delay(TimeSpan.FromSeconds(5 + (which % 10)), TimeProvider.System);
                service.Clock.Set(TimeSpan.Zero);
                break;
            default:
                var filler = Path.Combine(service.Filled, "filler");
                SmallDisk.Fill(filler);
                await Task.Delay(TimeSpan.FromSeconds(1 + (which % 3)), TimeProvider.System);
                File.Delete(filler);
                break;
        }
        if (service.Gateway.HasExited)
            log.Say($"the gateway ended by itself after: {deed}\n{service.Gateway.Log}");
        service.Gateway.HasExited.ShouldBeFalse(deed);
    }
}
