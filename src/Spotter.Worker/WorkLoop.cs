using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Worker;

/// <summary>
/// A worker's life: take, fetch, run, hand in. Lanes are threads that do nothing but run jobs; taking, fetching and
/// handing in go on beside them, so that the next job is there when a lane is free.
/// </summary>
public sealed partial class WorkLoop : IDisposable
{
    private static readonly TimeSpan LongPoll = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestFetch = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan LongestGivingUp = TimeSpan.FromSeconds(10);
    private const long LargeInput = 64 << 20;
    private static readonly JobError Abandoned = new(
        ErrorCodes.WorkerDied, "Another job of the worker ran for too long and could not be stopped, so the worker ended; this job is run by another one.");
    private static readonly JobError Overtaken = new(ErrorCodes.Busy, "The worker that had the job runs others for longer than expected; it waits for another worker.");
    private static readonly JobError NoTime = new(ErrorCodes.Busy, "The worker's machine was taken away before the job had ended; it waits for another worker.");
    private static readonly JobError NotAlone = new(ErrorCodes.Busy, "The worker that had the job waits to run another one alone; it waits for another worker.");
    private static readonly JobError Drained = new(ErrorCodes.Busy, "The worker was told to end before it began the job.");

    private readonly IJobSource source;
    private readonly Func<ServedQueues> queues;
    private readonly IJobRunner runner;
    private readonly WorkerSettings settings;
    private readonly TimeProvider time;
    private readonly ILogger<WorkLoop> log;

    private ServedQueues told;

    // At first one running and one ready per lane.
    private readonly JobSlots slots;
    private TaskCompletionSource laneFreed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly BlockingQueue<Work> ready = new();
    private readonly ConcurrentDictionary<Lease, Work> held = new();
    private readonly ScratchFolder scratch = new();
    private readonly DrainSwitch drain;
    private readonly bool ownsDrain;
    private readonly TaskCompletionSource stuck = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Creates the loop; nothing runs yet.</summary>
    /// <param name="source">Where jobs come from and go to.</param>
    /// <param name="queues">The queues to take from; asked before every take.</param>
    /// <param name="runner">Runs jobs on their pictures, whose bytes are its own until it returns.</param>
    /// <param name="settings">Name, lanes and limits.</param>
    /// <param name="time">The clock.</param>
    /// <param name="log">Told of what goes wrong on the way.</param>
    /// <param name="drain">Says whether to take jobs; null when only this loop is told.</param>
    public WorkLoop(
        IJobSource source, Func<ServedQueues> queues, IJobRunner runner,
        WorkerSettings settings, TimeProvider time, ILogger<WorkLoop> log, DrainSwitch? drain = null)
    {
        this.drain = drain ?? new DrainSwitch();
        ownsDrain = drain is null;
        this.source = source;
        this.queues = queues;
        this.runner = runner;
        this.settings = settings;
        this.time = time;
        this.log = log;
        told = queues();
        slots = new JobSlots(settings.Lanes * 2);
    }

    /// <summary>From now on take no job; give back what has not begun, finish what has, then end. Not to be taken back.</summary>
    public void Drain() => drain.DrainForGood();

    /// <summary>Works until drained, stuck, or out of time.</summary>
    public async Task<WorkerEnd> RunAsync()
    {
        var lanes = Enumerable.Range(0, settings.Lanes)
            .Select(_ => Task.Factory.StartNew(RunLane, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default))
            .ToList();
        do
        {
            if (await WorkAsync() is { } early)
                return early;
        }
        while (!await MayEndAsync());
        ready.Complete();
        await Task.WhenAll(lanes);
        return WorkerEnd.Drained;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (ownsDrain)
            drain.Dispose();
        slots.Dispose();
        scratch.Dispose();
    }

    /// <summary>Until drained, and everything is handed in; how it ended when it did before.</summary>
    private async Task<WorkerEnd?> WorkAsync()
    {
        using var ended = new CancellationTokenSource();
        var beating = HeartbeatAsync(ended.Token);
        var working = TakeAndHandInAsync();
        var noTime = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using (drain.GivingUp.Register(() => noTime.TrySetResult()))
            await Task.WhenAny(working, stuck.Task, noTime.Task);
        // The process is about to end, and shows signs of life until then.
        if (stuck.Task.IsCompleted)
            return WorkerEnd.Stuck;
        var hasGivenUp = !working.IsCompleted;
        if (hasGivenUp)
            await GiveBackAllAsync();
        else
            await working;
        await ended.CancelAsync();
        // A sign of life after the farewell would introduce the worker again.
        await beating;
        return hasGivenUp ? WorkerEnd.GaveUp : null;
    }

    private async Task TakeAndHandInAsync()
    {
        do
        {
            await TakeAsync(drain.Draining);
            GiveBackReady(Drained);
        }
        while (!await HandedInAsync(drain.Staying));
    }

    /// <summary>True once all slots are free again, so everything that was taken has been handed in; false when the drain was taken back before.</summary>
    private async Task<bool> HandedInAsync(CancellationToken staying)
    {
        try
        {
            await slots.WaitAsync(left: 0, staying);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>The gateway has the last word, unless the worker is ended by somebody else.</summary>
    private async Task<bool> MayEndAsync()
    {
        if (drain.IsForGood)
            return true;
        if (await source.AskToLeaveAsync(settings.Name, CancellationToken.None) is not { } orders)
            return true;
        drain.Stay(orders.Order);
        return false;
    }

    /// <summary>Also what runs, which costs it no attempt. Each on its own: a gateway that takes one may be slow with another.</summary>
    private async Task GiveBackAllAsync()
    {
        using var limit = new CancellationTokenSource(LongestGivingUp, time);
        await Task.WhenAll(held.Values.Where(w => !w.Lost).Select(async work =>
        {
            work.Lose();
            try
            {
                await source.FinishAsync(work.Lease, new JobOutcome.Retry(NoTime, SpendAttempt: false), limit.Token);
            }
            catch (Exception failed) when (failed is not OutOfMemoryException)
            {
                LogNotHandedIn(failed, work.Job.Id.Value);
            }
        }));
    }

    private void GiveBackReady(JobError why)
    {
        while (ready.TryTake(out var work))
            GiveBack(work, why);
    }

    private async Task TakeAsync(CancellationToken cancel)
    {
        while (!cancel.IsCancellationRequested)
        {
            int claimed;
            try
            {
                claimed = await slots.ClaimAsync(cancel);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            // Whatever would be taken ahead now would only wait, and another worker may have a free lane.
            for (var freed = Volatile.Read(ref laneFreed); AreLanesTaken() && !cancel.IsCancellationRequested; freed = Volatile.Read(ref laneFreed))
                await Task.WhenAny(freed.Task, PauseAsync(cancel));

            try
            {
                foreach (var started in await PollAsync(claimed, cancel))
                {
                    Begin(started);
                    claimed--;
                }
            }
            finally
            {
                slots.Release(claimed);
            }
        }
    }

    /// <summary>Waits for jobs until some come, for a while at most.</summary>
    private async Task<IReadOnlyList<StartedJob>> PollAsync(int most, CancellationToken cancel)
    {
        // A job that has to run alone does not wait for a call that waits.
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancel, slots.Alone);
        await BeginPolling();
        try
        {
            return (await source.ExchangeAsync(settings.Name, [], new WantedJobs(queues().Names, Math.Min(most, WorkerExchange.MostTaken), LongPoll), ended.Token)).Jobs;
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            return [];
        }
        catch (Exception refused) when (refused is not OutOfMemoryException)
        {
            // Whatever it was, a worker that takes no more would look as if it had nothing to do.
            LogNotTaken(refused);
            await PauseAsync(cancel);
            return [];
        }
        finally
        {
            lock (handing)
                isPolling = false;
        }
    }

    private void Begin(StartedJob started) =>
        _ = started.Job.Isolated ? ProcessAloneAsync(Hold(started)) : ProcessAsync(Hold(started));

    /// <summary>From now on the heartbeat keeps its lease.</summary>
    private Work Hold(StartedJob started)
    {
        Failpoint.At("worker-took", started.Job.Name);
        // A job that comes again has lost its earlier lease, even if no heartbeat could say so.
        foreach (var earlier in held.Values.Where(w => w.Job.Id == started.Job.Id))
            earlier.Lose();
        return held[started.Lease] = new Work(started, runner.LimitsOf(started.Job), scratch.NewFolder());
    }

    /// <summary>A job whose last attempt died with its worker has no neighbours that it could take along.</summary>
    private async Task ProcessAloneAsync(Work work)
    {
        if (!slots.TryBeAlone())
        {
            // Another one waits for all to end, and this one would wait for it.
            await UntilHandedInAsync(work, () => FinishAsync(work, new JobOutcome.Retry(NotAlone, SpendAttempt: false)));
            return;
        }
        try
        {
            await slots.WaitAsync(left: 1, CancellationToken.None);
            await ProcessAsync(work);
        }
        finally
        {
            slots.EndAlone();
        }
    }

    /// <summary>One job from its lease to its outcome.</summary>
    private Task ProcessAsync(Work work) => UntilHandedInAsync(work, async () =>
    {
        using var ran = await FetchAndRunAsync(work);
        if (!work.Lost)
            await HandInAsync(work, ran);
    });

    private async Task UntilHandedInAsync(Work work, Func<Task> handIn)
    {
        using var trace = JobTracing.Within(work.Job.Spec);
        try
        {
            await handIn();
        }
        catch (Exception failed) when (failed is not OutOfMemoryException)
        {
            // The gateway did not take it. The lease runs out, and the job is tried again.
            LogNotHandedIn(failed, work.Job.Id.Value);
        }
        finally
        {
            Leave(work);
            work.Folder.Dispose();
        }
    }

    private async Task<JobRun> FetchAndRunAsync(Work work)
    {
        var start = Stopwatch.GetTimestamp();
        using var inputs = new FetchedInputs();
        try
        {
            // The heartbeat keeps the lease all the while, so nothing else would end a fetch that hangs.
            using var limit = new CancellationTokenSource(LongestFetch + work.Job.Spec.Inputs.Aggregate(TimeSpan.Zero, (sum, input) => sum + TimeFor(input.Bytes)), time);
            foreach (var input in work.Job.Spec.Inputs)
                await inputs.AddAsync(source, work.Started, input, work.Limits.InputsAsFiles ? work.Folder : null, limit.Token);
        }
        catch (SpotterException missing) when (missing.Code == ErrorCodes.BlobMissing)
        {
            return new JobRun(new JobOutcome.Reject(new JobError(missing.Code, missing.Message)));
        }
        catch (Exception broken) when (broken is SpotterException or HttpRequestException or IOException or OperationCanceledException)
        {
            LogNotFetched(broken, work.Job.Id.Value);
            return new JobRun(new JobOutcome.Retry(new JobError(ErrorCodes.StoreUnavailable, "The picture could not be fetched."), SpendAttempt: false));
        }
        Failpoint.At("worker-fetched", work.Job.Name);
        work.Inputs = inputs.All;
        work.Fetch = Stopwatch.GetElapsedTime(start);
        if (drain.IsDraining || !ready.TryAdd(work))
            GiveBack(work, Drained);
        else if (drain.IsDraining)
            // Told just now, perhaps before it was among those that are given back.
            GiveBackReady(Drained);
        var ran = await work.Done.Task;
        return work.IsLate && ran.Outcome is JobOutcome.Retry ? new JobRun(TimedOut(work, wasStuck: false)) : ran;
    }

    /// <summary>What a slow network takes for a large input, besides what any may take.</summary>
    private static TimeSpan TimeFor(long bytes) => bytes / LargeInput * LongestFetch;

    private async Task HandInAsync(Work work, JobRun ran)
    {
        var outcome = ran.Outcome;
        if (outcome is JobOutcome.Done { Result.Utf8.Length: > WorkerFinish.MostResultBytes and var bytes })
        {
            // It would be the same another time.
            outcome = new JobOutcome.Reject(new JobError(
                ErrorCodes.OutputTooLarge, $"The result takes {bytes} bytes, more than the {WorkerFinish.MostResultBytes} that are kept; ask for less."));
        }
        else if (outcome is JobOutcome.Done done)
        {
            var timings = done.Timings with { FetchMs = Math.Round(work.Fetch.TotalMilliseconds, 2) };
            try
            {
                Failpoint.At("worker-ran", work.Job.Name);
                var output = ran.Output is { } made ? await PutAsync(work.Started, made) : null;
                var files = new List<OutputRef>();
                foreach (var file in ran.Files)
                {
                    var length = new FileInfo(file.Path).Length;
                    files.Add(new OutputRef(file.Name, file.MediaType, length, await source.PutOutputFileAsync(work.Started, file.Path, CancellationToken.None)));
                }
                Failpoint.At("worker-uploaded", work.Job.Name);
                outcome = done with { Output = output, Outputs = files, Timings = timings };
            }
            catch (SpotterException full) when (full.Code is ErrorCodes.DiskFull or ErrorCodes.StoreUnavailable or ErrorCodes.Busy)
            {
                outcome = new JobOutcome.Retry(new JobError(full.Code, full.Message), SpendAttempt: false);
            }
        }
        if (!await FinishAsync(work, outcome))
            LogTooLate(work.Job.Id.Value);
        Failpoint.At("worker-finished", work.Job.Name);
    }

    private async Task<bool> FinishAsync(Work work, JobOutcome outcome)
    {
        switch (await HandInAsync(work, outcome))
        {
            case null:
                return true;
            case { Code: ErrorCodes.LeaseLost }:
                return false;
            case { Code: ErrorCodes.InvalidRequest } refused when outcome is not JobOutcome.Retry:
                return await RejectAsync(work, refused.Detail);
        }
        try
        {
            // By itself: the store may have been away, or something else in the same call was refused.
            return await source.FinishAsync(work.Lease, outcome, CancellationToken.None);
        }
        catch (SpotterException refused) when (refused.Code == ErrorCodes.InvalidRequest && outcome is not JobOutcome.Retry)
        {
            return await RejectAsync(work, refused.Message);
        }
    }

    /// <summary>The gateway would refuse the answer another time as well, and the job would wait for its lease each time.</summary>
    private Task<bool> RejectAsync(Work work, string reason)
    {
        LogRefused(reason, work.Job.Id.Value);
        return source.FinishAsync(
            work.Lease, new JobOutcome.Reject(new JobError(ErrorCodes.Internal, $"The gateway refused the answer: {reason}")), CancellationToken.None);
    }

    private Task<string> PutAsync(StartedJob started, EngineOutput made) => made.File is { } file
        ? source.PutOutputFileAsync(started, file, CancellationToken.None)
        : source.PutOutputAsync(started, made.Bytes, CancellationToken.None);

    private async Task PauseAsync(CancellationToken cancel)
    {
        try
        {
            await Task.Delay(Pause, time, cancel);
        }
        catch (OperationCanceledException)
        {
            // Draining; the loop sees it.
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "No job could be taken; trying again")]
    private partial void LogNotTaken(Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The picture of job {Job} could not be fetched; it goes back into its queue")]
    private partial void LogNotFetched(Exception exception, string job);

    [LoggerMessage(Level = LogLevel.Error, Message = "The gateway refuses the answer of job {Job}, which fails with that: {Reason}")]
    private partial void LogRefused(string reason, string job);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Job {Job} could not be handed in; it will be run again")]
    private partial void LogNotHandedIn(Exception exception, string job);

    [LoggerMessage(Level = LogLevel.Information, Message = "Job {Job} was taken away meanwhile; its outcome was dropped")]
    private partial void LogTooLate(string job);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The gateway doesn't accept heartbeats; trying again")]
    private partial void LogNoHeartbeat(Exception exception);
}
