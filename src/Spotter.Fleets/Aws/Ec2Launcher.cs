using Microsoft.Extensions.Logging;
using Spotter.Core;
using Spotter.Scaling;

namespace Spotter.Fleets.Aws;

/// <summary>
/// Workers as the EC2 machines of a pool: a worker's name is the id of its machine. What it remembers is only what EC2 may not show
/// yet; whoever takes over finds all machines by their tag.
/// </summary>
/// <param name="pool">The machines.</param>
/// <param name="places">Where they may be launched.</param>
/// <param name="time">The clock.</param>
/// <param name="random">Makes the tokens by which EC2 knows a launch again.</param>
/// <param name="log">Told of what could not be launched.</param>
internal sealed partial class Ec2Launcher(Ec2Pool pool, LaunchPlaces places, TimeProvider time, RandomSource random, ILogger<Ec2Launcher> log) : IWorkerLauncher
{
    /// <summary>How long one call may go on launching: the controller has a lease to renew.</summary>
    internal static readonly TimeSpan LaunchPatience = TimeSpan.FromSeconds(30);

    /// <summary>How long EC2 may take to show what has changed.</summary>
    internal static readonly TimeSpan HiddenFor = TimeSpan.FromMinutes(1);

    /// <summary>How long a launch without an answer keeps its number, unless EC2 shows its machine.</summary>
    internal static readonly TimeSpan UnansweredFor = TimeSpan.FromMinutes(5);

    // Each machine has a name of its own, and so a call. An account may make five of these at once, and then two a second.
    private const int MostAtOnce = 5;

    private readonly PacedLook<IReadOnlyList<PoolMachine>> look = new(pool.DescribeAsync, time);
    private readonly Dictionary<string, Seen> there = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> ended = new(StringComparer.Ordinal);
    private readonly List<MachineLaunch> unanswered = [];
    private IReadOnlyList<PoolMachine> described = [];

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
        return [.. there.Select(m => new LaunchedWorker(m.Key, m.Value.Age + time.GetElapsedTime(m.Value.At)))];
    }

    /// <inheritdoc/>
    public async Task<int> StartAsync(int count, CancellationToken cancel)
    {
        var lost = unanswered.Select(l => l.Token).ToHashSet(StringComparer.Ordinal);
        await LookAsync(cancel);
        // What was launched after all, though the answer was lost, is a part of what is asked for now.
        var begun = described.Count(m => m.IsUp && lost.Contains(m.Token));
        places.Forget();
        var again = new Queue<MachineLaunch>(unanswered);
        var (begunAt, lacking, wrong) = (time.GetTimestamp(), (SpotterException?)null, (SpotterException?)null);
        while (begun < count && wrong is null && time.GetElapsedTime(begunAt) < LaunchPatience
            && Next(again, Math.Min(MostAtOnce, count - begun)) is { Count: > 0 } some)
        {
            foreach (var (launch, machine, error) in await Task.WhenAll(some.Select(launch => TryAsync(launch, cancel))))
            {
                if (Settle(launch, machine, error))
                    begun++;
                else if (error is not null && Ec2Capacity.IsLacking(AwsQueryFaults.CodeOf(error)))
                    lacking = error;
                else
                    wrong ??= error;
            }
        }
        if (begun == 0 && wrong is not null)
            throw wrong;
        if (wrong is not null)
            LogNotLaunched(pool.Name, begun, count, wrong.Message);
        else if (lacking is not null && begun < count)
            LogNoCapacity(pool.Name, begun, count, AwsQueryFaults.CodeOf(lacking)!);
        return Math.Min(begun, count);
    }

    /// <inheritdoc/>
    public async Task StopAsync(string worker, CancellationToken cancel)
    {
        if (!there.ContainsKey(worker))
            await LookAsync(cancel);
        // Whatever is not the pool's is not its to end.
        if (!there.ContainsKey(worker))
            return;
        if (!await pool.TerminateAsync(worker, cancel))
            return;
        there.Remove(worker);
        ended[worker] = time.GetTimestamp();
    }

    /// <summary>What to launch at once: first what had no answer, as it may be there, then new machines under the lowest numbers that are free.</summary>
    private List<MachineLaunch> Next(Queue<MachineLaunch> again, int count)
    {
        var taken = described.Select(m => m.Number).Concat(there.Values.Select(m => m.Number)).Concat(unanswered.Select(l => (int?)l.Number)).ToHashSet();
        var some = new List<MachineLaunch>();
        while (some.Count < count)
        {
            if (again.TryDequeue(out var unclear))
            {
                some.Add(unclear);
                continue;
            }
            if (places.Next() is not { } place)
                break;
            var number = 1;
            while (!taken.Add(number))
                number++;
            var launch = new MachineLaunch(number, place, random.NextHex(16), time.GetTimestamp());
            some.Add(launch);
            unanswered.Add(launch);
        }
        return some;
    }

    private async Task<(MachineLaunch Launch, PoolMachine? Machine, SpotterException? Error)> TryAsync(MachineLaunch launch, CancellationToken cancel)
    {
        try
        {
            return (launch, await pool.LaunchAsync(launch, cancel), null);
        }
        catch (SpotterException error)
        {
            return (launch, null, error);
        }
    }

    /// <summary>Notes how a launch went; true when it has its machine. One that was refused gives its number back; any other may have been done.</summary>
    private bool Settle(MachineLaunch launch, PoolMachine? machine, SpotterException? error)
    {
        var isLacking = error is not null && Ec2Capacity.IsLacking(AwsQueryFaults.CodeOf(error));
        if (isLacking)
            places.Exclude(launch.Place);
        if (machine is not null || isLacking || (error is not null && AwsQueryFaults.IsRefused(error)))
            unanswered.Remove(launch);
        // Asked for again, it may have come and gone.
        if (machine is not { IsEnding: false })
            return false;
        there[machine.Id] = new Seen(launch.Number, TimeSpan.Zero, time.GetTimestamp(), IsNew: true);
        return true;
    }

    private async Task LookAsync(CancellationToken cancel)
    {
        described = await look.NowAsync(cancel);
        Note();
    }

    private void Note()
    {
        var now = time.GetTimestamp();
        var shown = described.ToDictionary(m => m.Id, StringComparer.Ordinal);
        unanswered.RemoveAll(l => time.GetElapsedTime(l.BegunAt, now) >= UnansweredFor || described.Any(m => m.Token == l.Token));
        foreach (var (id, _) in ended.Where(e => time.GetElapsedTime(e.Value, now) >= HiddenFor).ToList())
            ended.Remove(id);
        foreach (var machine in described.Where(m => m.IsEnding))
            ended[machine.Id] = now;
        foreach (var machine in described.Where(m => m.IsUp && !ended.ContainsKey(m.Id)))
            there.TryAdd(machine.Id, new Seen(machine.Number, AgeOf(machine), now, IsNew: false));
        bool IsThere(string id, Seen seen) => shown.TryGetValue(id, out var machine)
            ? machine.IsUp && !ended.ContainsKey(id)
            : seen.IsNew && time.GetElapsedTime(seen.At, now) < HiddenFor;
        foreach (var (id, _) in there.Where(m => !IsThere(m.Key, m.Value)).ToList())
            there.Remove(id);
    }

    /// <summary>By two clocks that need not agree.</summary>
    private TimeSpan AgeOf(PoolMachine machine) => time.GetUtcNow() - machine.LaunchedAt is var age && age > TimeSpan.Zero ? age : TimeSpan.Zero;

    [LoggerMessage(Level = LogLevel.Warning, Message = "The pool {Pool} got {Begun} of {Count} machines: EC2 has no more of its types in its subnets ({Code}); name more of them, or have the account's limits raised")]
    private partial void LogNoCapacity(string pool, int begun, int count, string code);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The pool {Pool} got {Begun} of {Count} machines: {Reason}")]
    private partial void LogNotLaunched(string pool, int begun, int count, string reason);

    /// <summary>A machine that is up, as far as is known.</summary>
    /// <param name="Number">The number in its name.</param>
    /// <param name="Age">Its age when it was first seen.</param>
    /// <param name="At">When that was.</param>
    /// <param name="IsNew">True when it was launched here, so that EC2 may not show it yet.</param>
    private sealed record Seen(int? Number, TimeSpan Age, long At, bool IsNew);
}
