using System.Collections.Concurrent;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Spotter.Core;
using Spotter.Engines.Catalogue;
using Spotter.Jobs;

namespace Spotter.Gateway.Sessions;

/// <summary>
/// Runs sessions, as a worker that needs no lane: they wait for other jobs. A gateway that stops gives them back; of one that is killed
/// their leases run out. Either way another gateway, or this one when it is back, goes on where they were.
/// </summary>
internal sealed class SessionRunner(
    JobService jobs, SessionSteps steps, EngineCatalogue engines, GatewaySettings settings, TimeProvider time, RandomSource random, ILogger<SessionRunner> log) : BackgroundService
{
    // Each holds what its next steps read. Sessions beyond that wait, and the queues of their engines don't show it.
    private const int Most = 1000;

    private static readonly string Queue = QueueNames.Of(QueueNames.WorkflowEngine, QueueNames.WorkflowModel);
    private static readonly TimeSpan LongestTake = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);
    private static readonly JobError Stopping = new(ErrorCodes.WorkerDied, "The gateway that ran the session was stopped.");

    private readonly string name = $"gateway-{random.NextHex(8)}";
    private readonly ConcurrentDictionary<JobId, Held> running = new();
    private readonly SemaphoreSlim places = new(Most);

    /// <summary>A session under its lease.</summary>
    private sealed record Held(Lease Lease, CancellationTokenSource Lost)
    {
        public SessionRun? Run { get; set; }
    }

    public override void Dispose()
    {
        places.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!settings.Sessions)
            return;
        var beats = BeatAsync(stoppingToken);
        var sessions = new ConcurrentDictionary<Task, byte>();
        try
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                await places.WaitAsync(stoppingToken);
                var started = await TakeAsync(stoppingToken);
                if (started is null)
                {
                    places.Release();
                    continue;
                }
                var session = RunAsync(started, stoppingToken);
                sessions[session] = 0;
                _ = session.ContinueWith(ended => sessions.TryRemove(ended, out _), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The gateway stops.
        }
        await beats;
        await Task.WhenAll(sessions.Keys);
        await ReleaseAsync();
    }

    private async Task<StartedJob?> TakeAsync(CancellationToken cancel)
    {
        try
        {
            return await jobs.TakeAsync(name, [Queue], LongestTake, cancel);
        }
#pragma warning disable CA1031 // Whatever it is, sessions are to go on, and the gateway with them.
        catch (Exception away) when (away is not OperationCanceledException)
#pragma warning restore CA1031
        {
            // The store is away, or the gateway about to stop.
            if (away is not SpotterException)
                log.LogError(away, "No session could be taken; it is tried again");
            await Task.Delay(Pause, time, cancel);
            return null;
        }
    }

    private async Task RunAsync(StartedJob started, CancellationToken stop)
    {
        using var lost = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var held = running[started.Job.Id] = new Held(started.Lease, lost);
        try
        {
            // What was sent may be long, and the take is not to wait for it.
            await Task.Yield();
            await HandInAsync(started, await OutcomeOfAsync(started.Job, held, lost.Token), lost.Token);
        }
        catch (OperationCanceledException) when (lost.IsCancellationRequested)
        {
            if (!stop.IsCancellationRequested)
                await ForgetAsync(started.Job, held, stop);
        }
        finally
        {
            running.TryRemove(started.Job.Id, out _);
            places.Release();
        }
    }

    private async Task<JobOutcome> OutcomeOfAsync(Job session, Held held, CancellationToken cancel)
    {
        try
        {
            using (await ReadingPlaces.EnterAsync(cancel))
                held.Run = new SessionRun(session, await steps.GraphOfAsync(session, cancel), steps, jobs, engines, time);
            // Who cancels it need not wait for the next sign of life.
            using var watched = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            var watch = WatchAsync(session.Id, held, watched.Token);
            try
            {
                return await held.Run.RunAsync(cancel);
            }
            finally
            {
                await watched.CancelAsync();
                await watch;
            }
        }
        catch (SpotterException passing) when (passing.Code is ErrorCodes.Busy or ErrorCodes.StoreUnavailable or ErrorCodes.DiskFull)
        {
            return new JobOutcome.Retry(new JobError(passing.Code, passing.Message), SpendAttempt: false);
        }
        catch (SpotterException wrong)
        {
            return new JobOutcome.Reject(new JobError(wrong.Code, wrong.Message));
        }
        catch (Exception unexpected) when (unexpected is not OperationCanceledException)
        {
            log.LogError(unexpected, "Session {Session} failed; it is tried again", session.Id);
            return new JobOutcome.Retry(new JobError(ErrorCodes.Internal, "The session failed because of an internal error; see the log of the gateway."), SpendAttempt: true);
        }
    }

    private async Task WatchAsync(JobId session, Held held, CancellationToken cancel)
    {
        using var watch = jobs.Watcher.Begin(session);
        try
        {
            while (true)
            {
                var changed = watch.NextAsync();
                if (await jobs.FindAsync(JobCaller.Self, session.Value, cancel) is { State: not JobState.Running })
                    await held.Lost.CancelAsync();
                await changed.WaitAsync(cancel);
            }
        }
        catch (Exception over) when (over is OperationCanceledException or SpotterException or ObjectDisposedException)
        {
            // It has ended; or the store is away, and a sign of life will tell.
        }
    }

    private async Task HandInAsync(StartedJob started, JobOutcome outcome, CancellationToken cancel)
    {
        while (true)
        {
            try
            {
                await jobs.FinishAsync(started.Lease, outcome, cancel);
                return;
            }
            catch (SpotterException refused) when (outcome is not JobOutcome.Reject && refused.Code is not (ErrorCodes.Busy or ErrorCodes.StoreUnavailable or ErrorCodes.DiskFull))
            {
                // It would be the next time as well.
                outcome = new JobOutcome.Reject(new JobError(refused.Code, refused.Message));
            }
            catch (SpotterException passing)
            {
                log.LogWarning("The end of session {Session} can't be written; it is tried again. {Reason}", started.Job.Id, passing.Message);
                await Task.Delay(Pause, time, cancel);
            }
        }
    }

    /// <summary>The lease is lost. If that is since the session was cancelled, its jobs are too; else somebody else goes on with them.</summary>
    private async Task ForgetAsync(Job session, Held held, CancellationToken stop)
    {
        try
        {
            if (held.Run is not null && (await jobs.FindAsync(JobCaller.Self, session.Id.Value, stop)).State.IsTerminal())
                await steps.CancelAsync(session, stop);
        }
        catch (Exception over) when (over is SpotterException or OperationCanceledException)
        {
            log.LogWarning("The jobs of session {Session}, which was cancelled, may run on. {Reason}", session.Id, over.Message);
        }
    }

    private async Task BeatAsync(CancellationToken stop)
    {
        using var timer = new PeriodicTimer(settings.Jobs.Leases.Heartbeat, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stop))
            {
                if (running.IsEmpty)
                    continue;
                try
                {
                    var orders = await jobs.HeartbeatAsync(name, [.. running.Values.Select(h => h.Lease with { Progress = h.Run?.Progress })], stop);
                    foreach (var id in orders.Lost)
                    {
                        if (running.TryGetValue(id, out var held))
                            await held.Lost.CancelAsync();
                    }
                }
#pragma warning disable CA1031 // Without signs of life all sessions would be lost.
                catch (Exception passing) when (passing is not OperationCanceledException)
#pragma warning restore CA1031
                {
                    // The leases hold for some more of these.
                    if (passing is not (SpotterException or ObjectDisposedException))
                        log.LogError(passing, "No heartbeat of the sessions could be given; it is tried again");
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The gateway stops.
        }
    }

    private async Task ReleaseAsync()
    {
        try
        {
            await jobs.ReleaseAsync(name, Stopping, spendAttempt: false, CancellationToken.None);
        }
        catch (SpotterException)
        {
            // The leases run out by themselves.
        }
    }
}
