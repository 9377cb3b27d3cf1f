using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Conformance;

/// <summary>
/// Does random things to the service, knows what has to come of each, and compares. The seed names the run: it is
/// in every message, and the same seed does the same again.
/// </summary>
internal sealed class JobServiceModel(int seed, ManualClock clock, LeaseSettings settings, RetrySchedule retries)
{
    private static readonly string[] Queues = ["detect", "classify"];
    private static readonly string[] Workers = ["w1", "w2", "w3"];

    private readonly RandomSource random = RandomSource.Seeded(seed);
    private readonly Dictionary<JobId, ModelJob> jobs = [];
    private readonly Dictionary<string, JobId> keys = new(StringComparer.Ordinal);
    private readonly List<Lease> leases = [];
    private readonly List<string> history = [];
    private long ended;

    /// <summary>What the model knows of a job.</summary>
    private sealed class ModelJob
    {
        public required JobId Id { get; init; }

        public required string Queue { get; init; }

        public required JobPriority Priority { get; init; }

        public required DateTimeOffset NotBefore { get; init; }

        public DateTimeOffset Expires { get; set; }

        public int Redrives { get; set; }

        public JobState State { get; set; }

        public int FencingToken { get; set; }

        public int Attempts { get; set; }

        public bool Isolated { get; set; }

        public string? Worker { get; set; }

        public DateTimeOffset LeasedUntil { get; set; }

        public int? ResultToken { get; set; }

        public string? LastRow { get; set; }
    }

    /// <summary>Does one thing; true when the service is to be closed and opened again.</summary>
    public async Task<bool> StepAsync(IJobStore store, JobService service)
    {
        switch (Pick(100))
        {
            case < 19:
                await SubmitAsync(store);
                break;
            case < 20:
                await RedriveAsync(service);
                break;
            case < 45:
                await TakeAsync(service);
                break;
            case < 55:
                await HeartbeatAsync(service);
                break;
            case < 75:
                await FinishAsync(service);
                break;
            case < 80:
                await CancelAsync(store);
                break;
            case < 88:
                Advance(TimeSpan.FromMilliseconds(Pick(40_000)));
                break;
            case < 93:
                await ReapAsync(store);
                break;
            case < 95:
                await ReleaseAsync(service);
                break;
            case < 98:
                await ExpireAsync(store);
                break;
            default:
                Note("reopen");
                return true;
        }
        return false;
    }

    /// <summary>Compares every row with what the model knows.</summary>
    public async Task CheckAsync(IJobStore store, int step)
    {
        foreach (var job in jobs.Values)
        {
            var row = await store.FindAsync(job.Id, default);
            if (row is null)
                throw Broken(step, $"{job.Id} is gone");
            if ((row.State, row.FencingToken, row.Attempts, row.Isolated, row.Redrives) != (job.State, job.FencingToken, job.Attempts, job.Isolated, job.Redrives))
            {
                throw Broken(step,
                    $"{job.Id} is {row.State} token {row.FencingToken} attempts {row.Attempts} isolated {row.Isolated}, "
                    + $"should be {job.State} token {job.FencingToken} attempts {job.Attempts} isolated {job.Isolated}");
            }
            if (row.Attempts > retries.MaxAttempts || row.Attempts > row.FencingToken)
                throw Broken(step, $"{job.Id} has {row.Attempts} attempts in {row.FencingToken} leases");
            if (row.Result != (job.ResultToken is { } token ? SampleJobs.Result(token) : null))
                throw Broken(step, $"{job.Id} has the result {row.Result}, should be that of token {job.ResultToken}");
            if (row.State.IsTerminal() != row.Finished is not null)
                throw Broken(step, $"{job.Id} is {row.State} and finished {row.Finished}");
            var print = SampleJobs.Print(row);
            if (job.State.IsTerminal() && job.LastRow is not null && job.LastRow != print)
                throw Broken(step, $"{job.Id} had ended and changed from {job.LastRow} to {print}");
            job.LastRow = job.State.IsTerminal() ? print : null;
        }

        var counts = await store.CountAsync(default);
        var wanted = jobs.Values.ToLookup(j => j.State);
        long[] seen =
            [counts.Jobs.Queued, counts.Jobs.Running, counts.Jobs.Succeeded, counts.Jobs.Failed, counts.Jobs.Dead, counts.Jobs.Cancelled];
        foreach (var state in Enum.GetValues<JobState>())
        {
            if (seen[(int)state] != wanted[state].Count())
                throw Broken(step, $"{seen[(int)state]} {state} jobs are counted, there are {wanted[state].Count()}");
        }
        if (counts.Jobs.Ended != ended)
            throw Broken(step, $"{counts.Jobs.Ended} jobs are said to have ended, {ended} have");
        foreach (var line in Queues.SelectMany(q => Enum.GetValues<JobPriority>().Select(p => (Queue: q, Priority: p))))
        {
            var waiting = wanted[JobState.Queued].LongCount(j => j.Queue == line.Queue && j.Priority == line.Priority);
            var said = counts.Backlogs.SingleOrDefault(b => b.Queue == line.Queue && b.Priority == line.Priority);
            if (waiting != (said?.All ?? 0) || said?.Delayed > waiting)
                throw Broken(step, $"{said} is counted for {line}, {waiting} wait");
        }
    }

    /// <summary>Lets an honest worker finish what is left; every job has to end.</summary>
    public async Task DrainAsync(IJobStore store, JobService service)
    {
        for (var round = 0; jobs.Values.Any(j => !j.State.IsTerminal()); round++)
        {
            if (round == 200)
                throw Broken(round, $"{jobs.Values.Count(j => !j.State.IsTerminal())} jobs never end");
            Advance(settings.Duration);
            await ReapAsync(store);
            await ExpireAsync(store);
            while (await TakeAsync(service) is { } lease)
                await FinishAsync(service, lease, SampleJobs.Done(width: lease.FencingToken));
            await CheckAsync(store, round);
        }
    }

    private async Task SubmitAsync(IJobStore store)
    {
        var wanted = new List<NewJob>();
        for (var i = 0; i <= Pick(3); i++)
        {
            var key = Pick(3) == 0 ? $"key {Pick(10)}" : null;
            wanted.Add(SampleJobs.New(Queues[Pick(2)], key, id: JobId.New(random, clock)).Having(spec => spec with
            {
                Priority = (JobPriority)Pick(3),
                NotBefore = Pick(4) == 0 ? clock.GetUtcNow() + TimeSpan.FromSeconds(Pick(20)) : null,
                Expires = Pick(4) == 0 ? clock.GetUtcNow() + TimeSpan.FromSeconds(20 + Pick(60)) : null,
            }));
        }
        var added = await store.AddAsync(wanted, default);
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
                Queue = wanted[i].Spec.Queue,
                Priority = wanted[i].Spec.Priority,
                NotBefore = wanted[i].Spec.NotBefore ?? clock.GetUtcNow(),
                Expires = wanted[i].Spec.Expires ?? DateTimeOffset.MaxValue,
            });
        }
    }

    private async Task<Lease?> TakeAsync(JobService service)
    {
        var queues = Pick(3) switch { 0 => Queues[..1], 1 => Queues[1..], _ => Queues };
        var worker = Workers[Pick(Workers.Length)];
        var started = await service.TakeAsync(worker, queues, TimeSpan.Zero, default);
        Note($"take {started?.Job.Id}");
        if (started is null)
            return null;
        var job = jobs[started.Job.Id];
        if (job.State != JobState.Queued || !queues.Contains(job.Queue, StringComparer.Ordinal))
            throw Broken(0, $"{job.Id} was given out, which is {job.State} in {job.Queue}");
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

    private async Task HeartbeatAsync(JobService service)
    {
        if (leases.Count == 0)
            return;
        var lease = leases[Pick(leases.Count)];
        Note($"heartbeat {lease.Job} token {lease.FencingToken}");
        var held = IsHeld(lease);
        var lost = (await service.HeartbeatAsync(lease.Worker, [lease], default)).Lost;
        if (held != (lost.Count == 0))
            throw Broken(0, $"a heartbeat of token {lease.FencingToken} of {lease.Job} should be heard: {held}");
        if (held)
            jobs[lease.Job].LeasedUntil = clock.GetUtcNow() + settings.Duration;
    }

    private Task FinishAsync(JobService service)
    {
        if (leases.Count == 0)
            return Task.CompletedTask;
        // Any lease that ever was, so that most of these come late or twice.
        var lease = leases[Pick(3) == 0 ? Pick(leases.Count) : leases.Count - 1 - Pick(Math.Min(5, leases.Count))];
        return FinishAsync(service, lease, Pick(5) switch
        {
            0 => SampleJobs.Retry(),
            1 => SampleJobs.Retry(spendAttempt: false),
            2 => SampleJobs.Reject(),
            _ => SampleJobs.Done(width: lease.FencingToken),
        });
    }

    private async Task FinishAsync(JobService service, Lease lease, JobOutcome outcome)
    {
        Note($"finish {lease.Job} token {lease.FencingToken} {outcome.GetType().Name}");
        var held = IsHeld(lease);
        if (await service.FinishAsync(lease, outcome, default) != held)
            throw Broken(0, $"the end of token {lease.FencingToken} of {lease.Job} should be taken: {held}");
        if (!held)
            return;
        var job = jobs[lease.Job];
        switch (outcome)
        {
            case JobOutcome.Done:
                End(job, JobState.Succeeded);
                job.ResultToken = lease.FencingToken;
                break;
            case JobOutcome.Reject:
                End(job, JobState.Failed);
                break;
            case JobOutcome.Retry retry:
                EndAttempt(job, retry.SpendAttempt, died: false);
                break;
        }
    }

    private async Task CancelAsync(IJobStore store)
    {
        if (jobs.Count == 0)
            return;
        var job = jobs.Values.ElementAt(Pick(jobs.Count));
        Note($"cancel {job.Id}");
        await store.CancelAsync(job.Id, null, default);
        if (!job.State.IsTerminal())
            End(job, JobState.Cancelled);
    }

    private async Task ReapAsync(IJobStore store)
    {
        Note("reap");
        await store.ReapAsync(1000, default);
        foreach (var job in jobs.Values.Where(j => j.State == JobState.Running && j.LeasedUntil <= clock.GetUtcNow()))
        {
            EndAttempt(job, spend: true, died: true);
            job.Isolated = true;
        }
    }

    private async Task ReleaseAsync(JobService service)
    {
        var (worker, spend) = (Workers[Pick(Workers.Length)], Pick(2) == 0);
        Note($"release {worker} {spend}");
        await service.ReleaseAsync(worker, SampleJobs.Fault, spend, default);
        foreach (var job in jobs.Values.Where(j => j.State == JobState.Running && j.Worker == worker))
        {
            EndAttempt(job, spend, died: spend);
            job.Isolated |= spend;
        }
    }

    private async Task ExpireAsync(IJobStore store)
    {
        Note("expire");
        await store.ExpireAsync(1000, default);
        foreach (var job in jobs.Values.Where(j => j.State == JobState.Queued && j.Expires <= clock.GetUtcNow()))
            End(job, JobState.Failed);
    }

    private async Task RedriveAsync(JobService service)
    {
        var dead = jobs.Values.Where(j => j.State == JobState.Dead).ToList();
        Note($"redrive {dead.Count}");
        if (await service.RedriveAsync(JobCaller.Self, new RedriveFilter { Limit = 7 }, default) != dead.Count)
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

    private void Advance(TimeSpan by)
    {
        Note($"advance {by}");
        clock.Advance(by);
    }

    private void EndAttempt(ModelJob job, bool spend, bool died)
    {
        if (spend && job.Attempts >= (died ? Math.Min(retries.MaxDeaths, retries.MaxAttempts) : retries.MaxAttempts))
            End(job, JobState.Dead);
        else
            job.State = JobState.Queued;
        if (!spend)
            job.Attempts--;
    }

    private void End(ModelJob job, JobState state)
    {
        job.State = state;
        ended++;
    }

    private bool IsHeld(Lease lease) =>
        jobs[lease.Job] is { State: JobState.Running } job && job.FencingToken == lease.FencingToken;

    private int Pick(int count) => (int)(random.NextDouble() * count);

    private void Note(string what) => history.Add(what);

    private InvalidOperationException Broken(int step, string what) =>
        new($"Seed {seed}, step {step}: {what}. What happened last:{Environment.NewLine}{string.Join(Environment.NewLine, history.TakeLast(40))}");
}
