using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Spotter.Core;
using Spotter.Gateway.Access;
using Spotter.Jobs;

namespace Spotter.Gateway.Results;

/// <summary><c>/v1/dead</c>: jobs that used up their attempts, for somebody to look at and to put back.</summary>
internal sealed class DeadLetters : IDoor
{
    private const int MostIds = 1000;
    private const int LargestBody = 64 * 1024;

    public void Map(IEndpointRouteBuilder routes)
    {
        var dead = routes.MapGroup("/v1/dead").WithTags("dead letters").WithMetadata(CallCost.Other, NeedsKey.ToRead);
        dead.MapGet("", ListAsync).WithName("listDead").WithSummary("Jobs that used up their attempts, newest first")
            .Produces<JobPage>().Produces<Problem>(400, Problems.MediaType);
        dead.MapPost("/redrive", RedriveAsync).WithName("redriveDead").WithMetadata(CallCost.Submission, NeedsKey.ToSubmit, new RequestSizeLimitAttribute(LargestBody))
            .WithSummary("Put dead jobs back into their queues, under their ids and with all attempts before them")
            .WithDescription("The body says which: `ids`, those that died of one `error`, or `all`. Jobs whose picture has expired stay where they are.")
            .Produces<RedriveView>().Produces<Problem>(400, Problems.MediaType).Produces<Problem>(404, Problems.MediaType);
    }

    private static Task<IResult> ListAsync(
        HttpContext http, JobService jobs, JobPresenter presenter, CancellationToken cancel, string? error = null, string? engine = null, string? limit = null, string? after = null) =>
        JobEndpoints.PageAsync(http, jobs, presenter, new JobFilter { State = JobState.Dead, Error = error, Engine = engine }, limit, after, cancel);

    private static async Task<IResult> RedriveAsync(HttpContext http, RedriveRequest request, JobService jobs, CancellationToken cancel)
    {
        if (new[] { request.Ids is not null, request.Error is not null, request.All }.Count(given => given) != 1)
            throw new SpotterException(ErrorCodes.InvalidRequest, "The body says which jobs to put back by exactly one of 'ids', 'error' and 'all'.");
        var caller = Caller.Of(http).AsJobCaller();
        var filter = request.Ids is { } ids ? new RedriveFilter { Ids = await IdsOfAsync(jobs, caller, ids, cancel), Limit = MostIds } : new RedriveFilter { Error = request.Error };
        return TypedResults.Json(new RedriveView(await jobs.RedriveAsync(caller, filter, cancel)), ResultsJson.Default.RedriveView);
    }

    private static async Task<IReadOnlyList<JobId>> IdsOfAsync(JobService jobs, JobCaller caller, IReadOnlyList<string> given, CancellationToken cancel)
    {
        if (given.Count > MostIds)
            throw new SpotterException(ErrorCodes.InvalidRequest, $"More than {MostIds} ids came in one request; send them in several.");
        var ids = new List<JobId>(given.Count);
        foreach (var id in given)
            ids.Add(await jobs.IdOfAsync(caller, id, cancel));
        return ids;
    }
}

/// <summary>Which dead jobs to put back; exactly one of the three is given.</summary>
/// <param name="Ids">These.</param>
/// <param name="Error">Those that died of this code.</param>
/// <param name="All">All.</param>
public sealed record RedriveRequest(IReadOnlyList<string>? Ids = null, string? Error = null, bool All = false);

/// <summary>What came of it.</summary>
/// <param name="Redriven">How many jobs are back in their queues; those that were not dead are not among them.</param>
public sealed record RedriveView(int Redriven);
