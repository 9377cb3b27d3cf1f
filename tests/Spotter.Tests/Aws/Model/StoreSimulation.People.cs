using Spotter.Backends.Aws;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Tests.Aws.Model;

/// <summary>Senders and workers, and days on which something special happens.</summary>
internal sealed partial class StoreSimulation
{
    private const string Detect = "detect";
    private const string Classify = "classify";

    /// <summary>Its jobs fail at first.</summary>
    private const string Flaky = "flaky";

    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);
    private static readonly JobPriority[][] Levels = [[JobPriority.High, JobPriority.Normal, JobPriority.Low], [JobPriority.Low, JobPriority.High, JobPriority.Normal]];

    private NewJob NewJob(Func<JobSpec, JobSpec>? change = null, string engine = Detect, string? key = null)
    {
        var id = JobId.New(random, cloud.Clock);
        var spec = new JobSpec { Engine = engine, Inputs = [new InputRef($"{BlobKey.InputsPrefix}{id.Value[^2..]}/{id}", "image/jpeg", 1000, new string('a', 64))] };
        return new NewJob { Id = id, Spec = change is null ? spec : change(spec), IdempotencyKey = key };
    }

    private NewJob NewJob()
    {
        var now = cloud.Now;
        var spec = (JobSpec s) => s with
        {
            Priority = cloud.Chance(0.1) ? JobPriority.High : cloud.Chance(0.1) ? JobPriority.Low : JobPriority.Normal,
            NotBefore = cloud.Chance(0.06) ? now + TimeSpan.FromSeconds(cloud.Between(1, 90)) : cloud.Chance(0.005) ? now + TimeSpan.FromMinutes(cloud.Between(10, 50)) : null,
            Expires = cloud.Chance(0.04) ? now + TimeSpan.FromSeconds(cloud.Between(5, 300)) : null,
        };
        var lateSpec = (JobSpec s) => spec(s) with { NotBefore = now + TimeSpan.FromSeconds(20), Expires = now + TimeSpan.FromSeconds(cloud.Between(20, 23)) };
        string? key = null;
        if (cloud.Chance(0.1))
        {
            key = recentKeys.Count > 0 && cloud.Chance(0.3) ? recentKeys[cloud.Below(recentKeys.Count)] : $"key {sent}";
            recentKeys.Add(key);
            if (recentKeys.Count > 200)
                recentKeys.RemoveRange(0, 100);
        }
        sent++;
        // Some expire before anybody is likely to look.
        return NewJob(cloud.Chance(0.02) ? lateSpec : spec, cloud.Chance(0.3) ? Classify : Detect, key);
    }

    /// <summary>Sends jobs until there are so many.</summary>
    private async Task SendAsync(int until)
    {
        while (sent < until)
        {
            var jobs = Enumerable.Range(0, 1 + cloud.Below(5)).Select(_ => NewJob()).ToList();
            _ = OneThread.StartAsync(() => SendAsync(jobs));
            // Who sends twice in one moment must have one job as well.
            if (jobs.Exists(j => j.IdempotencyKey is not null) && cloud.Chance(0.3))
                _ = OneThread.StartAsync(() => SendAsync(Repeated(jobs)));
            await WaitAsync(Next(Rate / 3));
            if (sent < nextTold)
                continue;
            nextTold = sent + (size.Jobs / 100);
            Tell("");
        }
    }

    /// <summary>Who gets no answer asks again where that can't make a second job: with the same keys.</summary>
    private async Task SendAsync(List<NewJob> jobs)
    {
        for (var tries = 0; tries < 5 && jobs.Count > 0; tries++)
        {
            var asked = cloud.Now;
            var (isAnswered, answer) = await Any().AskAsync(store => store.AddAsync(jobs, default));
            if (isAnswered)
            {
                oracle.Added(jobs, answer!, asked);
                return;
            }
            await WaitAsync(cloud.Between(0.5, 5));
            jobs = Repeated(jobs);
        }
    }

    private List<NewJob> Repeated(List<NewJob> jobs) =>
        [.. jobs.Where(j => j.IdempotencyKey is not null).Select(j => NewJob(_ => j.Spec, key: j.IdempotencyKey))];

    /// <summary>More jobs than may be in flight fail at once and wait, hidden, for another attempt.</summary>
    private async Task FloodAsync()
    {
        var left = size.InFlight * 16 / 10;
        isFlooded = true;
        while (left > 0)
        {
            var jobs = Enumerable.Range(0, Math.Min(left, 40)).Select(_ => NewJob(engine: Flaky)).ToList();
            left -= jobs.Count;
            _ = OneThread.StartAsync(() => SendAsync(jobs));
            await Task.Yield();
        }
        await WaitAsync(10);
        var hoarders = new List<Task>();
        for (var i = 0; i < Hoarders; i++)
            hoarders.Add(HoardAsync($"hoarder{i}"));
        await Task.WhenAll(hoarders);
        isFlooded = false;
    }

    // A gateway fetches with one call at a time, of ten messages, and three minutes pass for a thousand of them: three of them reach
    // SQS's limit after six hours. For longer than that nothing stays hidden.
    private const int Hoarders = 30;
    private static readonly TimeSpan HoardedFor = TimeSpan.FromHours(12);
    private static readonly TimeSpan Hoarding = TimeSpan.FromHours(11);

    /// <summary>Takes all it can get of the flaky ones and keeps it for a while.</summary>
    private async Task HoardAsync(string name)
    {
        var workers = Enumerable.Range(0, 100).Select(i => $"{name}-{i}").ToList();
        var until = cloud.Now + Hoarding;
        while (cloud.Now < until && ReachedLimit < 200)
        {
            var taken = (await Any().AskAsync(store => store.TakeAsync(new([Flaky], Levels[0], workers, HoardedFor), default))).Answer?.Jobs ?? [];
            foreach (var started in taken)
                oracle.Granted(started, workers);
            if (taken.Count == 0)
                await WaitAsync(1);
        }
    }

    /// <summary>Nobody takes jobs for an hour, and all messages are lost: gateways send each again, once.</summary>
    private async Task LeaveAloneAsync()
    {
        workersMayTake = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await WaitAsync(60);
        cloud.Faults = ModelFaults.None;
        foreach (var queue in queues.All)
            queue.Purge();
        var jobs = Enumerable.Range(0, 30).Select(_ => NewJob()).ToList();
        await SendAsync(jobs);
        foreach (var queue in queues.All)
            queue.Purge();
        await WaitAsync(70 * 60);
        var counts = (await Any().AskAsync(store => store.CountAsync(default))).Answer!;
        foreach (var line in oracle.OpenRows.Where(r => r.IsQueued).GroupBy(r => new SqsLine(r.Job.Queue, r.Job.Priority)))
        {
            var messages = queues.Of(SqsQueues.NameOf("spotter", line.Key)).Bodies.ToList();
            var old = line.Where(r => r.MayStart(cloud.Now) && r.Due < cloud.Now - TimeSpan.FromMinutes(40)).ToList();
            lookedAt += old.Count;
            // Nobody looks into the queue, so what it has twice, or of jobs that have ended, counts as well; and where there are more than
            // are counted anew, what was lost with a gateway is missing from the number that the messages are compared with: so many may
            // go without until there are fewer.
            var counted = counts.Backlogs.Where(b => b.Queue == line.Key.Queue && b.Priority == line.Key.Priority).Sum(b => b.All);
            miscounted = Math.Max(miscounted, Math.Abs(counted - line.Count()));
            var expected = oracle.Open < JobSweep.MostCounted ? line.Count() : Math.Min(line.Count(), counted) - 20;
            if (messages.Count < expected && old.Find(r => !messages.Contains(r.Job.Id.Value, StringComparer.Ordinal)) is { } row)
                oracle.Violated($"{row.Job.Id} has waited since {row.Due:O}, and no message tells of it; sent {row.Sent:O}, {messages.Count} messages for {line.Count()} jobs");
        }
        cloud.Faults = ModelFaults.Usual;
        workersMayTake.SetResult();
    }

    /// <summary>For longer than SQS keeps messages there is no gateway.</summary>
    private async Task BeAwayAsync()
    {
        workersMayTake = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await WaitAsync(5);
        var places = Enumerable.Range(0, gateways.Count).ToList();
        places.ForEach(place => gateways[place].Kill());
        kills += places.Count;
        await WaitAsync(4.5 * 24 * 3600);
        foreach (var place in places)
            await StartAsync(place);
        workersMayTake.SetResult();
    }

    /// <summary>A machine with some workers, which asks any gateway.</summary>
    private async Task HostAsync(int host)
    {
        var free = new Queue<int>(Enumerable.Range(0, Lanes));
        for (var round = 0; ; round++)
        {
            await workersMayTake.Task;
            if (free.Count == 0)
            {
                await WaitAsync(0.5);
                continue;
            }
            var workers = Enumerable.Range(0, 1 + cloud.Below(free.Count)).Select(_ => free.Dequeue()).Select(lane => $"w{host}-{lane} {round}").ToList();
            string[] from = cloud.Chance(0.2) ? [Detect] : isFlooded ? [Detect, Classify] : [Detect, Classify, Flaky];
            var (isAnswered, taken) = await Any().AskAsync(store => store.TakeAsync(new(from, Levels[cloud.Chance(0.1) ? 1 : 0], workers, Lease), default));
            var started = taken?.Jobs ?? [];
            foreach (var (one, worker) in started.Zip(workers))
            {
                oracle.Granted(one, workers);
                _ = OneThread.StartAsync(async () =>
                {
                    await WorkAsync(one);
                    free.Enqueue(LaneOf(worker));
                });
            }
            foreach (var worker in workers.Skip(started.Count))
                free.Enqueue(LaneOf(worker));
            if (started.Count < workers.Count)
                await WaitAsync(isAnswered ? cloud.Between(1, 8) : cloud.Between(1, 3));
        }
    }

    private static int LaneOf(string worker) => worker[worker.IndexOf('-', StringComparison.Ordinal) + 1] - '0';

    private async Task WorkAsync(StartedJob started)
    {
        var lease = started.Lease;
        if (cloud.Chance(0.02))
        {
            // It dies without a word; or hangs, and goes on when its lease is long over.
            if (cloud.Chance(0.5))
                _ = OneThread.StartAsync(() => ComeBackAsync(lease));
            return;
        }
        if (cloud.Chance(0.01))
        {
            oracle.WillRelease(lease.Worker);
            await Any().AskAsync(store => store.ReleaseAsync(lease.Worker, new(ErrorCodes.WorkerDied, "It was killed."), spendAttempt: true, default));
            return;
        }
        var needs = cloud.Chance(0.9) ? cloud.Between(0.1, 3) : cloud.Chance(0.8) ? cloud.Between(3, 20) : cloud.Between(20, 100);
        for (; needs > 10; needs -= 10)
        {
            await WaitAsync(10);
            var held = oracle.Holds(lease);
            var (isAnswered, answer) = await Any().AskAsync(store => store.ExtendAsync([lease], Lease, Lease * 0.8, default));
            if (!isAnswered || answer![0])
                continue;
            if (held)
                oracle.Refused(lease, "an extension");
            // Most end the job then.
            if (cloud.Chance(0.7))
                return;
        }
        await WaitAsync(needs);
        await FinishAsync(lease, OutcomeOf(started));
    }

    private async Task ComeBackAsync(Lease lease)
    {
        await WaitAsync(cloud.Between(20, 150));
        await FinishAsync(lease, new JobOutcome.Done(RawJson.OfText($"\"{JobOracle.StampOf(lease)}\""), new JobTimings { InferMs = 15 }, null));
    }

    private JobOutcome OutcomeOf(StartedJob started)
    {
        var stamp = JobOracle.StampOf(started.Lease);
        // Some can't succeed until somebody puts right what is wrong with them.
        if ((started.Job.Engine == Flaky && started.Lease.Attempt == 1) || (started.Job.Id.Value.EndsWith("00", StringComparison.Ordinal) && started.Job.Redrives == 0) || cloud.Chance(0.06))
            return new JobOutcome.Retry(new(ErrorCodes.Internal, stamp), SpendAttempt: true);
        if (cloud.Chance(0.03))
            return new JobOutcome.Retry(new(ErrorCodes.Internal, stamp), SpendAttempt: false);
        return cloud.Chance(0.03)
            ? new JobOutcome.Reject(new(ErrorCodes.ImageInvalid, stamp))
            : new JobOutcome.Done(RawJson.OfText($"\"{stamp}\""), new JobTimings { InferMs = 15 }, null);
    }

    private async Task FinishAsync(Lease lease, JobOutcome outcome)
    {
        for (var tries = 0; tries < 6; tries++)
        {
            var held = oracle.Holds(lease);
            var (isAnswered, ended) = await Any().AskAsync(store => store.FinishAsync(lease, outcome, default));
            if (isAnswered && ended is not null)
                oracle.Ended(lease, ended);
            else if (isAnswered && tries == 0 && held)
                oracle.Refused(lease, "the end");
            if (isAnswered)
                return;
            await WaitAsync(cloud.Between(1, 4));
        }
    }
}
