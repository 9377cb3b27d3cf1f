using System.Buffers;
using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Spotter.Core;
using Spotter.Core.Jobs;

namespace Spotter.Worker;

/// <summary>How a worker came to its end.</summary>
public enum WorkerEnd
{
    /// <summary>It was told to, and has handed in everything.</summary>
    Drained,

    /// <summary>A job got stuck in native code, which only the end of the process can stop.</summary>
    Stuck,
}

/// <summary>
/// A worker's life: take, fetch, run, hand in. Lanes are threads that do nothing but run jobs; taking, fetching and
/// handing in go on beside them, so that the next job is there when a lane is free.
/// </summary>
public sealed partial class WorkLoop : IDisposable
{
    private static readonly TimeSpan LongPoll = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    private static readonly JobError Drained = new(ErrorCodes.Busy, "The worker was told to end before it began the job.");

    private readonly IJobSource source;
    private readonly JobRunner runner;
    private readonly WorkerSettings settings;
    private readonly TimeProvider time;
    private readonly ILogger<WorkLoop> log;

    // A job holds a slot from before it is taken until it is handed in: one running and one ready per lane.
    private readonly int slotCount;
    private readonly SemaphoreSlim slots;
    private readonly BlockingCollection<Work> ready = [];
    private readonly ConcurrentDictionary<JobId, Work> held = new();
    private readonly CancellationTokenSource draining = new();
    private readonly TaskCompletionSource stuck = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Creates the loop; nothing runs yet.</summary>
    public WorkLoop(IJobSource source, JobRunner runner, WorkerSettings settings, TimeProvider time, ILogger<WorkLoop> log)
    {
        this.source = source;
        this.runner = runner;
        this.settings = settings;
        this.time = time;
        this.log = log;
        slotCount = settings.Lanes * 2;
        slots = new SemaphoreSlim(slotCount);
    }

    /// <summary>From now on take no job; give back what has not begun, finish what has, then end.</summary>
    public void Drain() => draining.Cancel();

    /// <summary>Works until drained or stuck.</summary>
    public async Task<WorkerEnd> RunAsync()
    {
        for (var lane = 0; lane < settings.Lanes; lane++)
            new Thread(RunLane) { IsBackground = true, Name = $"lane {lane}" }.Start();
        using var ended = new CancellationTokenSource();
        var beating = BeatAsync(ended.Token);

        var taking = TakeAsync();
        await Task.WhenAny(taking, stuck.Task);
        // All slots free again: everything that was taken has been handed in.
        var handingIn = Task.Run(async () =>
        {
            await taking;
            for (var i = 0; i < slotCount; i++)
                await slots.WaitAsync();
        });
        await Task.WhenAny(handingIn, stuck.Task);
        if (stuck.Task.IsCompleted)
            return WorkerEnd.Stuck;

        ready.CompleteAdding();
        await ended.CancelAsync();
        await beating;
        return WorkerEnd.Drained;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        draining.Dispose();
        slots.Dispose();
        ready.Dispose();
    }

    private async Task TakeAsync()
    {
        var cancel = draining.Token;
        while (!cancel.IsCancellationRequested)
        {
            try
            {
                await slots.WaitAsync(cancel);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            StartedJob? started = null;
            try
            {
                started = await source.TakeAsync(settings.Name, runner.Engines, LongPoll, cancel);
            }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested)
            {
                // Draining; the loop ends.
            }
            catch (SpotterException refused)
            {
                LogNotTaken(refused);
                await PauseAsync(cancel);
            }

            if (started is null)
                slots.Release();
            else if (started.Job.Solo)
                await ProcessAloneAsync(started);
            else
                _ = ProcessAsync(started);
        }
    }

    /// <summary>A job whose last attempt died with its worker has no neighbours that it could take along.</summary>
    private async Task ProcessAloneAsync(StartedJob started)
    {
        for (var i = 1; i < slotCount; i++)
            await slots.WaitAsync();
        await ProcessAsync(started);
        slots.Release(slotCount - 1);
    }

    /// <summary>One job from its lease to its outcome.</summary>
    private async Task ProcessAsync(StartedJob started)
    {
        var work = new Work(started);
        held[started.Job.Id] = work;
        try
        {
            var run = await FetchAndRunAsync(work);
            if (!work.Lost)
                await HandInAsync(work, run);
        }
        catch (SpotterException failed)
        {
            // The gateway did not take it. The lease runs out, and the job is tried again.
            LogNotHandedIn(failed, started.Job.Id.Value);
        }
        finally
        {
            held.TryRemove(started.Job.Id, out _);
            slots.Release();
        }
    }

    private async Task<JobRun> FetchAndRunAsync(Work work)
    {
        var start = Stopwatch.GetTimestamp();
        var size = work.Job.Image.Bytes;
        var buffer = ArrayPool<byte>.Shared.Rent((int)Math.Min(size, int.MaxValue));
        try
        {
            int read;
            await using (var content = await source.OpenImageAsync(work.Started, CancellationToken.None))
                read = await content.ReadAtLeastAsync(buffer.AsMemory(0, (int)size), (int)size, throwOnEndOfStream: false);
            work.Picture = buffer.AsMemory(0, read);
            work.Fetch = Stopwatch.GetElapsedTime(start);
            ready.Add(work);
            return await work.Done.Task;
        }
        catch (SpotterException missing) when (missing.Code == ErrorCodes.BlobMissing)
        {
            return new JobRun(new JobOutcome.Reject(new JobError(missing.Code, missing.Message)));
        }
        catch (Exception broken) when (broken is HttpRequestException or IOException)
        {
            return new JobRun(new JobOutcome.Retry(new JobError(ErrorCodes.StoreUnavailable, "The picture could not be fetched."), SpendAttempt: false));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async Task HandInAsync(Work work, JobRun run)
    {
        var outcome = run.Outcome;
        if (outcome is JobOutcome.Done done)
        {
            var output = run.Annotated.Length == 0 ? null : await source.PutOutputAsync(work.Lease, run.Annotated, CancellationToken.None);
            outcome = done with { Output = output, Timings = done.Timings with { FetchMs = Math.Round(work.Fetch.TotalMilliseconds, 2) } };
        }
        if (!await source.FinishAsync(work.Lease, outcome, CancellationToken.None))
            LogTooLate(work.Job.Id.Value);
    }

    private void RunLane()
    {
        foreach (var work in ready.GetConsumingEnumerable())
        {
            if (work.Lost || draining.IsCancellationRequested)
            {
                work.Done.SetResult(new JobRun(new JobOutcome.Retry(Drained, SpendAttempt: false)));
                continue;
            }
            work.RunningSince = time.GetTimestamp();
            var run = runner.Run(work.Job, work.Picture);
            work.RunningSince = null;
            work.Done.TrySetResult(run);
        }
    }

    private async Task BeatAsync(CancellationToken cancel)
    {
        while (!cancel.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(settings.Heartbeat, time, cancel);
                var orders = await source.BeatAsync(settings.Name, [.. held.Values.Select(w => w.Lease)], cancel);
                foreach (var job in orders.Lost)
                {
                    if (held.TryGetValue(job, out var work))
                        work.Lost = true;
                }
                if (orders.Drain)
                    Drain();
                await CheckStuckAsync();
            }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested)
            {
                return;
            }
            catch (SpotterException refused)
            {
                LogNotBeaten(refused);
            }
        }
    }

    /// <summary>
    /// Native code can't be interrupted. When a job runs far too long, it is handed in as such, everything else is
    /// given back, and the process ends.
    /// </summary>
    private async Task CheckStuckAsync()
    {
        if (!held.Values.Any(IsStuck))
            return;
        Drain();
        foreach (var work in held.Values)
        {
            var outcome = IsStuck(work)
                ? new JobOutcome.Retry(new JobError(ErrorCodes.JobTimeout, $"The job ran longer than {settings.JobTimeout.TotalSeconds:0} s."), SpendAttempt: true)
                : new JobOutcome.Retry(Drained, SpendAttempt: false);
            work.Lost = true;
            await source.FinishAsync(work.Lease, outcome, CancellationToken.None);
        }
        stuck.TrySetResult();
    }

    private bool IsStuck(Work work) => work.RunningSince is { } since && time.GetElapsedTime(since) > settings.JobTimeout;

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

    [LoggerMessage(Level = LogLevel.Warning, Message = "Job {Job} could not be handed in; it will be run again")]
    private partial void LogNotHandedIn(Exception exception, string job);

    [LoggerMessage(Level = LogLevel.Information, Message = "Job {Job} was taken away meanwhile; its outcome was dropped")]
    private partial void LogTooLate(string job);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The gateway does not take signs of life; trying again")]
    private partial void LogNotBeaten(Exception exception);

    private sealed class Work(StartedJob started)
    {
        private long runningSince;

        public StartedJob Started => started;

        public Job Job => started.Job;

        public Lease Lease => started.Lease;

        public ReadOnlyMemory<byte> Picture { get; set; }

        public TimeSpan Fetch { get; set; }

        public bool Lost { get; set; }

        public TaskCompletionSource<JobRun> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>When a lane began to run it; null while none does. Read by the heartbeat.</summary>
        public long? RunningSince
        {
            get => Volatile.Read(ref runningSince) is var since and not 0 ? since : null;
            set => Volatile.Write(ref runningSince, value ?? 0);
        }
    }
}
