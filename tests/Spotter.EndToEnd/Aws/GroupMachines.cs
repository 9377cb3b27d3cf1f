using System.Collections.Concurrent;

namespace Spotter.EndToEnd.Aws;

/// <summary>
/// The machines of a group: a worker process for each instance that the group has, under its id, killed when the instance is gone. As moto
/// only keeps their names.
/// </summary>
internal sealed class GroupMachines : IAsyncDisposable
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(200);

    private readonly MotoGroup group;
    private readonly Func<string, SpotterProcess> start;
    private readonly CancellationTokenSource over = new();
    private readonly ConcurrentDictionary<string, SpotterProcess> machines = new(StringComparer.Ordinal);
    private readonly HashSet<string> gone = new(StringComparer.Ordinal);
    private readonly Task playing;

    /// <summary>Begins to play them.</summary>
    /// <param name="group">The group.</param>
    /// <param name="start">Starts the worker of an instance.</param>
    public GroupMachines(MotoGroup group, Func<string, SpotterProcess> start)
    {
        (this.group, this.start) = (group, start);
        playing = Task.Run(PlayAsync);
    }

    /// <summary>How many instances there were at a time at most.</summary>
    public int Most { get; private set; }

    /// <summary>All that there were, by their instances' ids.</summary>
    public IReadOnlyDictionary<string, SpotterProcess> All => machines;

    /// <summary>The instances whose worker still ran when the group ended them.</summary>
    public ConcurrentQueue<string> CutOff { get; } = new();

    /// <summary>What the workers have written.</summary>
    public string Log => string.Join('\n', machines.Select(m => $"{m.Key}:\n{m.Value.Log}"));

    public async ValueTask DisposeAsync()
    {
        await over.CancelAsync();
        await playing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var machine in machines.Values)
            await machine.DisposeAsync();
        over.Dispose();
    }

    private async Task PlayAsync()
    {
        while (!over.IsCancellationRequested)
        {
            var (_, instances) = await group.DescribeAsync();
            Most = Math.Max(Most, instances.Count);
            foreach (var instance in instances.Where(i => !machines.ContainsKey(i)))
                machines[instance] = start(instance);
            foreach (var instance in machines.Keys.Except(instances, StringComparer.Ordinal).Where(gone.Add))
            {
                if (machines[instance].HasExited)
                    continue;
                CutOff.Enqueue(instance);
                await machines[instance].KillAsync();
            }
            await Task.Delay(LookEvery, TimeProvider.System, over.Token);
        }
    }
}
