using System.Globalization;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Spotter.Core;
using Spotter.Engines.Catalogue;
using Spotter.Gateway.Access;
using Spotter.Gateway.Overload;
using Spotter.Jobs;

namespace Spotter.Gateway.Results;

/// <summary>Reading, following and cancelling jobs.</summary>
internal sealed class JobEndpoints : IDoor
{
    private const int LongestPage = 500;

    // Place and expected time change with every job that ends; nobody reads them faster than this.
    private static readonly TimeSpan Progress = TimeSpan.FromSeconds(1);

    public void Map(IEndpointRouteBuilder routes)
    {
        var jobs = routes.MapGroup("/v1/jobs").WithTags("jobs").WithMetadata(CallCost.Other, NeedsKey.ToRead);

        jobs.MapGet("", ListAsync).WithName("listJobs").WithSummary("List jobs, newest first")
            .Produces<JobPage>().Produces<Problem>(400, Problems.MediaType);
        jobs.MapGet("/{id}", async (HttpContext http, string id, JobService jobs, JobPresenter presenter, CancellationToken cancel) =>
                TypedResults.Json(await presenter.ShowAsync(await jobs.FindAsync(Caller.Of(http).AsJobCaller(), id, cancel), cancel), ResultsJson.Default.JobView))
            .WithMetadata(OpensByLink.OfPath).WithName("getJob").WithSummary("One job")
            .Produces<JobView>().Produces<Problem>(404, Problems.MediaType);
        jobs.MapGet("/{id}/image", ImageAsync).WithMetadata(OpensByLink.OfPath).WithName("getAnnotatedImage").WithSummary("The annotated picture, drawn on first request; of a filter the picture that it made")
            .Produces(200, contentType: "image/jpeg").Produces<Problem>(404, Problems.MediaType)
            .Produces<Problem>(409, Problems.MediaType).Produces<Problem>(410, Problems.MediaType);
        jobs.MapGet("/{id}/original", OriginalAsync).WithMetadata(OpensByLink.OfPath).WithName("getOriginalImage").WithSummary("The picture as it was sent")
            .Produces(200, contentType: "image/jpeg", additionalContentTypes: ["image/png", "image/webp", "image/gif"]).Produces<Problem>(404, Problems.MediaType).Produces<Problem>(410, Problems.MediaType);
        jobs.MapGet("/{id}/output", OutputAsync).WithMetadata(OpensByLink.OfPath).WithName("getOutput").WithSummary("The result as one line of text: the picture's name without its extension, a comma, the result")
            .Produces<string>(200, "text/plain").Produces<Problem>(404, Problems.MediaType).Produces<Problem>(409, Problems.MediaType);
        jobs.MapGet("/{id}/outputs/{name}", FileAsync).WithMetadata(OpensByLink.OfPath).WithName("getOutputFile").WithSummary("A file that the job made, by its name in `outputs`")
            .Produces(200, contentType: "application/octet-stream").Produces<Problem>(404, Problems.MediaType)
            .Produces<Problem>(409, Problems.MediaType).Produces<Problem>(410, Problems.MediaType);
        jobs.MapGet("/{id}/link", LinkAsync).WithName("linkJob").WithSummary("Links to the job and its pictures that open without a key, for some time")
            .Produces<LinkView>().Produces<Problem>(404, Problems.MediaType);
        jobs.MapGet("/{id}/events", EventsAsync).WithName("followJob").WithSummary("Changes of state, place and expected time as they happen")
            .Produces<JobView>(200, "text/event-stream").Produces(204).Produces<Problem>(404, Problems.MediaType).Produces<Problem>(503, Problems.MediaType);
        jobs.MapDelete("/{id}", CancelAsync).WithName("cancelJob").WithMetadata(NeedsKey.ToSubmit).WithSummary("Cancel a job that has not ended")
            .Produces<JobView>().Produces<Problem>(404, Problems.MediaType).Produces<Problem>(409, Problems.MediaType);
    }

    private static async Task<IResult> ListAsync(
        HttpContext http, JobService jobs, JobPresenter presenter, CancellationToken cancel,
        string? state = null, string? engine = null, string? limit = null, string? after = null)
    {
        JobState? wanted = null;
        if (state is not null)
        {
            if (!EnumNames.TryParse<JobState>(state, out var parsed))
                throw Invalid($"There is no state '{state}'; there is queued, running, succeeded, failed, dead and cancelled.");
            wanted = parsed;
        }
        return await PageAsync(http, jobs, presenter, new JobFilter { State = wanted, Engine = engine }, limit, after, cancel);
    }

    /// <summary>One page of the jobs that a filter lets through.</summary>
    public static async Task<IResult> PageAsync(
        HttpContext http, JobService jobs, JobPresenter presenter, JobFilter filter, string? limit, string? after, CancellationToken cancel)
    {
        var count = filter.Limit;
        if (limit is not null && (!int.TryParse(limit, NumberStyles.None, CultureInfo.InvariantCulture, out count) || count is < 1 or > LongestPage))
            throw Invalid($"The limit '{limit}' is not between 1 and {LongestPage}.");
        JobId? cursor = null;
        if (after is not null)
            cursor = JobId.TryParse(after, out var id) ? id : throw Invalid($"'{after}' is not a cursor; pass 'next' of the page before.");

        var (page, more) = await jobs.ListAsync(Caller.Of(http).AsJobCaller(), filter with { Limit = count, After = cursor }, cancel);
        return TypedResults.Json(new JobPage(await presenter.ShowAsync(page, cancel), more ? page[^1].Id.Value : null), ResultsJson.Default.JobPage);
    }

    private static async Task<IResult> ImageAsync(
        HttpContext http, string id, JobService jobs, EngineCatalogue engines, AnnotatedPictures pictures, CancellationToken cancel, string? confidence = null)
    {
        double? least = null;
        if (confidence is not null)
        {
            least = double.TryParse(confidence, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && value is >= 0 and <= 1
                ? value
                : throw new SpotterException(ErrorCodes.ThresholdOutOfRange, "The confidence is a number from 0 to 1.");
        }
        var job = await FindSucceededAsync(jobs, http, id, "annotated picture", cancel);
        var picture = await pictures.OpenAsync(http, job, least, cancel);
        Contain(http.Response);
        return new BlobResult(picture, engines.FindOffered(job.Engine)?.OutputMediaType ?? "application/octet-stream");
    }

    private static async Task<IResult> OutputAsync(HttpContext http, string id, JobService jobs, EngineCatalogue engines, CancellationToken cancel)
    {
        var job = await FindSucceededAsync(jobs, http, id, "output", cancel);
        var line = engines.LineOf(job)
            ?? throw new SpotterException(ErrorCodes.NotFound, $"Job {job.Id} has a picture as its result, and nothing in words; see {JobLinks.Of(job.Id).Image}.");
        Contain(http.Response);
        return TypedResults.Text(line, "text/plain", Encoding.UTF8);
    }

    private static async Task<IResult> FileAsync(HttpContext http, string id, string name, JobService jobs, CancellationToken cancel)
    {
        var job = await FindSucceededAsync(jobs, http, id, "output", cancel);
        // What was asked for is not repeated: it may be anything.
        var file = job.Outputs.FirstOrDefault(o => o.Name == name)
            ?? throw new SpotterException(ErrorCodes.NotFound, $"Job {job.Id} has no such file; {JobLinks.Of(job.Id).Self} lists those that it has under 'outputs'.");
        var content = await jobs.OpenOutputAsync(job, file, cancel);
        Contain(http.Response);
        // To be saved, not shown. Names have no character that would need quoting.
        http.Response.Headers.ContentDisposition = $"attachment; filename=\"{file.Name}\"";
        return new BlobResult(content, file.MediaType);
    }

    private static async Task<IResult> LinkAsync(HttpContext http, string id, JobService jobs, SignedLinks links, CancellationToken cancel)
    {
        var job = await jobs.FindAsync(Caller.Of(http).AsJobCaller(), id, cancel);
        var (query, expires) = links.Sign(job.Id);
        var plain = JobLinks.Of(job.Id);
        return TypedResults.Json(new LinkView(plain.Self + query, plain.Image + query, plain.Original + query, plain.Output + query, expires), ResultsJson.Default.LinkView);
    }

    /// <summary>A job that has what was asked for.</summary>
    /// <exception cref="SpotterException">It has not ended, or did not succeed.</exception>
    public static async Task<Job> FindSucceededAsync(JobService jobs, HttpContext http, string id, string wanted, CancellationToken cancel)
    {
        var job = await jobs.FindAsync(Caller.Of(http).AsJobCaller(), id, cancel);
        return job.State switch
        {
            JobState.Succeeded => job,
            JobState.Queued or JobState.Running =>
                throw new SpotterException(ErrorCodes.NotReady, $"Job {job.Id} has not ended yet; follow {JobLinks.Of(job.Id).Events} or ask again."),
            JobState.Cancelled => throw new SpotterException(ErrorCodes.NotFound, $"Job {job.Id} was cancelled, so it has no {wanted}."),
            _ => throw new SpotterException(job.Error?.Code ?? ErrorCodes.Internal, $"Job {job.Id} did not succeed, so it has no {wanted}: {job.Error?.Detail}"),
        };
    }

    private static async Task<IResult> OriginalAsync(
        HttpContext http, string id, JobService jobs, CancellationToken cancel)
    {
        var job = await jobs.FindAsync(Caller.Of(http).AsJobCaller(), id, cancel);
        var input = job.Spec.Inputs[0];
        var content = await jobs.OpenInputAsync(job, input, cancel);
        Contain(http.Response);
        return new BlobResult(content, input.MediaType);
    }

    private static async Task<IResult> EventsAsync(
        HttpContext http, string id, JobService jobs, JobPresenter presenter, LongRequests longRequests, GatewaySettings settings, TimeProvider time, CancellationToken cancel)
    {
        var job = await jobs.FindAsync(Caller.Of(http).AsJobCaller(), id, cancel);
        if (job.State.IsTerminal() && EventStream.HasEnded(http.Request))
            return TypedResults.NoContent();
        var place = longRequests.Streams.TryEnter(http)
            ?? throw new SpotterException(ErrorCodes.Busy, $"Too many event streams are open already; ask {JobLinks.Of(job.Id).Self} from time to time, or try again.");
        http.Response.RegisterForDispose(place);
        return new EventStream(FollowForAWhileAsync(job, jobs, presenter, settings.LongestStream, time, cancel), time);
    }

    /// <summary>A stream that ends before the job does is opened again by its client, with the key that it has then.</summary>
    private static async IAsyncEnumerable<SseItem<string>> FollowForAWhileAsync(
        Job followed, JobService jobs, JobPresenter presenter, TimeSpan longest, TimeProvider time, [EnumeratorCancellation] CancellationToken cancel)
    {
        using var over = new CancellationTokenSource(longest, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(over.Token, cancel);
        await using var each = FollowAsync(followed, jobs, presenter, either.Token).GetAsyncEnumerator(CancellationToken.None);
        while (true)
        {
            try
            {
                if (!await each.MoveNextAsync())
                    yield break;
            }
            catch (OperationCanceledException) when (over.IsCancellationRequested && !cancel.IsCancellationRequested)
            {
                yield break;
            }
            yield return each.Current;
        }
    }

    private static async IAsyncEnumerable<SseItem<string>> FollowAsync(
        Job followed, JobService jobs, JobPresenter presenter, [EnumeratorCancellation] CancellationToken cancel)
    {
        string? sent = null;
        await foreach (var job in jobs.Watcher.FollowAsync(followed.Id, Progress, cancel))
        {
            var json = JsonSerializer.Serialize(await presenter.ShowAsync(job, cancel), ResultsJson.Default.JobView);
            if (json == sent)
                continue;
            sent = json;
            yield return new SseItem<string>(json, "job") { EventId = job.State.IsTerminal() ? EventStream.LastId : null };
        }
    }

    private static async Task<IResult> CancelAsync(HttpContext http, string id, JobService jobs, JobPresenter presenter, CancellationToken cancel)
    {
        var caller = Caller.Of(http).AsJobCaller();
        var job = await jobs.CancelAsync(caller, await jobs.FindAsync(caller, id, cancel), cancel);
        return TypedResults.Json(await presenter.ShowAsync(job, cancel), ResultsJson.Default.JobView);
    }

    /// <summary>Whatever the bytes are, a browser must take them for nothing but a picture.</summary>
    public static void Contain(HttpResponse response)
    {
        response.Headers.ContentSecurityPolicy = "default-src 'none'; sandbox";
        response.Headers.CacheControl = "private, no-store";
    }

    private static SpotterException Invalid(string message) => new(ErrorCodes.InvalidRequest, message);
}
