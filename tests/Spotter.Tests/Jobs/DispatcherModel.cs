using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Tests.Jobs;

/// <summary>
/// Does random things to a deployment, knows what has to come of each, and compares. The seed names the run: it is
/// in every message, and the same seed does the same again.
/// </summary>
internal sealed class DispatcherModel(int seed, ManualClock clock, LeaseSettings settings, RetrySchedule retries)
{
    private static readonly string[] EngineNames = ["detect", "classify"];
    private static readonly string[] Workers = ["w1", "w2", "w3"];

    private readonly RandomSource random = RandomSource.Seeded(seed);
    private readonly Dictionary<JobId, ModelJob> jobs = [];
    private readonly Dictionary<string, JobId> keys = new(StringComparer.Ordinal);
    private readonly List<Lease> leases = [];
    private readonly List<string> history = [];

    /// <summary>What the model knows of a job.</summary>
    private sealed class ModelJob
    {
        public required JobId Id { get; init; }

        public required string Engine { get; init; }

        public required DateTimeOffset NotBefore { get; init; }

        public DateTimeOffset Expires { get; set; }

        public int Redrives { get; set; }

        public JobState State { get; set; }

        public int FencingToken { get; set; }

        public int Attempts { get; set; }

        public bool Isolated { get; set; }

        public string? Worker { get; set; }

        public DateTimeOffset LeasedUntil { get; set; }

        public int? ResultEpoch { get; set; }

        public string? LastRow { get; set; }
    }

    /// <summary>Does one thing; true when the deployment is to be closed and opened again.</summary>
    public async Task<bool> StepAsync(Ports ports, Dispatcher dispatcher)
    {
        switch (Pick(100))
        {
            case < 19:
                await SubmitAsync(dispatcher);
                break;
            case < 20:
                await RedriveAsync(dispatcher);
                break;
            case < 45:
                await TakeAsync(dispatcher);
                break;
            case < 55:
                await HeartbeatAsync(dispatcher);
                break;
            case < 75:
                await FinishAsync(dispatcher);
                break;
            case < 80:
                await CancelAsync(ports);
                break;
            case < 88:
                Advance(TimeSpan.FromMilliseconds(Pick(40_000)));
                break;
            case < 92:
                await ReapAsync(dispatcher);
                break;
            case < 94:
                await ReleaseAsync(dispatcher);
                break;
            case < 96:
                Note("sweep");
                await dispatcher.SweepAsync(settings.Overdue, 0, 100, default);
                break;
            case < 97:
                await ExpireAsync(ports);
                await LoseAsync(ports);
                break;
            case < 98:
                await DoubleAsync(ports);
                break;
            default:
                Note("reopen");
                return true;
        }
        return false;
    }

    /// <summary>Compares every row with what the model knows.</summary>
    public async Task CheckAsync(Ports ports, int step)
    {
        foreach (var job in jobs.Values)
        {
            var row = await ports.Jobs.FindAsync(job.Id, default);
            if (row is null)
                throw Broken(step, $"{job.Id} is gone");
            if ((row.State, row.FencingToken, row.Attempts, row.Isolated, row.Redrives) != (job.State, job.FencingToken, job.Attempts, job.Isolated, job.Redrives))
            {
                throw Broken(step,
                    $"{job.Id} is {row.State} epoch {row.FencingToken} attempts {row.Attempts} solo {row.Isolated}, "
                    + $"should be {job.State} epoch {job.FencingToken} attempts {job.Attempts} solo {job.Isolated}");
            }
            if (row.Attempts > retries.MaxAttempts || row.Attempts > row.FencingToken)
                throw Broken(step, $"{job.Id} has {row.Attempts} attempts in {row.FencingToken} epochs");
            if (row.Result?.Width != job.ResultEpoch)
                throw Broken(step, $"{job.Id} has the result of epoch {row.Result?.Width}, should be {job.ResultEpoch}");
            if (row.State.IsTerminal() != row.Finished is not null)
                throw Broken(step, $"{job.Id} is {row.State} and finished {row.Finished}");
            var print = SampleJobs.Print(row);
            if (job.State.IsTerminal() && job.LastRow is not null && job.LastRow != print)
                throw Broken(step, $"{job.Id} had ended and changed from {job.LastRow} to {print}");
            job.LastRow = job.State.IsTerminal() ? print : null;
        }

        foreach (var engine in EngineNames)
        {
            var counts = await ports.Jobs.CountAsync(engine, default);
            var wanted = jobs.Values.Where(j => j.Engine == engine).ToLookup(j => j.State);
            long[] seen = [counts.Queued, counts.Running, counts.Succeeded, counts.Failed, counts.Dead, counts.Cancelled];
            foreach (var state in Enum.GetValues<JobState>())
            {
                if (seen[(int)state] != wanted[state].Count())
                    throw Broken(step, $"{seen[(int)state]} {state} {engine} jobs are counted, there are {wanted[state].Count()}");
            }
        }
    }

    /// <summary>Lets an honest worker finish what is left; every job has to end.</summary>
    public async Task DrainAsync(Ports ports, Dispatcher dispatcher)
    {
        for (var round = 0; jobs.Values.Any(j => !j.State.IsTerminal()); round++)
        {
            if (round == 200)
                throw Broken(round, $"{jobs.Values.Count(j => !j.State.IsTerminal())} jobs never end");
            Advance(settings.Overdue);
            await ReapAsync(dispatcher);
            await ExpireAsync(ports);
            await dispatcher.SweepAsync(settings.Overdue, 0, 1000, default);
            while (await TakeAsync(dispatcher) is { } lease)
                await FinishAsync(dispatcher, lease, SampleJobs.Done(width: lease.FencingToken));
            await CheckAsync(ports, round);
        }
    }

    private async Task SubmitAsync(Dispatcher dispatcher)
    {
        var wanted = new List<NewJob>();
        for (var i = 0; i <= Pick(3); i++)
        {
            var key = Pick(3) == 0 ? $"key {Pick(10)}" : null;
            wanted.Add(SampleJobs.New(EngineNames[Pick(2)], key, id: JobId.New(random)) with
            {
                Priority = (JobPriority)Pick(3),
                NotBefore = Pick(4) == 0 ? clock.GetUtcNow() + TimeSpan.FromSeconds(Pick(20)) : null,
                Expires = Pick(4) == 0 ? clock.GetUtcNow() + TimeSpan.FromSeconds(20 + Pick(60)) : null,
            });
        }
        var added = await dispatcher.AcceptAsync(wanted, default);
        for (var i = 0; i < wanted.Count; i++)
        {
            Note($"submit {wanted[i].Id} {wanted[i].IdempotencyKey}");
            if (wanted[i].IdempotencyKey is { } key)
            {
                if (keys.TryGetValue(key, out var known))
                {
                    if (added[i].IsNew || added[i].Job.Id != known)
                        throw Broken(0, $"'{key}' made {added[i].Job.Id} beside {known}");
                    continue;
                }
                keys.Add(key, wanted[i].Id);
            }
            if (!added[i].IsNew)
                throw Broken(0, $"{wanted[i].Id} is said to be known");
            jobs.Add(wanted[i].Id, new ModelJob
            {
                Id = wanted[i].Id,
                Engine = wanted[i].Engine,
                NotBefore = wanted[i].NotBefore ?? clock.GetUtcNow(),
                Expires = wanted[i].Expires ?? DateTimeOffset.MaxValue,
            });
        }
    }

    private async Task<Lease?> TakeAsync(Dispatcher dispatcher)
    {
        var engines = Pick(3) switch { 0 => EngineNames[..1], 1 => EngineNames[1..], _ => EngineNames };
        var worker = Workers[Pick(Workers.Length)];
        var started = await dispatcher.TakeAsync(worker, engines, TimeSpan.Zero, default);
        Note($"take {started?.Job.Id}");
        if (started is null)
            return null;
        var job = jobs[started.Job.Id];
        if (job.State != JobState.Queued || !engines.Contains(job.Engine, StringComparer.Ordinal))
            throw Broken(0, $"{job.Id} was given out, which is {job.State} for {job.Engine}");
        if (clock.GetUtcNow() < job.NotBefore || clock.GetUtcNow() >= job.Expires)
            throw Broken(0, $"{job.Id} was given out, which is for {job.NotBefore} to {job.Expires}");
        job.State = JobState.Running;
        job.FencingToken++;
        job.Attempts++;
        job.Worker = worker;
        job.LeasedUntil = clock.GetUtcNow() + settings.Duration;
        leases.Add(started.Lease);
        if ((started.Lease.FencingToken, started.Lease.Attempt) != (job.FencingToken, job.Attempts))
            throw Broken(0, $"{job.Id} was given out with {started.Lease}");
        return started.Lease;
    }

    private async Task HeartbeatAsync(Dispatcher dispatcher)
    {
        if (leases.Count == 0)
            return;
        var lease = leases[Pick(leases.Count)];
        Note($"beat {lease.Job} epoch {lease.FencingToken}");
        var held = IsHeld(lease);
        if (await dispatcher.ExtendAsync(lease, default) != held)
            throw Broken(0, $"a beat of epoch {lease.FencingToken} of {lease.Job} should be heard: {held}");
        if (held)
            jobs[lease.Job].LeasedUntil = clock.GetUtcNow() + settings.Duration;
    }

    private Task FinishAsync(Dispatcher dispatcher)
    {
        if (leases.Count == 0)
            return Task.CompletedTask;
        // Any lease that ever was, so that most of these come late or twice.
        var lease = leases[Pick(3) == 0 ? Pick(leases.Count) : leases.Count - 1 - Pick(Math.Min(5, leases.Count))];
        return FinishAsync(dispatcher, lease, Pick(5) switch
        {
            0 => SampleJobs.Retry(),
            1 => SampleJobs.Retry(spendAttempt: false),
            2 => SampleJobs.Reject(),
            _ => SampleJobs.Done(width: lease.FencingToken),
        });
    }

    private async Task FinishAsync(Dispatcher dispatcher, Lease lease, JobOutcome outcome)
    {
        Note($"finish {lease.Job} epoch {lease.FencingToken} {outcome.GetType().Name}");
        var held = IsHeld(lease);
        if (await dispatcher.FinishAsync(lease, outcome, default) != held)
            throw Broken(0, $"the end of epoch {lease.FencingToken} of {lease.Job} should be taken: {held}");
        if (!held)
            return;
        var job = jobs[lease.Job];
        switch (outcome)
        {
            case JobOutcome.Done:
                job.State = JobState.Succeeded;
                job.ResultEpoch = lease.FencingToken;
                break;
            case JobOutcome.Reject:
                job.State = JobState.Failed;
                break;
            case JobOutcome.Retry retry:
                EndAttempt(job, retry.SpendAttempt, died: false);
                break;
        }
    }

    private async Task CancelAsync(Ports ports)
    {
        if (jobs.Count == 0)
            return;
        var job = jobs.Values.ElementAt(Pick(jobs.Count));
        Note($"cancel {job.Id}");
        await ports.Jobs.CancelAsync(job.Id, null, default);
        if (!job.State.IsTerminal())
            job.State = JobState.Cancelled;
    }

    private async Task ReapAsync(Dispatcher dispatcher)
    {
        Note("reap");
        await dispatcher.ReapAsync(1000, default);
        foreach (var job in jobs.Values.Where(j => j.State == JobState.Running && j.LeasedUntil <= clock.GetUtcNow()))
        {
            EndAttempt(job, spend: true, died: true);
            job.Isolated = true;
        }
    }

    private async Task ReleaseAsync(Dispatcher dispatcher)
    {
        var (worker, spend) = (Workers[Pick(Workers.Length)], Pick(2) == 0);
        Note($"release {worker} {spend}");
        await dispatcher.ReleaseAsync(worker, SampleJobs.Fault, spend, default);
        foreach (var job in jobs.Values.Where(j => j.State == JobState.Running && j.Worker == worker))
        {
            EndAttempt(job, spend, died: spend);
            job.Isolated |= spend;
        }
    }

    private async Task ExpireAsync(Ports ports)
    {
        Note("expire");
        await ports.Jobs.ExpireAsync(1000, default);
        foreach (var job in jobs.Values.Where(j => j.State == JobState.Queued && j.Expires <= clock.GetUtcNow()))
            job.State = JobState.Failed;
    }

    private async Task RedriveAsync(Dispatcher dispatcher)
    {
        var dead = jobs.Values.Where(j => j.State == JobState.Dead).ToList();
        Note($"redrive {dead.Count}");
        if (await dispatcher.RedriveAsync(new RedriveFilter { Limit = 1000 }, null, default) != dead.Count)
            throw Broken(0, $"{dead.Count} dead jobs should be redriven");
        foreach (var job in dead)
        {
            job.State = JobState.Queued;
            job.Attempts = 0;
            job.Redrives++;
            job.Expires = DateTimeOffset.MaxValue;
            job.LastRow = null;
        }
    }

    /// <summary>The queue loses an id.</summary>
    private async Task LoseAsync(Ports ports)
    {
        if (await ports.Queue.TakeAsync(EngineNames, settings.Duration, TimeSpan.Zero, default) is not { } lost)
            return;
        Note($"lose {lost.Job}");
        await ports.Queue.CompleteAsync(lost, default);
    }

    /// <summary>The queue delivers an id that it should not.</summary>
    private async Task DoubleAsync(Ports ports)
    {
        if (jobs.Count == 0)
            return;
        var job = jobs.Values.ElementAt(Pick(jobs.Count));
        Note($"double {job.Id}");
        await ports.Queue.EnqueueAsync(job.Id, job.Engine, JobPriority.Normal, TimeSpan.Zero, default);
    }

    private void Advance(TimeSpan by)
    {
        Note($"advance {by}");
        clock.Advance(by);
    }

    private void EndAttempt(ModelJob job, bool spend, bool died)
    {
        job.State = spend && job.Attempts >= (died ? Math.Min(retries.MaxDeaths, retries.MaxAttempts) : retries.MaxAttempts) ? JobState.Dead : JobState.Queued;
        if (!spend)
            job.Attempts--;
    }

    private bool IsHeld(Lease lease) =>
        jobs[lease.Job] is { State: JobState.Running } job && job.FencingToken == lease.FencingToken;

    private int Pick(int count) => (int)(random.NextDouble() * count);

    private void Note(string what) => history.Add(what);

    private InvalidOperationException Broken(int step, string what) =>
        new($"Seed {seed}, step {step}: {what}. What happened last:{Environment.NewLine}{string.Join(Environment.NewLine, history.TakeLast(40))}");
}
