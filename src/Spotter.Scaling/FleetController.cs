using Microsoft.Extensions.Logging;
using Spotter.Jobs;

namespace Spotter.Scaling;

/// <summary>
/// What is common to all fleets: which of the workers that a launcher started boot, work, drain or have left, drains that
/// can be taken back, patience with those that don't join or don't end, and how many died. Also knows workers that have
/// joined from elsewhere, which it can drain but neither start nor stop. <see cref="List"/>, <see cref="Health"/> and
/// <see cref="RetireAllAsync"/> are for anybody; everything else is for one caller at a time.
/// </summary>
public sealed partial class FleetController : IFleet
{
    private static readonly TimeSpan LastLongestBoot = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan LongestFarewell = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);
    private const int FreeDeaths = 1;

    private readonly IWorkerLauncher launcher;
    private readonly WorkerRoster roster;
    private readonly Func<WorkerExit, Task<LostLeases>> onExit;
    private readonly TimeProvider time;
    private readonly ILogger log;
    private readonly Lock gate = new();
    private readonly Dictionary<string, Member> members = new(StringComparer.Ordinal);
    private readonly HashSet<string> ended = new(StringComparer.Ordinal); // may still be in a list that is on its way
    private readonly HashSet<Task> farewells = [];
    private readonly CrashBackoff backoff;
    private TimeSpan longestBoot;
    private long crashes;
    private int failedBoots;
    private bool hasLooked;
    private volatile ControllerRole role = ControllerRole.Active;

    /// <summary>Creates the controller of a launcher's workers.</summary>
    /// <param name="launcher">Starts and ends them.</param>
    /// <param name="roster">The workers that have joined.</param>
    /// <param name="onExit">Told when a worker has ended, and how: its leases can be taken. What became of their jobs.</param>
    /// <param name="time">The clock.</param>
    /// <param name="log">Told of deaths.</param>
    public FleetController(
        IWorkerLauncher launcher, WorkerRoster roster, Func<WorkerExit, Task<LostLeases>> onExit, TimeProvider time, ILogger<FleetController> log)
    {
        this.launcher = launcher;
        this.roster = roster;
        this.onExit = onExit;
        this.time = time;
        this.log = log;
        backoff = new CrashBackoff(time);
        longestBoot = launcher.BootPatience;
        launcher.Exited = End;
    }

    /// <summary>Told how long boots took; null when nobody wants to know.</summary>
    public ScaleMeter? Meter { get; init; }

    /// <summary>Which of the workers that were not started here count as this fleet's. Default: all.</summary>
    public Func<string, bool> Adopts { get; init; } = static _ => true;

    /// <summary>How workers have ended of late without being told to.</summary>
    public FleetHealth Health
    {
        get
        {
            lock (gate)
                return new FleetHealth(crashes, failedBoots);
        }
    }

    /// <summary>True when its workers are no one gateway's (<see cref="IWorkerLauncher.IsShared"/>).</summary>
    public bool IsShared => launcher.IsShared;

    /// <inheritdoc/>
    public bool IsElsewhere(string worker, IReadOnlyList<string>? models = null) => IsShared && role == ControllerRole.Standby && Has(worker);

    /// <summary>True for a worker that was started here and has not ended.</summary>
    public bool Has(string worker)
    {
        lock (gate)
            return members.ContainsKey(worker);
    }

    /// <summary>The names of the workers that were started here.</summary>
    public IReadOnlyList<string> Launched
    {
        get
        {
            lock (gate)
                return [.. members.Keys];
        }
    }

    /// <summary>The workers, draining ones and those from elsewhere included, as they were last seen. Asks nobody, changes nothing.</summary>
    public IReadOnlyList<WorkerView> List()
    {
        var joined = roster.List().ToDictionary(w => w.Id, StringComparer.Ordinal);
        List<WorkerView> workers;
        lock (gate)
            workers = [.. members.Values.Select(member => View(member, joined.GetValueOrDefault(member.Name)))];
        var own = workers.Select(w => w.Id).ToHashSet(StringComparer.Ordinal);
        return [.. workers.Concat(joined.Values.Where(w => !own.Contains(w.Id) && Adopts(w.Id))).OrderBy(w => w.Id, StringComparer.Ordinal)];
    }

    /// <summary>
    /// Looks at the workers and does what is due: notes who has joined and who is gone, tells retired ones again that have
    /// joined again, and stops those that have not joined, or have left and not ended, for too long. To be called every tick.
    /// The workers as they are then.
    /// </summary>
    /// <param name="cancel">Ends the look.</param>
    /// <param name="now">Who scales these workers: where they are shared, only that one stops some.</param>
    public async Task<IReadOnlyList<WorkerView>> TendAsync(CancellationToken cancel, ControllerRole now = ControllerRole.Active)
    {
        await LookAsync(cancel);
        var (isActive, wasActive) = (now == ControllerRole.Active, role == ControllerRole.Active);
        role = now;
        if (IsShared && !isActive)
            return List();
        if (IsShared && !wasActive)
            BeginAnew();
        foreach (var worker in Retired())
            await DrainAsync(worker, cancel);
        foreach (var worker in Overdue())
            await StopAsync(worker, cancel);
        return List();
    }

    /// <summary>
    /// Starts workers; returns when they are launched, not when they have joined. How many: fewer than
    /// <paramref name="count"/> when there is no capacity, or while it waits because others ended too soon.
    /// </summary>
    public async Task<int> LaunchAsync(int count, CancellationToken cancel)
    {
        lock (gate)
        {
            if (count <= 0 || backoff.IsQuiet)
                return 0;
        }
        // Whoever is there before the first start was started by somebody else.
        if (!hasLooked)
            await LookAsync(cancel);
        var begun = 0;
        try
        {
            begun = await launcher.StartAsync(count, cancel);
        }
        finally
        {
            if (begun < count && !cancel.IsCancellationRequested)
                NoteNotStarted();
        }
        if (begun > 0)
            await LookAsync(cancel);
        return begun;
    }

    /// <summary>Lets a worker finish what it has and end. Never interrupts a job. One that is already told to changes nothing.</summary>
    public async Task DrainAsync(string worker, CancellationToken cancel)
    {
        if (roster.IsDraining(worker))
            return;
        if (roster.Drain(worker, drain: true) is { } order)
            (launcher as IWorkerLine)?.Drain(worker, order);
        else
            await EndAsync(worker, cancel);
    }

    /// <summary>Takes a drain back, so that the worker goes on taking jobs; false when it is too late.</summary>
    public bool CancelDrain(string worker)
    {
        lock (gate)
        {
            if (members.TryGetValue(worker, out var member) && (member.EndingSince is not null || member.IsRetired))
                return false;
        }
        if (roster.Drain(worker, drain: false) is not { } order)
            return false;
        (launcher as IWorkerLine)?.Stay(worker, order);
        return true;
    }

    /// <summary>
    /// Lets all that were started here finish what they run; those still there after <paramref name="patience"/> are stopped.
    /// Shared ones stay for the gateway that comes next.
    /// </summary>
    public async Task DrainAllAsync(TimeSpan patience)
    {
        if (IsShared)
            return;
        List<Member> all;
        var joined = roster.List().ToDictionary(w => w.Id, StringComparer.Ordinal);
        lock (gate)
        {
            all = [.. members.Values];
            // Who has joined since the last look: what its boot took is worth knowing at the next start.
            foreach (var member in all)
                Note(member, joined.GetValueOrDefault(member.Name));
        }
        foreach (var member in all)
        {
            roster.Drain(member.Name, drain: true);
            await EndAsync(member.Name, CancellationToken.None);
        }
        if (!await WaitAsync(all, patience))
        {
            foreach (var member in all.Where(m => !m.Ended.Task.IsCompleted))
                await StopAsync(member.Name, CancellationToken.None);
            await WaitAsync(all, LongestFarewell);
        }
        Task released;
        lock (gate)
            released = Task.WhenAll(farewells);
        await released;
    }

    /// <summary>Looks again and again, as not every launcher tells when a worker ends.</summary>
    private async Task<bool> WaitAsync(IEnumerable<Member> all, TimeSpan patience)
    {
        var (begun, ended) = (time.GetTimestamp(), Task.WhenAll(all.Select(m => m.Ended.Task)));
        while (!ended.IsCompleted && patience - time.GetElapsedTime(begun) is var left && left > TimeSpan.Zero)
        {
            await Task.WhenAny(ended, Task.Delay(left < LookEvery ? left : LookEvery, time));
            try
            {
                await LookAsync(CancellationToken.None);
            }
            catch (Exception failed) when (failed is not OutOfMemoryException)
            {
                LogNotListed(failed);
            }
        }
        return ended.IsCompleted;
    }

    /// <summary>One that can't be stopped keeps nobody from being told or stopped; it is tried again.</summary>
    private async Task StopAsync(string worker, CancellationToken cancel)
    {
        try
        {
            await launcher.StopAsync(worker, cancel);
        }
        catch (Exception failed) when (failed is not (OutOfMemoryException or OperationCanceledException))
        {
            LogNotStopped(failed, worker);
        }
    }

    /// <summary>Tells a worker to end for good, as one has to that has not joined: it knows no numbered orders yet, and has no job.</summary>
    private async Task EndAsync(string worker, CancellationToken cancel)
    {
        lock (gate)
        {
            if (!members.TryGetValue(worker, out var member))
                return;
            // It may have joined whoever scaled it before, and have a job from there. It will join here, or be overdue.
            if (IsShared && member is { WasThere: true, HasJoined: false })
                return;
            member.EndingSince ??= time.GetTimestamp();
        }
        if (launcher is IWorkerLine line)
            line.Drain(worker, order: null);
        else if (!roster.Has(worker))
            await StopAsync(worker, cancel);
    }

    private async Task LookAsync(CancellationToken cancel)
    {
        var asked = time.GetTimestamp();
        var listed = (await launcher.ListAsync(cancel)).ToDictionary(w => w.Name, StringComparer.Ordinal);
        var joined = roster.List().ToDictionary(w => w.Id, StringComparer.Ordinal);
        List<string> vanished;
        lock (gate)
        {
            foreach (var worker in listed.Values.Where(w => !members.ContainsKey(w.Name) && !ended.Contains(w.Name)))
            {
                members[worker.Name] = new Member(worker.Name, time.GetTimestamp(), worker.Age)
                {
                    WasThere = !hasLooked,
                    IsRetired = WasOnItsWay(worker, asked),
                };
            }
            hasLooked = true;
            ended.IntersectWith(listed.Keys);
            foreach (var member in members.Values)
                Note(member, joined.GetValueOrDefault(member.Name));
            vanished = [.. members.Keys.Where(name => !listed.ContainsKey(name))];
        }
        foreach (var worker in vanished)
            End(new WorkerExit(worker, Status: null, []));
    }

    /// <summary>
    /// Those that have not joined here may have joined the one that scaled them before, and need time to come over. When they were
    /// ready is not known, as of those that were there already.
    /// </summary>
    private void BeginAnew()
    {
        var joined = roster.List().Select(w => w.Id).ToHashSet(StringComparer.Ordinal);
        lock (gate)
        {
            foreach (var member in members.Values.Where(m => !joined.Contains(m.Name)).ToList())
                members[member.Name] = new Member(member.Name, time.GetTimestamp(), Age(member)) { WasThere = true, IsRetired = member.IsRetired };
        }
    }

    /// <summary>Whether it has joined or left since the last look.</summary>
    private void Note(Member member, WorkerView? joined)
    {
        if (joined is null && member is { HasJoined: true, EndingSince: null })
            (member.EndingSince, member.HasVanished) = (time.GetTimestamp(), true);
        // Nobody told it to end: it was silent, as while the store was away, and has joined again.
        else if (joined is not null && member.HasVanished)
            (member.EndingSince, member.HasVanished) = (null, false);
        if (joined is null)
            return;
        member.HasJoined = true;
        // One that loads its first model is not yet of use, and may never be.
        if (member.IsReady || roster.ReadyFor(member.Name) is not { } ready)
            return;
        member.IsReady = true;
        failedBoots = 0;
        // Of one that was there already it is not known when it was first ready.
        if (!member.WasThere)
            Meter?.Booted(Age(member) - ready);
    }

    private List<string> Overdue()
    {
        var overdue = new List<string>();
        lock (gate)
        {
            foreach (var member in members.Values)
            {
                var isLate = member.EndingSince is { } ending
                    ? !roster.Has(member.Name) && time.GetElapsedTime(ending) > LongestFarewell
                    : member.StoppedAt is not null
                        || (member.HasJoined ? !member.IsReady && LoadsTooLong(member.Name) : time.GetElapsedTime(member.SeenAt) > longestBoot);
                if (!isLate || (member.StoppedAt is { } stopped && time.GetElapsedTime(stopped) <= LongestFarewell))
                    continue;
                // What starts that slowly once may do so again, and is not to be stopped for ever.
                if (member.EndingSince is null && member.StoppedAt is null && !member.HasJoined)
                    longestBoot = longestBoot * 2 < LastLongestBoot ? longestBoot * 2 : LastLongestBoot;
                member.StoppedAt = time.GetTimestamp();
                overdue.Add(member.Name);
            }
        }
        return overdue;
    }

    /// <summary>True once, as what it loads is given more time then.</summary>
    private bool LoadsTooLong(string worker)
    {
        var late = roster.LoadingBy(worker).Where(l => l.For > roster.Loads.PatienceFor(l.Model)).Select(l => l.Model).ToList();
        late.ForEach(roster.Loads.NoteLate);
        return late.Count > 0;
    }

    private WorkerView View(Member member, WorkerView? joined)
    {
        var age = Age(member);
        if (member.EndingSince is { } since)
            return new(member.Name, WorkerState.Draining, age, time.GetElapsedTime(since));
        if (joined is not null)
            return joined with { Age = age };
        if (member.HasJoined)
            return new(member.Name, WorkerState.Draining, age, TimeSpan.Zero);
        // One that was there before this controller is not to be given up for its age: it comes over, however old it is.
        return new(member.Name, WorkerState.Booting, age, member.WasThere ? time.GetElapsedTime(member.SeenAt) : age);
    }

    private TimeSpan Age(Member member) => member.AgeWhenSeen + time.GetElapsedTime(member.SeenAt);

    private void NoteNotStarted()
    {
        lock (gate)
        {
            failedBoots++;
            backoff.Note(free: 0);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Worker {Worker} could not be stopped; it is tried again")]
    private partial void LogNotStopped(Exception exception, string worker);

    [LoggerMessage(Level = LogLevel.Warning, Message = "It can't be seen which workers have ended; it is tried again")]
    private partial void LogNotListed(Exception exception);

    private sealed class Member(string name, long seenAt, TimeSpan ageWhenSeen)
    {
        public string Name { get; } = name;

        /// <summary>When it was first seen here; patience begins then, also with one that is older than this controller.</summary>
        public long SeenAt { get; } = seenAt;

        public TimeSpan AgeWhenSeen { get; } = ageWhenSeen;

        /// <summary>True when it was there before this controller.</summary>
        public bool WasThere { get; init; }

        public bool HasJoined { get; set; }

        /// <summary>True for one that is to end whatever comes.</summary>
        public bool IsRetired { get; set; }

        /// <summary>True once it could take jobs.</summary>
        public bool IsReady { get; set; }

        public long? StoppedAt { get; set; }

        /// <summary>True when it was taken to end since it is no longer joined.</summary>
        public bool HasVanished { get; set; }

        /// <summary>Since when it is to end and can't be kept; null while it may go on.</summary>
        public long? EndingSince { get; set; }

        public TaskCompletionSource Ended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
