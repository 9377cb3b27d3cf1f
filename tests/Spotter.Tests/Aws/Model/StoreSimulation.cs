using System.Diagnostics;
using System.Globalization;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Tests.Aws.Model;

/// <summary>How large a simulation is, and which of all possible ones.</summary>
internal sealed record SimulationSize
{
    /// <summary>What SQS allows for a standard queue.</summary>
    public const int MostInFlight = 120_000;

    /// <summary>Jobs of senders.</summary>
    public required int Jobs { get; init; }

    /// <summary>Chooses everything.</summary>
    public required int Seed { get; init; }

    /// <summary>Hears now and then how far it is.</summary>
    public Action<string>? Progress { get; init; }

    /// <summary>With a million jobs what SQS has; as much less as there are fewer jobs, so that it is reached.</summary>
    public int InFlight => (int)Math.Max(60, MostInFlight * (long)Math.Min(Jobs, 1_000_000) / 1_000_000);
}

/// <summary>
/// The real store on models of SQS and DynamoDB: gateways that are killed, senders, workers that stall and die, and everything that goes
/// wrong on the way, while an oracle compares each row with the one before. Hours pass in seconds, on one thread.
/// </summary>
internal sealed partial class StoreSimulation
{
    private const int Gateways = 3;
    private const int Hosts = 40;
    private const int Lanes = 5;
    private const int Batch = 500;

    /// <summary>Jobs a second, about.</summary>
    private const double Rate = 40;

    private static readonly TimeSpan KeepBlobs = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan KeepJobs = TimeSpan.FromMinutes(25);
    private static readonly TimeSpan Longest = TimeSpan.FromHours(3);

    private readonly SimulationSize size;
    private readonly OneThread thread;
    private readonly RandomSource random;
    private readonly JobOracle oracle;
    private readonly ModelCloud cloud;
    private readonly ModelTable table;
    private readonly ModelQueues queues;
    private readonly List<ModelGateway> gateways = [];
    private readonly RetrySchedule retries = new() { FirstDelay = TimeSpan.FromSeconds(4) };
    private readonly List<string> recentKeys = [];
    private TaskCompletionSource workersMayTake = Done();
    private int sent;
    private int nextTold;
    private int kills;
    private int redriven;
    private int purged;
    private int lookedAt;
    private long miscounted;
    private bool isFlooded;
    private readonly Stopwatch watch = Stopwatch.StartNew();

    public StoreSimulation(SimulationSize size)
    {
        this.size = size;
        random = RandomSource.Seeded(size.Seed);
        thread = new OneThread(random);
        oracle = new JobOracle(thread.Clock) { Told = Tell };
        cloud = new ModelCloud(thread.Clock, random, oracle);
        table = new ModelTable(cloud);
        queues = new ModelQueues(cloud, size.InFlight);
    }

    public JobOracle Oracle => oracle;

    public int Kills => kills;

    public long ReachedLimit => queues.All.Sum(q => q.OverLimit);

    /// <summary>Jobs whose messages were lost, and that nobody took for an hour.</summary>
    public int LookedAt => lookedAt;

    public long Lost => queues.All.Sum(q => q.Lost);

    public long Doubled => queues.All.Sum(q => q.Doubled);

    public int MostSeenInFlight => queues.All.Max(q => q.MostSeenInFlight);

    /// <summary>Runs it, and says in some lines what happened.</summary>
    public string Run()
    {
        var began = thread.Clock.GetUtcNow();
        thread.Run(PlayAsync);
        return string.Create(CultureInfo.InvariantCulture, $"""
            seed {size.Seed}: {oracle.Made} jobs made, {oracle.Accepted} accepted, {oracle.Repeated} answered by their key; {oracle.Leases} leases, {oracle.Taken} taken, {redriven} redriven, {purged} purged
            ended: {oracle.EndedAs(JobState.Succeeded)} succeeded, {oracle.EndedAs(JobState.Failed)} failed, {oracle.EndedAs(JobState.Dead)} dead, {oracle.EndedAs(JobState.Cancelled)} cancelled; {oracle.Open} open
            messages: {oracle.Sends} sent, {oracle.Resends} of them again, {Lost} lost, {Doubled} doubled; at most {MostSeenInFlight} of {size.InFlight} in flight, at the limit {ReachedLimit} times; {LookedAt} waited long without one; at most {miscounted} of a line were not counted
            {kills} gateways killed, {cloud.Calls} calls, {cloud.LostAnswers} answers lost; {thread.Clock.GetUtcNow() - began} in {watch.Elapsed.TotalSeconds:0.0} s
            {oracle.ViolationCount} violations{string.Concat(oracle.Violations.Select(v => $"{Environment.NewLine}  {v}"))}
            """);
    }

    private void Tell(string what)
    {
        using var process = Process.GetCurrentProcess();
        size.Progress?.Invoke(string.Create(CultureInfo.InvariantCulture,
            $"{watch.Elapsed.TotalSeconds,7:0} s  {sent,9} of {size.Jobs} sent, {oracle.Open,7} open, {oracle.ViolationCount} violations, {process.WorkingSet64 >> 20,5} MiB  {what}"));
    }

    private static TaskCompletionSource Done()
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        done.SetResult();
        return done;
    }

    private Task WaitAsync(double seconds) => Task.Delay(TimeSpan.FromSeconds(seconds), cloud.Clock);

    /// <summary>Seconds until something that happens so often, by chance.</summary>
    private double Next(double perSecond) => -Math.Log(1 - random.NextDouble()) / perSecond;

    private ModelGateway Any() => gateways[cloud.Below(gateways.Count)];

    private async Task PlayAsync()
    {
        for (var i = 0; i < Gateways; i++)
            await StartAsync(i);
        cloud.Faults = ModelFaults.Usual;
        for (var host = 0; host < Hosts; host++)
            _ = HostAsync(host);
        var others = new CancellationTokenSource();
        _ = RepeatAsync(() => Next(1 / 60.0), KillOneAsync, others.Token);
        _ = RepeatAsync(() => Next(Rate * 0.02), CancelOneAsync, others.Token);
        _ = RepeatAsync(() => 90, RedriveAsync, others.Token);
        _ = RepeatAsync(() => Next(1 / 1800.0), PurgeQueueAsync, others.Token);

        await SendAsync(size.Jobs / 5 * 2);
        Tell("more jobs than may be in flight are taken at once");
        await FloodAsync();
        Tell("that is over");
        await SendAsync(size.Jobs / 5 * 3);
        Tell("nobody takes jobs for an hour");
        await LeaveAloneAsync();
        Tell("that is over");
        await SendAsync(size.Jobs / 5 * 4);
        Tell("everything is away for days");
        await BeAwayAsync();
        Tell("that is over");
        await SendAsync(size.Jobs);
        await others.CancelAsync();
        Tell("all is sent");
        await EndAsync();
        Tell("all has ended");
        await CountAsync();
    }

    /// <summary>Does something again and again until it is over.</summary>
    private async Task RepeatAsync(Func<double> pause, Func<Task> action, CancellationToken over)
    {
        while (true)
        {
            await WaitAsync(pause());
            if (over.IsCancellationRequested)
                return;
            if (workersMayTake.Task.IsCompleted)
                await action();
        }
    }

    private async Task StartAsync(int place)
    {
        var gateway = new ModelGateway(cloud, table, queues, retries, random);
        if (place < gateways.Count)
            gateways[place] = gateway;
        else
            gateways.Add(gateway);
        await gateway.StartAsync();
        _ = TendAsync(gateway);
    }

    /// <summary>What the service does now and then.</summary>
    private async Task TendAsync(ModelGateway gateway)
    {
        for (var round = 0; !gateway.IsDead; round++)
        {
            await RepeatAsync(gateway, store => store.ReapAsync(Batch, default));
            await RepeatAsync(gateway, store => store.ExpireAsync(Batch, default));
            if (round % 12 == 0)
            {
                if (await gateway.AskAsync(store => store.ExpireBlobsAsync(cloud.Now - KeepBlobs, Batch, default)) is { Answer: { } gone })
                    oracle.Gone(gone);
                purged += await RepeatAsync(gateway, store => store.PurgeAsync(cloud.Now - KeepJobs, Batch, default));
                await gateway.AskAsync(store => store.CountAsync(default));
            }
            await WaitAsync(5);
        }
    }

    /// <summary>Batch after batch while they are full, as the service does.</summary>
    private static async Task<int> RepeatAsync(ModelGateway gateway, Func<IJobStore, Task<int>> batch)
    {
        var sum = 0;
        for (var i = 0; i < 20; i++)
        {
            var done = (await gateway.AskAsync(batch)).Answer;
            sum += done;
            if (done < Batch)
                break;
        }
        return sum;
    }

    /// <summary>One of them is gone from one moment to the next, whatever it was doing.</summary>
    private async Task KillOneAsync()
    {
        var place = cloud.Below(gateways.Count);
        gateways[place].Kill();
        kills++;
        await WaitAsync(cloud.Between(0, 10));
        await StartAsync(place);
    }

    private async Task CancelOneAsync()
    {
        if (oracle.Some(cloud.Below(int.MaxValue)) is not { } id)
            return;
        oracle.WillCancel(id);
        await Any().AskAsync(store => store.CancelAsync(id, "somebody", default));
    }

    private async Task RedriveAsync() =>
        redriven += (await Any().AskAsync(store => store.RedriveAsync(new() { Limit = 20 }, "somebody", default))).Answer;

    private Task PurgeQueueAsync()
    {
        // Jobs that are leased for hours get no other message, so a purge would empty what a flood is to fill.
        if (isFlooded)
            return Task.CompletedTask;
        foreach (var queue in queues.All.Where(_ => cloud.Chance(0.5)))
            queue.Purge();
        return Task.CompletedTask;
    }

    /// <summary>All that was sent ends in time.</summary>
    private async Task EndAsync()
    {
        // Those that wait are taken about as fast as they came.
        var until = cloud.Now + Longest + TimeSpan.FromSeconds(oracle.Open / (Rate / 2));
        while (oracle.Open > 0 && cloud.Now < until)
            await WaitAsync(5);
        foreach (var row in oracle.OpenRows.Take(10))
            oracle.Violated($"{row.Job.Id} has not ended: {row.Job.State}, due {row.Due:O}, made {row.Job.Created:O}, sent {row.Sent:O}, token {row.Job.FencingToken}");
    }

    /// <summary>What gateways that were killed took with them is counted anew.</summary>
    private async Task CountAsync()
    {
        const int Delayed = 40;
        var jobs = Enumerable.Range(0, Delayed).Select(_ => NewJob(spec => spec with { NotBefore = cloud.Now + TimeSpan.FromHours(2) })).ToList();
        while (!(await Any().AskAsync(store => store.AddAsync(jobs, default))).IsAnswered)
            jobs = [.. jobs.Select(_ => NewJob(spec => spec with { NotBefore = cloud.Now + TimeSpan.FromHours(2) }))];
        await KillOneAsync();
        cloud.Faults = ModelFaults.None;
        await WaitAsync(40 * 60);
        var open = oracle.Open;
        foreach (var gateway in gateways)
        {
            var counts = (await gateway.AskAsync(store => store.CountAsync(default))).Answer?.Jobs;
            if (counts is null || counts.Queued != open || counts.Running != 0)
                oracle.Violated($"{counts?.Queued} are said to wait and {counts?.Running} to run, and {open} wait");
        }
        foreach (var row in oracle.OpenRows.ToList())
        {
            oracle.WillCancel(row.Job.Id);
            await Any().AskAsync(store => store.CancelAsync(row.Job.Id, "somebody", default));
        }
        if (oracle.Open > 0)
            oracle.Violated($"{oracle.Open} jobs were cancelled and go on");
    }
}
