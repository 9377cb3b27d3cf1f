using System.Collections.Concurrent;

namespace Spotter.EndToEnd.Aws;

/// <summary>
/// The machines of a group or a pool: a worker process for each instance that there is, under its id, killed when the instance is gone. As
/// moto only keeps their names.
/// </summary>
internal sealed class MachineProcesses : IAsyncDisposable
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(200);

    private readonly Func<Task<IReadOnlyList<string>>> list;
    private readonly Func<string, SpotterProcess> start;
    private readonly CancellationTokenSource over = new();
    private readonly ConcurrentDictionary<string, SpotterProcess> machines = new(StringComparer.Ordinal);
    private readonly HashSet<string> gone = new(StringComparer.Ordinal);
    private readonly Task playing;

    /// <summary>Begins to play them.</summary>
    /// <param name="list">The ids of the instances that there are.</param>
    /// <param name="start">Starts the worker of an instance.</param>
    public MachineProcesses(Func<Task<IReadOnlyList<string>>> list, Func<string, SpotterProcess> start)
    {
        (this.list, this.start) = (list, start);
        playing = Task.Run(PlayAsync);
    }

    /// <summary>How many instances there were at a time at most.</summary>
    public int Most { get; private set; }

    /// <summary>All that there were, by their instances' ids.</summary>
    public IReadOnlyDictionary<string, SpotterProcess> All => machines;

    /// <summary>The instances whose worker still ran when they were ended.</summary>
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
            var instances = await list();
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
