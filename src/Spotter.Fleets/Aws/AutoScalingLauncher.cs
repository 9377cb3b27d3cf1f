using Microsoft.Extensions.Logging;
using Spotter.Core;
using Spotter.Scaling;

namespace Spotter.Fleets.Aws;

/// <summary>
/// Workers as instances of an Auto Scaling group: a worker's name is the id of its instance. The group never chooses which
/// instance goes: all are protected, and one that is to end is named. It starts instances some seconds after it is asked to.
/// </summary>
/// <param name="group">The group, which exists.</param>
/// <param name="hook">The group's lifecycle hook for instances that end; null when it has none.</param>
/// <param name="time">The clock.</param>
/// <param name="log">Told of what the group does not do.</param>
internal sealed partial class AutoScalingLauncher(ScalingGroup group, string? hook, TimeProvider time, ILogger<AutoScalingLauncher> log) : IWorkerLauncher
{
    /// <summary>How long a group may take to start an instance; there is no capacity when it takes longer.</summary>
    internal static readonly TimeSpan LaunchPatience = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    private readonly PacedLook<GroupState> look = new(group.DescribeAsync, time);
    private readonly Dictionary<string, long> seen = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public Action<WorkerExit>? Exited { get; set; }

    /// <inheritdoc/>
    public bool IsShared => true;

    /// <inheritdoc/>
    public TimeSpan BootPatience => TimeSpan.FromMinutes(5);

    /// <inheritdoc/>
    /// <remarks>A machine that starts for the first time installs itself.</remarks>
    public TimeSpan UsualBoot => TimeSpan.FromSeconds(90);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<LaunchedWorker>> ListAsync(CancellationToken cancel)
    {
        if (look.IsDue())
            await LookAsync(cancel);
        return [.. seen.Select(i => new LaunchedWorker(i.Key, time.GetElapsedTime(i.Value)))];
    }

    /// <inheritdoc/>
    public async Task<int> StartAsync(int count, CancellationToken cancel)
    {
        var before = await LookAsync(cancel);
        await ProtectAsync(before, cancel);
        var there = before.Staying.Select(i => i.Id).ToHashSet(StringComparer.Ordinal);
        // What the group already wants and has not started is a part of what is asked for now.
        var desired = Math.Min(Math.Max(before.Desired, there.Count + count), before.Max);
        if (desired <= there.Count)
        {
            LogFull(group.Name, before.Max);
            return 0;
        }
        if (desired != before.Desired)
            await group.SetDesiredAsync(desired, cancel);
        var begun = time.GetTimestamp();
        while (true)
        {
            var now = await LookAsync(cancel);
            List<string> begin = [.. now.Staying.Select(i => i.Id).Where(id => !there.Contains(id))];
            if (there.Count + begin.Count >= desired)
                return Math.Min(begin.Count, count);
            if (time.GetElapsedTime(begun) >= LaunchPatience)
            {
                // The group would go on trying, and start it when nobody needs it any more.
                await group.SetDesiredAsync(Math.Max(now.Min, now.Staying.Count()), cancel);
                LogNotStarted(group.Name, begin.Count, count);
                return Math.Min(begin.Count, count);
            }
            await Task.Delay(LookEvery, time, cancel);
        }
    }

    /// <inheritdoc/>
    public async Task StopAsync(string worker, CancellationToken cancel)
    {
        var state = await LookAsync(cancel);
        if (state.Instances.FirstOrDefault(i => i.Id == worker) is not { IsGone: false } instance)
            return;
        if (instance.IsTerminating)
        {
            if (instance.WaitsToTerminate && hook is not null)
                await group.ContinueAsync(hook, worker, cancel);
            return;
        }
        if (state.Desired <= state.Min)
            throw new SpotterException(ErrorCodes.StoreUnavailable, $"The Auto Scaling group '{group.Name}' has to keep {state.Min} instances; lower its minimum, or raise the pool's.");
        if (instance.IsProtected)
            await group.ProtectAsync([worker], isProtected: false, cancel);
        await group.TerminateAsync(worker, cancel);
        look.Forget();
    }

    /// <summary>Where somebody changed the group by hand, or the service is new to it.</summary>
    private async Task ProtectAsync(GroupState state, CancellationToken cancel)
    {
        if (!state.ProtectsNew)
            await group.ProtectNewAsync(cancel);
        List<string> bare = [.. state.Staying.Where(i => i is { IsProtected: false, State: "InService" }).Select(i => i.Id)];
        if (bare.Count > 0)
            await group.ProtectAsync(bare, isProtected: true, cancel);
    }

    private async Task<GroupState> LookAsync(CancellationToken cancel)
    {
        var state = await look.NowAsync(cancel);
        List<string> there = [.. state.Instances.Where(i => !i.IsGone).Select(i => i.Id)];
        foreach (var id in there)
            seen.TryAdd(id, time.GetTimestamp());
        foreach (var gone in seen.Keys.Except(there, StringComparer.Ordinal).ToList())
            seen.Remove(gone);
        return state;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The Auto Scaling group {Group} may have no more than {Max} instances, and has them; raise its maximum, or lower the pool's")]
    private partial void LogFull(string group, int max);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The Auto Scaling group {Group} started {Begun} of {Count} instances; its activity history says why")]
    private partial void LogNotStarted(string group, int begun, int count);
}
