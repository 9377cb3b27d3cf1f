using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Spotter.Core;
using Spotter.Engines.Catalogue;
using Spotter.Gateway.Access;
using Spotter.Gateway.Results;
using Spotter.Jobs;
using Spotter.Scaling;

namespace Spotter.Gateway.Workers;

/// <summary>Maps the worker API.</summary>
internal sealed class WorkerEndpoints : IDoor
{
    public void Add(IServiceCollection services) => services.AddSingleton<WorkerApi>().AddSingleton<JoinedEngines>().AddScheme<WorkerTokenHandler>(WorkerTokenHandler.SchemeName);

    public void Map(IEndpointRouteBuilder routes) => WorkerApi.Map(routes);
}

/// <summary>
/// <c>/v1/workers</c>: the API with which workers join, take jobs and hand in results, on this machine and on
/// others. Workers show the worker token as a bearer token.
/// </summary>
internal sealed partial class WorkerApi(
    JobService jobs, EngineCatalogue engines, WorkerRoster roster, ModelCatalogue models, GatewaySettings settings, TimeProvider time,
    JoinedEngines joined, ILogger<WorkerApi> log, WorkerPools? pools = null)
{
    // A worker's long poll is answered at least this often, so that a dead connection is noticed.
    private const double LongestWaitSeconds = 30;

    // A result is JSON within JSON, as it is; the rest is a lease, times and the names of files.
    private const long LargestFinish = WorkerFinish.MostResultBytes + (1024 * 1024);

    private const double MostCpuSeconds = 1e9;

    private static readonly TimeSpan DrainingPause = TimeSpan.FromSeconds(1);

    private static readonly JobError Undelivered = new(ErrorCodes.LeaseLost, "The job did not reach the worker, and was given back.");

    public static void Map(IEndpointRouteBuilder routes)
    {
        var workers = routes.MapGroup("/v1/workers/{worker}").ExcludeFromDescription();
        // Workers have a token, not a key.
        workers.RequireAuthorization(new AuthorizeAttribute { AuthenticationSchemes = WorkerTokenHandler.SchemeName });

        workers.MapPut("", (string worker, WorkerJoin join, WorkerApi api) => api.Join(worker, join));
        workers.MapDelete("", (string worker, WorkerApi api) => api.LeaveAsync(worker));
        workers.MapPost("/leave", (string worker, WorkerApi api) => api.LeaveIfDrainingAsync(worker));
        workers.MapPost("/take", (string worker, WorkerTake take, WorkerApi api, HttpContext http) => api.TakeAsync(worker, take, http));
        workers.MapPost("/exchange", (string worker, WorkerExchange exchange, WorkerApi api, HttpContext http) => api.ExchangeAsync(worker, exchange, http))
            .WithMetadata(new RequestSizeLimitAttribute(LargestFinish));
        workers.MapPost("/heartbeat", (string worker, WorkerHeartbeat heartbeat, WorkerApi api, CancellationToken cancel) => api.HeartbeatAsync(worker, heartbeat, cancel));
        workers.MapGet("/input", (string worker, string job, string key, WorkerApi api, CancellationToken cancel) => api.InputAsync(worker, job, key, cancel));
        workers.MapPost("/output-form", (string worker, WorkerOutputAsk ask, WorkerApi api, CancellationToken cancel) => api.OutputFormAsync(worker, ask, cancel));
        workers.MapPut("/output", (WorkerApi api, HttpContext http) => api.OutputAsync(http));
        workers.MapPost("/finish", (string worker, WorkerFinish finish, WorkerApi api) => api.FinishAsync(worker, finish))
            .WithMetadata(new RequestSizeLimitAttribute(LargestFinish));
    }

    private JsonHttpResult<WorkerWelcome> Join(string worker, WorkerJoin join)
    {
        WorkerWords.Check(join);
        joined.Check(worker, join.Engines);
        IReadOnlyList<WorkerModel> has = [.. join.Models, .. join.Engines.Select(JoinedEngines.AsModel)];
        if (pools?.IsElsewhere(worker, [.. has.Select(m => m.Id)]) == true)
            throw SentAway(worker);
        if (IsFromElsewhere(worker) && !roster.Has(worker))
            LogJoined(worker, string.Join(", ", has.Select(m => m.Id)));
        roster.Join(worker, Math.Clamp(join.Lanes, 1, 1024), has, Math.Clamp(join.Order, 0, int.MaxValue / 2));
        if (join.IsLeaving)
            roster.Leaving(worker);
        Bring(worker, join.Models);
        joined.Bring(worker, join.Engines);
        var welcome = new WorkerWelcome(settings.Jobs.Leases.Heartbeat.TotalSeconds) { Exchanges = true, Queues = join.Engines is [] ? null : [.. join.Engines.Select(e => QueueNames.Of(e.Name, e.Name))] };
        return TypedResults.Json(welcome, SpotterJson.Default.WorkerWelcome);
    }

    /// <summary>Those that were started here have the files that are here, as they are or were.</summary>
    private void Bring(string worker, IReadOnlyList<WorkerModel> has)
    {
        if (IsFromElsewhere(worker))
        {
            models.Bring(has.Select(m => m.Info is { } info && m.Version is { } version && engines.Find(info.Engine) is not null ? info with { Id = m.Id, Version = version } : null)
                .OfType<ModelInfo>());
        }
    }

    /// <summary>Whoever scales a worker has to see it: one that it doesn't see never came, for it, and is replaced.</summary>
    private bool IsElsewhere(string worker) => pools?.IsElsewhere(worker) == true;

    private SpotterException SentAway(string worker)
    {
        roster.Leave(worker);
        return new SpotterException(ErrorCodes.Busy, $"Another gateway scales the worker '{worker}'; it has to join that one.");
    }

    private bool IsFromElsewhere(string worker) => pools?.All.Any(p => p.Fleet.Has(worker)) != true;

    private async Task<NoContent> LeaveAsync(string worker)
    {
        if (roster.Leave(worker) && IsFromElsewhere(worker))
            LogLeft(worker);
        // One that says farewell has handed in what it ran; what it still holds never reached it.
        await jobs.ReleaseAsync(worker, Undelivered, spendAttempt: false, CancellationToken.None);
        return TypedResults.NoContent();
    }

    /// <summary>A worker that was told to drain has nothing left; the drain may have been taken back meanwhile.</summary>
    private async Task<IResult> LeaveIfDrainingAsync(string worker)
    {
        if (roster.LeaveIfDraining(worker))
            return await LeaveAsync(worker);
        return TypedResults.Json(new WorkerOrders([], Drain: false) { Order = roster.OrderOf(worker).Number }, SpotterJson.Default.WorkerOrders);
    }

    private async Task<IResult> TakeAsync(string worker, WorkerTake take, HttpContext http)
    {
        WorkerWords.Check(take);
        return await HandOutAsync(worker, take, await TakeAsync(worker, take, most: 1, mayWait: true, http.RequestAborted), http) is [var only]
            ? TypedResults.Json(only, SpotterJson.Default.StartedJob)
            : TypedResults.NoContent();
    }

    private async Task<JsonHttpResult<WorkerExchanged>> ExchangeAsync(string worker, WorkerExchange exchange, HttpContext http)
    {
        WorkerWords.Check(exchange);
        // At the same time, so that they share a transaction.
        var finishing = Task.WhenAll(exchange.Finished.Select(finish => TryFinishAsync(worker, finish)));
        List<StartedJob> taken = [];
        try
        {
            // Any gateway takes what a worker has made; one that is to hand out jobs has to know it.
            if (exchange.Take is { } take && (exchange.Finished.Count == 0 || (roster.Has(worker) && !IsElsewhere(worker))))
                taken = await TakeAsync(worker, take, take.Most ?? 1, mayWait: exchange.Finished.Count == 0, http.RequestAborted);
            return TypedResults.Json(
                new WorkerExchanged(await finishing, await HandOutAsync(worker, exchange.Take, taken, http)), SpotterJson.Default.WorkerExchanged);
        }
        catch
        {
            await ((Task)finishing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await GiveBackAsync(worker, taken);
            throw;
        }
    }

    /// <summary>Why an outcome does not count; null when it does.</summary>
    private async Task<JobError?> TryFinishAsync(string worker, WorkerFinish finish)
    {
        try
        {
            await FinishAsync(worker, finish);
            return null;
        }
        catch (SpotterException refusal)
        {
            return new JobError(refusal.Code, refusal.Message);
        }
    }

    private async Task<List<StartedJob>> TakeAsync(string worker, WorkerTake take, int most, bool mayWait, CancellationToken cancel)
    {
        if (IsElsewhere(worker))
            throw SentAway(worker);
        if (!roster.Has(worker))
            throw new SpotterException(ErrorCodes.NotFound, $"The worker '{worker}' has not joined; join first.");
        if (roster.IsDraining(worker))
        {
            // It will hear of that at its next sign of life.
            if (mayWait)
                await Task.Delay(DrainingPause, time, cancel);
            return [];
        }

        var wait = TimeSpan.FromSeconds(mayWait ? Math.Clamp(take.WaitSeconds, 0, LongestWaitSeconds) : 0);
        if (await TakeOneAsync(worker, take, wait, cancel) is not { } first)
            return [];
        Took(worker, first);
        List<StartedJob> taken = [first];
        // One that runs alone comes alone: others would wait for it.
        if (first.Job.Isolated || most == 1)
            return taken;
        // Each asks as if it were the only one, so they are given in one take.
        foreach (var other in (await Task.WhenAll(Enumerable.Range(1, most - 1).Select(_ => TryTakeAsync(worker, take)))).OfType<StartedJob>())
        {
            Took(worker, other);
            if (other.Job.Isolated)
                await GiveBackAsync(worker, [other]);
            else
                taken.Add(other);
        }
        return taken;
    }

    private void Took(string worker, StartedJob started) => roster.Took(worker, started.Job.Isolated, started.Job.Model is not null);

    private async Task<IReadOnlyList<StartedJob>> HandOutAsync(string worker, WorkerTake? take, List<StartedJob> taken, HttpContext http)
    {
        if (taken.Count == 0 || take is null)
            return taken;
        if (http.RequestAborted.IsCancellationRequested || !roster.Has(worker))
        {
            // Nobody is there to run them: give them back at once, instead of letting the leases run out.
            await GiveBackAsync(worker, taken);
            return [];
        }
        if (take.WantsLinks && settings.WorkerLinks)
            return await Task.WhenAll(taken.Select(started => jobs.WithLinksAsync(started, CancellationToken.None)));
        // Only those that were started here are on this machine for sure.
        return take.WantsFiles && !IsFromElsewhere(worker) ? taken.ConvertAll(jobs.WithFiles) : taken;
    }

    private async Task GiveBackAsync(string worker, List<StartedJob> taken)
    {
        foreach (var started in taken)
        {
            await jobs.FinishAsync(started.Lease, new JobOutcome.Retry(Undelivered, SpendAttempt: false), CancellationToken.None);
            roster.Ended(worker);
        }
    }

    private async Task<StartedJob?> TryTakeAsync(string worker, WorkerTake take)
    {
        try
        {
            return await jobs.TakeAsync(worker, take.Queues, take.Pairs, TimeSpan.Zero, CancellationToken.None);
        }
        catch (Exception failed) when (failed is not OutOfMemoryException)
        {
            // What the others got must reach the worker; it hears of this at its next call.
            return null;
        }
    }

    /// <summary>Waits no longer than the worker has the models that it had when it asked, so that it can ask for those it has now.</summary>
    private async Task<StartedJob?> TakeOneAsync(string worker, WorkerTake take, TimeSpan wait, CancellationToken cancel)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancel, roster.ModelsChanged(worker));
        try
        {
            return await jobs.TakeAsync(worker, take.Queues, take.Pairs, wait, over.Token);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return null;
        }
    }

    private async Task<JsonHttpResult<WorkerOrders>> HeartbeatAsync(string worker, WorkerHeartbeat heartbeat, CancellationToken cancel)
    {
        if (IsElsewhere(worker))
        {
            // The other may be gone, and it may take a moment until somebody scales again: by then its leases would have run out.
            WorkerWords.Check(worker, heartbeat);
            await jobs.HeartbeatAsync(worker, heartbeat.Leases, cancel);
            throw SentAway(worker);
        }
        if (!roster.Has(worker))
            throw new SpotterException(ErrorCodes.NotFound, $"The worker '{worker}' has not joined; join first.");
        WorkerWords.Check(worker, heartbeat);
        var orders = await jobs.HeartbeatAsync(worker, heartbeat.Leases, cancel);
        roster.Heartbeat(worker, heartbeat.Leases.Count - orders.Lost.Count, heartbeat.CpuSeconds is { } used ? TimeSpan.FromSeconds(Math.Clamp(used, 0, MostCpuSeconds)) : null);
        if (heartbeat.Models is { } now)
        {
            roster.Tell(worker, now);
            Bring(worker, now);
        }
        if (heartbeat.IsLeaving)
            roster.Leaving(worker);
        var (drain, number) = roster.OrderOf(worker);
        return TypedResults.Json(orders with { Drain = drain, Order = number }, SpotterJson.Default.WorkerOrders);
    }

    private async Task<IResult> InputAsync(string worker, string job, string key, CancellationToken cancel)
    {
        if (!JobId.TryParse(job, out var id))
            throw new SpotterException(ErrorCodes.NotFound, "There is no such picture.");
        return new BlobResult(await jobs.OpenInputAsync(worker, id, key, cancel), "application/octet-stream");
    }

    private async Task<JsonHttpResult<WorkerOutputForm>> OutputFormAsync(string worker, WorkerOutputAsk ask, CancellationToken cancel)
    {
        WorkerWords.Check(worker, ask, MostOutputBytes);
        if (!settings.WorkerLinks)
            throw new SpotterException(ErrorCodes.UnsupportedOption, "Workers hand in outputs through the gateway here.");
        return TypedResults.Json(await jobs.OfferOutputAsync(ask.Lease, ask.Bytes, cancel), SpotterJson.Default.WorkerOutputForm);
    }

    private long MostOutputBytes => engines.All.Max(e => e.Limits.OutputBytes);

    private async Task<JsonHttpResult<WorkerOutput>> OutputAsync(HttpContext http)
    {
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } server)
            server.MaxRequestBodySize = MostOutputBytes;
        return TypedResults.Json(new WorkerOutput(await jobs.PutOutputAsync(http.Request.Body, http.RequestAborted)), SpotterJson.Default.WorkerOutput);
    }

    private async Task<NoContent> FinishAsync(string worker, WorkerFinish finish)
    {
        WorkerWords.Check(worker, finish);
        var outcome = joined.WithVersion(worker, finish);
        var done = await jobs.FinishAsync(finish.Lease, outcome, CancellationToken.None);
        roster.Ended(worker);
        if (!done)
            throw new SpotterException(ErrorCodes.LeaseLost, $"The lease on job {finish.Lease.Job} is lost; its outcome was dropped.");

        return TypedResults.NoContent();
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Worker {Worker} has joined with the models {Models}")]
    private partial void LogJoined(string worker, string models);

    [LoggerMessage(Level = LogLevel.Information, Message = "Worker {Worker} has left")]
    private partial void LogLeft(string worker);
}
