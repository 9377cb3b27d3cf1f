using Microsoft.Extensions.Logging;
using Spotter.Scaling;

namespace Spotter.Fleets.Kubernetes;

/// <summary>
/// Workers as the pods of a Deployment: a worker's name is that of its pod. It has more pods by asking for more, and one less by marking
/// the pod that is to go and then asking for one less, once that pod has no job (the controller stops nobody before). What it
/// remembers is nothing that the cluster does not know, so whoever takes over finds all pods.
/// </summary>
/// <param name="deployment">The Deployment, which exists.</param>
/// <param name="time">The clock.</param>
/// <param name="log">Told of pods that don't start.</param>
internal sealed partial class KubernetesLauncher(WorkerDeployment deployment, TimeProvider time, ILogger<KubernetesLauncher> log) : IWorkerLauncher, IAsyncDisposable
{
    /// <summary>How long the pods of a Deployment may take to be made, which is not yet to be started.</summary>
    internal static readonly TimeSpan LaunchPatience = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan KnownFor = TimeSpan.FromSeconds(2);

    private readonly PacedLook<IReadOnlyList<WorkerPod>> look = new(deployment.PodsAsync, time, KnownFor);

    // Those that have not ended, with their age when they were first seen, and when that was. A pod that is told to end by somebody else
    // is one of them until it has: its worker has its time to finish, and its jobs are its own.
    private readonly Dictionary<string, (TimeSpan Age, long At)> seen = new(StringComparer.Ordinal);

    // Those that were ended here, and had no job: they matter no more, however long they take.
    private readonly HashSet<string> ended = new(StringComparer.Ordinal);

    // What was last told of each.
    private readonly Dictionary<string, string> told = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public Action<WorkerExit>? Exited { get; set; }

    /// <inheritdoc/>
    public bool IsShared => true;

    /// <inheritdoc/>
    /// <remarks>A node may have to be made first.</remarks>
    public TimeSpan BootPatience => TimeSpan.FromMinutes(5);

    /// <inheritdoc/>
    public TimeSpan UsualBoot => TimeSpan.FromSeconds(15);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<LaunchedWorker>> ListAsync(CancellationToken cancel)
    {
        if (look.IsDue())
            await LookAsync(cancel);
        return [.. seen.Select(p => new LaunchedWorker(p.Key, p.Value.Age + time.GetElapsedTime(p.Value.At)))];
    }

    /// <inheritdoc/>
    public async Task<int> StartAsync(int count, CancellationToken cancel)
    {
        var before = await deployment.DescribeAsync(cancel);
        var there = (await LookAsync(cancel)).Select(p => p.Name).ToHashSet(StringComparer.Ordinal);
        // Pods that it is to have already and that are not there yet are a part of what is asked for now.
        var wanted = Math.Max(before.Replicas, there.Count + count);
        if (wanted != before.Replicas)
            await deployment.ScaleAsync(wanted, cancel);
        var begun = time.GetTimestamp();
        while (true)
        {
            var now = await LookAsync(cancel);
            var made = now.Count(p => !there.Contains(p.Name));
            if (now.Count >= wanted)
                return Math.Min(made, count);
            // One that was told before may be of an earlier time.
            var failure = (await deployment.DescribeAsync(cancel)).Failure;
            if ((failure is not null && failure != before.Failure) || time.GetElapsedTime(begun) >= LaunchPatience)
            {
                // It would go on trying, and have them when nobody needs them any more.
                await deployment.ScaleAsync(now.Count, cancel);
                LogNotMade(deployment.Name, made, count, failure ?? "the cluster has not made them yet");
                return Math.Min(made, count);
            }
            await Task.Delay(LookEvery, time, cancel);
        }
    }

    /// <inheritdoc/>
    public async Task StopAsync(string worker, CancellationToken cancel)
    {
        var pods = await LookAsync(cancel);
        if (pods.FirstOrDefault(p => p.Name == worker) is not { } victim)
            return;
        var plan = ScaleIn.Of(pods, victim);
        if (plan.WaitsFor is { } first)
        {
            // The controller comes back to it.
            Tell(worker, first, LogWaits);
            return;
        }
        foreach (var pod in plan.Reset)
            await deployment.SetCostAsync(pod, cost: null, cancel);
        if (victim.Cost != ScaleIn.Marked)
            await deployment.SetCostAsync(worker, ScaleIn.Marked, cancel);
        // Where it is to have fewer than there are, somebody has just done this.
        if ((await deployment.DescribeAsync(cancel)).Replicas >= pods.Count)
            await deployment.ScaleAsync(pods.Count - 1, cancel);
        ended.Add(worker);
        look.Forget();
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        deployment.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>The pods that are up.</summary>
    private async Task<IReadOnlyList<WorkerPod>> LookAsync(CancellationToken cancel)
    {
        List<WorkerPod> all = [.. (await look.NowAsync(cancel)).Where(p => p.IsThere)];
        ended.IntersectWith(all.Select(p => p.Name));
        var there = all.Where(p => p.IsUp || !ended.Contains(p.Name)).ToList();
        foreach (var pod in there)
        {
            seen.TryAdd(pod.Name, (AgeOf(pod), time.GetTimestamp()));
            if (pod is { IsUp: true, Trouble: { } trouble })
                Tell(pod.Name, trouble, LogTrouble);
        }
        var names = there.Select(p => p.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var gone in seen.Keys.Where(p => !names.Contains(p)).ToList())
        {
            seen.Remove(gone);
            told.Remove(gone);
        }
        return [.. there.Where(p => p.IsUp)];
    }

    /// <summary>By two clocks that need not agree.</summary>
    private TimeSpan AgeOf(WorkerPod pod) => pod.CreatedAt is { } at && time.GetUtcNow() - at is var age && age > TimeSpan.Zero ? age : TimeSpan.Zero;

    /// <summary>Says a thing of a pod once, until there is another.</summary>
    private void Tell(string pod, string what, Action<string, string> say)
    {
        if (told.GetValueOrDefault(pod) == what)
            return;
        told[pod] = what;
        say(pod, what);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The pod {Pod} does not work: {Trouble}")]
    private partial void LogTrouble(string pod, string trouble);

    [LoggerMessage(Level = LogLevel.Information, Message = "The pod {Pod} is to end and waits for the pod {First}, which is not ready and would be ended in its place")]
    private partial void LogWaits(string pod, string first);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The Deployment {Deployment} got {Made} of {Count} pods: {Reason}")]
    private partial void LogNotMade(string deployment, int made, int count, string reason);
}
