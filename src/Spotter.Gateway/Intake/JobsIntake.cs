using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Spotter.Core;
using Spotter.Core.Images;
using Spotter.Core.Vision.Filters;
using Spotter.Gateway.Access;
using Spotter.Gateway.Models;
using Spotter.Gateway.Operations;
using Spotter.Gateway.Overload;
using Spotter.Gateway.Results;
using Spotter.Jobs;
using Spotter.Jobs.Deliveries;

namespace Spotter.Gateway.Intake;

/// <summary><c>POST /v1/jobs</c>: pictures come in and become jobs.</summary>
internal sealed class JobsIntake(
    Admission admission, BacklogMeter backlog, LongRequests longRequests, PictureReader pictures, Dispatcher dispatcher, IJobStore store, IBlobStore blobs,
    JobPresenter presenter, JobWatcher watcher, ModelCatalogue models, DeliveryChannels channels, GatewaySettings settings, TimeProvider time, RandomSource random, GatewayMeters meters)
{
    /// <summary>A request may carry this much besides its pictures: boundaries, names, fields.</summary>
    public const int FramingBytes = 64 * 1024;

    /// <summary>What has to have come of a request before it takes one of the places for uploads.</summary>
    private const int ArrivedBytes = 32 * 1024;

    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapPost("/v1/jobs", (HttpContext http, JobsIntake intake) => intake.AcceptAsync(http))
            .WithName("submitJobs")
            .WithMetadata(CallCost.Submission, NeedsKey.ToSubmit)
            .WithTags("jobs")
            .WithSummary("Submit one or more pictures")
            .WithDescription(
                "Multipart form with one or more `image` parts and the fields `engine`, `model`, `confidence`, `iou`, `labels`, "
                + "`annotate`, `priority`, `delay`, `expires`, `callback`, `reuse`; or one picture as the body, with the fields in the query. `Prefer: wait=SECONDS` waits for the "
                + "result. `Idempotency-Key` makes a repeated request return the first one's jobs.")
            .AddOpenApiOperationTransformer(JobsIntakeDocument.DescribeAsync)
            .Produces<JobView>(StatusCodes.Status202Accepted)
            .Produces<JobView>(StatusCodes.Status200OK)
            .Produces<Problem>(StatusCodes.Status400BadRequest, Problems.MediaType)
            .Produces<Problem>(StatusCodes.Status413PayloadTooLarge, Problems.MediaType)
            .Produces<Problem>(StatusCodes.Status415UnsupportedMediaType, Problems.MediaType)
            .Produces<Problem>(StatusCodes.Status422UnprocessableEntity, Problems.MediaType)
            .Produces<Problem>(StatusCodes.Status503ServiceUnavailable, Problems.MediaType);

    private async Task<IResult> AcceptAsync(HttpContext http)
    {
        var cancel = http.RequestAborted;
        if (http.Request.ContentLength > settings.MaxBodyBytes + FramingBytes)
            throw PictureReader.TooLarge(settings.MaxBodyBytes);
        var wait = JobRequestReader.ReadWait(http.Request, settings.MaxWait);
        var key = JobRequestReader.ReadIdempotencyKey(http.Request);
        var caller = Caller.Of(http);
        var form = new JobForm();
        JobRequestReader.ReadQuery(http.Request, form);
        admission.Check();
        CheckDeadline(form, wait);

        var added = await StoreAsync(http.Request, form, caller, key, wait, cancel);
        var jobs = added.Select(a => a.Job).ToList();
        // The jobs are accepted: who finds no place to wait gets them as they stand.
        using var place = wait is null ? null : longRequests.Waits.TryEnter();
        if (place is not null && wait is { } longest)
        {
            http.Response.Headers["Preference-Applied"] = $"wait={(int)longest.TotalSeconds}";
            var waiting = jobs.Select(j => watcher.WaitAsync(j.Id, longest, cancel)).ToList();
            for (var i = 0; i < jobs.Count; i++)
                jobs[i] = await waiting[i] ?? jobs[i];
        }

        Failpoint.At("answer-ready");
        var status = wait is not null && jobs.All(j => j.State.IsTerminal()) ? StatusCodes.Status200OK : StatusCodes.Status202Accepted;
        var views = await presenter.ShowAsync(jobs, cancel);
        if (views is [var only])
        {
            http.Response.Headers.Location = only.Links.Self;
            return TypedResults.Json(only, GatewayJson.Default.JobView, statusCode: status);
        }
        return TypedResults.Json(new JobViews(views), GatewayJson.Default.JobViews, statusCode: status);
    }

    /// <summary>Blobs, then rows, then queue: when this returns, the jobs are accepted.</summary>
    private async Task<IReadOnlyList<AddedJob>> StoreAsync(
        HttpRequest request, JobForm form, Caller caller, string? key, TimeSpan? wait, CancellationToken cancel)
    {
        await ArriveAsync(request, cancel);
        using var place = await admission.EnterAsync(cancel);
        var unused = new List<JobId>();
        List<ImageRef> images = [];
        List<string?> names = [];
        try
        {
            await JobRequestReader.ReadAsync(request, form, async (body, name) =>
            {
                if (images.Count == settings.MaxImagesPerRequest)
                {
                    throw new SpotterException(ErrorCodes.TooManyImages,
                        $"More than {settings.MaxImagesPerRequest} pictures came in one request; send them in several.");
                }
                // The fields that came before the first picture may say what the query did not.
                if (images.Count == 0)
                    CheckDeadline(form, wait);
                unused.Add(JobId.New(random));
                images.Add(await pictures.StoreAsync(unused[^1], body, cancel));
                names.Add(name);
            }, cancel);
            if (images.Count == 0)
                throw new SpotterException(ErrorCodes.EmptyBody, "The request carries no picture; send at least one part named 'image'.");

            var (engine, model, options) = form.Resolve(models.Models);
            var terms = form.Terms();
            IReadOnlyList<JobNotification> notify = terms.Callback is { } callback ? [channels.Accept(callback)] : [];
            var fingerprint = key is null ? null : form.Fingerprint(images);
            if (options.Filter is { Kind: FilterKind.Concat })
            {
                if (images.Count < 2)
                    throw new SpotterException(ErrorCodes.InvalidRequest, FilterCaption.LoneConcat);
                // All of them are one job's, so they lie under its name.
                options = options with { Others = await MoveAsync(unused[0], images, cancel) };
                images = [images[0]];
            }
            var now = time.GetUtcNow();
            var jobs = images.Select((image, i) => new NewJob
            {
                Id = unused[i],
                Engine = engine,
                Model = model?.Id,
                Name = names[i],
                Options = options,
                Image = image,
                IdempotencyKey = KeyOf(caller, key, i),
                Fingerprint = fingerprint,
                Tenant = caller.Tenant,
                By = caller.By,
                Priority = terms.Priority,
                NotBefore = terms.Delay > TimeSpan.Zero ? now + terms.Delay : null,
                Expires = terms.Expires is { } limit ? now + limit : null,
                Notify = notify,
                ResultCacheKey = model is null ? null : ResultCacheKey.Of(model, options, image),
            }).ToList();

            var added = await EarlierAsync(jobs, cancel)
                ?? await AcceptAsync(terms.Reuse && settings.Reuse ? await AnsweredAsync(jobs, model?.Version, cancel) : jobs, unused);
            if (added.Any(a => a.Job.Fingerprint != fingerprint))
            {
                throw new SpotterException(ErrorCodes.IdempotencyMismatch,
                    "This Idempotency-Key came before with another request; use a new key for each request.");
            }
            backlog.Accepted(added.Count(a => a is { IsNew: true, Job.State: JobState.Queued }));
            meters.Accepted(engine, added.Count(a => a.IsNew));
            return added;
        }
        finally
        {
            foreach (var id in unused)
                await DeleteQuietlyAsync(id);
        }
    }

    /// <summary>Turns away what would expire in the queue, or be waited for in vain. What is urgent overtakes the backlog, which says nothing about it.</summary>
    private void CheckDeadline(JobForm form, TimeSpan? wait)
    {
        if (form.Terms() is { Expires: { } expires, Priority: not JobPriority.High })
            admission.CheckDeadline(expires, wait);
    }

    /// <summary>Tenants don't know of each other's keys.</summary>
    private static string? KeyOf(Caller caller, string? key, int index)
    {
        if (key is null)
            return null;
        return caller.Tenant.Length == 0 ? $"user:{index}:{key}" : $"tenant:{caller.Tenant}:{index}:{key}";
    }

    /// <summary>
    /// Returns once so much of the request is there that reading it on takes a place for a moment only. Who sends a byte a
    /// second waits outside, until the server has had enough, and keeps nobody out.
    /// </summary>
    private static async Task ArriveAsync(HttpRequest request, CancellationToken cancel)
    {
        var least = (int)Math.Min(request.ContentLength ?? ArrivedBytes, ArrivedBytes);
        var read = await request.BodyReader.ReadAtLeastAsync(least, cancel);
        request.BodyReader.AdvanceTo(read.Buffer.Start);
    }

    private async Task<IReadOnlyList<AddedJob>> AcceptAsync(IReadOnlyList<NewJob> jobs, List<JobId> unused)
    {
        // Whether the rows were written is unknown if this throws, so then the blobs stay: the sweep knows better.
        var ids = unused.ToList();
        unused.Clear();
        var added = await dispatcher.AcceptAsync(jobs, CancellationToken.None);
        unused.AddRange(ids.Except(added.Where(a => a.IsNew).Select(a => a.Job.Id)));
        return added;
    }

    /// <summary>Copies all pictures but the first to where those of one job lie; the sweep finds them when the job is not accepted after all.</summary>
    private async Task<IReadOnlyList<ImageRef>> MoveAsync(JobId job, IReadOnlyList<ImageRef> images, CancellationToken cancel)
    {
        var moved = new List<ImageRef>();
        for (var i = 1; i < images.Count; i++)
        {
            var image = images[i] with { Key = BlobKey.Original(job, i) };
            await using var content = await blobs.OpenAsync(images[i].Key, cancel)
                ?? throw new SpotterException(ErrorCodes.StoreUnavailable, "A picture that was just stored is not there; send it again.");
            await blobs.PutAsync(image.Key, content, cancel);
            moved.Add(image);
        }
        return moved;
    }

    /// <summary>The jobs of an earlier request with the same key; null if there are none.</summary>
    private async Task<IReadOnlyList<AddedJob>?> EarlierAsync(IReadOnlyList<NewJob> jobs, CancellationToken cancel)
    {
        if (jobs[0].IdempotencyKey is not { } firstKey || await store.FindByKeyAsync(firstKey, cancel) is not { } first)
            return null;
        var earlier = new List<AddedJob> { new(first, IsNew: false) };
        foreach (var job in jobs.Skip(1))
        {
            // One that is missing here means another number of pictures, which the fingerprint tells.
            if (await store.FindByKeyAsync(job.IdempotencyKey!, cancel) is { } row)
                earlier.Add(new(row, IsNew: false));
        }
        return earlier;
    }

    /// <summary>The jobs, with the stored results of those whose work was done before.</summary>
    private async Task<IReadOnlyList<NewJob>> AnsweredAsync(IReadOnlyList<NewJob> jobs, string? version, CancellationToken cancel)
    {
        var answered = new List<NewJob>(jobs.Count);
        foreach (var job in jobs)
        {
            var earlier = job.ResultCacheKey is { } work && version is not null ? await store.FindCachedAsync(job.Tenant, work, version, cancel) : null;
            answered.Add(earlier is { Result: { } result } ? job with { Cached = new CachedResult(earlier.Id, result, version!) } : job);
        }
        return answered;
    }

    private async Task DeleteQuietlyAsync(JobId id)
    {
        try
        {
            await blobs.DeleteAsync(BlobKey.Original(id), CancellationToken.None);
        }
        catch (SpotterException)
        {
            // The request has its answer already; the sweep finds blobs that no job knows.
        }
    }
}
