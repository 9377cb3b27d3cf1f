using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Spotter.Core;
using Spotter.Engines.Catalogue;
using Spotter.Gateway.Access;
using Spotter.Gateway.Operations;
using Spotter.Gateway.Overload;
using Spotter.Gateway.Results;
using Spotter.Jobs;

namespace Spotter.Gateway.Intake;

/// <summary>The door for pictures.</summary>
internal sealed class SubmitEndpoints : IDoor
{
    public void Add(IServiceCollection services) => services.AddSingleton<SubmitEndpoint>();

    public void Map(IEndpointRouteBuilder routes) => SubmitEndpoint.Map(routes);
}

/// <summary><c>POST /v1/jobs</c>: pictures come in and become jobs.</summary>
internal sealed class SubmitEndpoint(
    JobService jobs, JobPresenter presenter, LongRequests longRequests, ModelCatalogue models, EngineCatalogue engines, GatewaySettings settings, ClientLimits clients, GatewayMeters meters, TimeProvider time)
{
    /// <summary>A request may carry this much besides its pictures: boundaries, names, fields.</summary>
    public const int FramingBytes = 64 * 1024;

    /// <summary>What has to have come of a request before it takes one of the places for uploads.</summary>
    private const int ArrivedBytes = 32 * 1024;

    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapPost("/v1/jobs", (HttpContext http, SubmitEndpoint endpoint) => endpoint.SubmitAsync(http))
            .WithName("submitJobs")
            .WithMetadata(CallCost.Submission, NeedsKey.ToSubmit)
            .WithTags("jobs")
            .WithSummary("Submit one or more pictures")
            .WithDescription(
                "Multipart form with one or more `image` parts and the options as fields; a JSON object with the picture in Base64 as `image` and the options beside it; "
                + "or one picture as the body, with the options in the query. Engines that take other files than pictures take them in the same ways. "
                + "`Prefer: wait=SECONDS` waits for the result. `Idempotency-Key` makes a repeated request return the first one's jobs.")
            .AddOpenApiOperationTransformer(SubmitDocument.DescribeAsync)
            .Produces<JobView>(StatusCodes.Status202Accepted)
            .Produces<JobView>(StatusCodes.Status200OK)
            .Produces<Problem>(StatusCodes.Status400BadRequest, Problems.MediaType)
            .Produces<Problem>(StatusCodes.Status413PayloadTooLarge, Problems.MediaType)
            .Produces<Problem>(StatusCodes.Status415UnsupportedMediaType, Problems.MediaType)
            .Produces<Problem>(StatusCodes.Status422UnprocessableEntity, Problems.MediaType)
            .Produces<Problem>(StatusCodes.Status503ServiceUnavailable, Problems.MediaType);

    private async Task<IResult> SubmitAsync(HttpContext http)
    {
        var cancel = http.RequestAborted;
        var wait = JobRequestReader.ReadWait(http.Request, settings.MaxWait);
        var form = new JobForm(engines);
        JobRequestReader.ReadQuery(http.Request, form);
        Bound(http, Terms(form, http.Request));
        jobs.Admission.Check();
        jobs.CheckDeadline(form.Schedule(), wait);

        var accepted = (await AcceptAsync(http, form, wait, cancel)).Select(a => a.Job).ToList();
        // The jobs are accepted: who finds no place to wait gets them as they stand.
        using var place = wait is null ? null : longRequests.Waits.TryEnter(http);
        if (place is not null && wait is { } longest)
        {
            http.Response.Headers["Preference-Applied"] = $"wait={(int)longest.TotalSeconds}";
            var waiting = accepted.Select(j => jobs.Watcher.WaitAsync(j.Id, longest, cancel)).ToList();
            for (var i = 0; i < accepted.Count; i++)
                accepted[i] = await waiting[i] ?? accepted[i];
        }

        Failpoint.At("answer-ready");
        var status = wait is not null && accepted.All(j => j.State.IsTerminal()) ? StatusCodes.Status200OK : StatusCodes.Status202Accepted;
        var views = await presenter.ShowAsync(accepted, cancel);
        if (views is [var only])
        {
            http.Response.Headers.Location = only.Links.Self;
            return TypedResults.Json(only, ResultsJson.Default.JobView, statusCode: status);
        }
        return TypedResults.Json(new JobViews(views), ResultsJson.Default.JobViews, statusCode: status);
    }

    /// <summary>When this returns, the jobs are accepted.</summary>
    private async Task<IReadOnlyList<AddedJob>> AcceptAsync(HttpContext http, JobForm form, TimeSpan? wait, CancellationToken cancel)
    {
        var key = JobRequestReader.ReadIdempotencyKey(http.Request);
        using var upload = longRequests.Uploads.TryEnter(http) ?? throw new SpotterException(ErrorCodes.Busy, string.Create(CultureInfo.InvariantCulture,
            $"Too many uploads are under way ({longRequests.Uploads.Share} of one client, {longRequests.Uploads.Most} of all); send it again when some have ended."));
        await ArriveAsync(http.Request, cancel);
        await using var submission = await jobs.BeginAsync(Caller.Of(http).AsJobCaller(), key, cancel);
        using var late = new CancellationTokenSource(LongestUpload(Terms(form, http.Request)), time);
        http.Request.Body = new ArrivingBody(http.Request.Body, submission, late.Token);
        var paid = CallCost.Submission.Permits;
        submission.Judged = pixels => paid = clients.Charge(http, SubmissionCost.Of(pixels, Terms(form, http.Request).Work, pixelsPerRun: null), paid);
        await JobRequestReader.ReadAsync(
            http.Request, form, () => Terms(form, http.Request),
            async (content, name, type) =>
            {
                // The fields that came before the first picture may say what the query did not.
                var terms = Terms(form, http.Request);
                if (submission.Inputs.Count == 0)
                    jobs.CheckDeadline(form.Schedule(), wait);
                CheckLength(http.Request, terms);
                await submission.AddInputAsync(content, name, type, terms, cancel);
            },
            cancel);
        if (submission.Inputs.Count == 0)
            throw new SpotterException(ErrorCodes.EmptyBody, "The request carries no picture; send at least one part named 'image'.");

        // Fields that came after the inputs may have chosen an engine that takes less than was let in.
        var chosen = form.Terms(models.Models, settings.Jobs.MaxInputBytes, isComplete: true);
        if (submission.Inputs.Sum(i => i.Ref.Bytes) > MostBytes(chosen))
            throw chosen.TooLarge(settings.Jobs.MaxInputBytes);
        var request = form.Resolve(models.Models, [.. submission.Inputs.Select(i => i.Ref)]);
        clients.Charge(http, SubmissionCost.Of(submission.Pixels, chosen.Work, request.PixelsPerRun), paid);
        var added = await submission.AcceptAsync(request, cancel);
        meters.Accepted(request.Engine, added.Count(a => a.IsNew));
        return added;
    }

    private InputTerms Terms(JobForm form, HttpRequest request) => form.Terms(models.Models, settings.Jobs.MaxInputBytes, JobRequestReader.IsBare(request));

    private long MostBytes(InputTerms terms) => terms.MaxBytes ?? settings.Jobs.MaxInputBytes;

    private TimeSpan LongestUpload(InputTerms terms) => settings.LongestUpload + TimeSpan.FromSeconds(MostBytes(terms) / (double)GatewaySettings.SlowestUpload);

    /// <summary>How long a body may be that brings so many bytes of inputs.</summary>
    private long BodyBytes(HttpRequest request, InputTerms terms) => JobRequestReader.Encoded(request, MostBytes(terms)) + FramingBytes;

    /// <summary>Has the server read no more of the body than the engine takes, which may be more or less than of other calls.</summary>
    private void Bound(HttpContext http, InputTerms terms)
    {
        CheckLength(http.Request, terms);
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } server)
            server.MaxRequestBodySize = BodyBytes(http.Request, terms);
    }

    /// <summary>Turns away what says itself that it is too long, before it is read.</summary>
    private void CheckLength(HttpRequest request, InputTerms terms)
    {
        if (request.ContentLength > BodyBytes(request, terms))
            throw terms.TooLarge(settings.Jobs.MaxInputBytes);
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
}
