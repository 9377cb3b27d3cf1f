namespace Spotter.Scaling;

/// <summary>Workers that are to go for good, as what they were started with no longer fits.</summary>
public sealed partial class FleetController
{
    private long? retiredAt;

    /// <summary>
    /// Lets all that have been started so far finish what they have and end, for good: others are started in their place as they
    /// are needed. Shared ones stay: they don't have this gateway's files, and may have joined another. For anybody.
    /// </summary>
    public async Task RetireAllAsync(CancellationToken cancel)
    {
        if (IsShared)
            return;
        List<Member> all;
        lock (gate)
        {
            retiredAt = time.GetTimestamp();
            all = [.. members.Values];
            all.ForEach(m => m.IsRetired = true);
        }
        foreach (var member in all)
            await DrainAsync(member.Name, cancel);
    }

    /// <summary>Those that are to go and may still take jobs: seen only now, or told before they were forgotten and joined again.</summary>
    private List<string> Retired()
    {
        lock (gate)
            return [.. members.Values.Where(m => m is { IsRetired: true, EndingSince: null }).Select(m => m.Name)];
    }

    /// <summary>True for one that was started before all were retired, and that nobody had seen then.</summary>
    private bool WasOnItsWay(LaunchedWorker worker, long listedAt) => retiredAt is { } at && worker.Age >= time.GetElapsedTime(at, listedAt);
}
