using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Spotter.Core;
using Spotter.Engines.Catalogue;
using Spotter.Gateway.Access;
using Spotter.Gateway.Overload;
using Spotter.Gateway.Results;
using Spotter.Gateway.Uploads;
using Spotter.Jobs;

namespace Spotter.Gateway.Intake;

/// <summary>The door for pictures that go past the gateway.</summary>
internal sealed class UploadEndpoints : IDoor
{
    public void Add(IServiceCollection services) => services.AddSingleton<DirectUploads>().AddSingleton<UploadEndpoint>().AddHostedService<UploadEventService>();

    public void Map(IEndpointRouteBuilder routes) => UploadEndpoint.Map(routes);
}

/// <summary><c>/v1/uploads</c>: a client is told how to put a picture into the bucket by itself, and says when it is there.</summary>
internal sealed class UploadEndpoint(
    DirectUploads uploads, JobService jobs, JobPresenter presenter, LongRequests longRequests, ClientLimits clients, EngineCatalogue engines, GatewaySettings settings, UploadIntake intake)
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/v1/uploads", (HttpContext http, UploadEndpoint endpoint) => endpoint.OfferAsync(http))
            .WithName("offerUpload")
            .WithMetadata(CallCost.Submission, NeedsKey.ToSubmit, new RequestSizeLimitAttribute(UploadIntake.FramingBytes))
            .WithTags("jobs")
            .WithSummary("Ask for a form that uploads a picture into the bucket, past the gateway")
            .WithDescription(
                "The same options as `POST /v1/jobs` as a multipart form or a JSON object, without the picture: its `contentType`, and if known its `size` in bytes and its `name`. "
                + "The answer is a form: POST its `fields`, and after them the bytes as `file`, to `url` as multipart/form-data until `expires`. "
                + "Then POST to `confirm` to have the job. It is offered where pictures are kept in a bucket.")
            .AddOpenApiOperationTransformer(SubmitDocument.DescribeUploadAsync)
            .Produces<UploadView>(StatusCodes.Status201Created)
            .Produces<Problem>(StatusCodes.Status400BadRequest, Problems.MediaType)
            .Produces<Problem>(StatusCodes.Status413PayloadTooLarge, Problems.MediaType)
            .Produces<Problem>(StatusCodes.Status415UnsupportedMediaType, Problems.MediaType)
            .Produces<Problem>(StatusCodes.Status422UnprocessableEntity, Problems.MediaType)
            .Produces<Problem>(StatusCodes.Status503ServiceUnavailable, Problems.MediaType);
        routes.MapPost("/v1/uploads/{upload}", (string upload, HttpContext http, UploadEndpoint endpoint) => endpoint.ConfirmAsync(upload, http))
            .WithName("confirmUpload")
            .WithMetadata(CallCost.Other, NeedsKey.ToSubmit)
            .WithTags("jobs")
            .WithSummary("Make the job of an uploaded picture")
            .WithDescription("The picture is judged as by `POST /v1/jobs`; one that is refused is deleted. Called again it gives the same job, or the same refusal. `Prefer: wait=SECONDS` waits for the result.")
            .Produces<JobView>(StatusCodes.Status202Accepted)
            .Produces<JobView>(StatusCodes.Status200OK)
            .Produces<Problem>(StatusCodes.Status404NotFound, Problems.MediaType)
            .Produces<Problem>(StatusCodes.Status409Conflict, Problems.MediaType)
            .Produces<Problem>(StatusCodes.Status413PayloadTooLarge, Problems.MediaType)
            .Produces<Problem>(StatusCodes.Status415UnsupportedMediaType, Problems.MediaType)
            .Produces<Problem>(StatusCodes.Status422UnprocessableEntity, Problems.MediaType)
            .Produces<Problem>(StatusCodes.Status503ServiceUnavailable, Problems.MediaType);
    }

    private async Task<IResult> OfferAsync(HttpContext http)
    {
        jobs.CheckUploads();
        var ask = await UploadRequestReader.ReadAsync(http.Request, new JobForm(engines), http.RequestAborted);
        var (id, form) = await uploads.OfferAsync(ask, Caller.Of(http).AsJobCaller(), http.RequestAborted);
        var confirm = $"/v1/uploads/{id.Value}";
        http.Response.Headers.Location = confirm;
        return TypedResults.Json(new UploadView(id.Value, form.Url, form.Fields, form.Expires, confirm), ResultsJson.Default.UploadView, statusCode: StatusCodes.Status201Created);
    }

    private async Task<IResult> ConfirmAsync(string upload, HttpContext http)
    {
        var cancel = http.RequestAborted;
        jobs.CheckUploads();
        var wait = JobRequestReader.ReadWait(http.Request, settings.MaxWait);
        var job = await AcceptAsync(upload, wait, http);
        // The job is accepted: who finds no place to wait gets it as it stands.
        using var place = wait is null ? null : longRequests.Waits.TryEnter(http);
        if (place is not null && wait is { } longest)
        {
            http.Response.Headers["Preference-Applied"] = $"wait={(int)longest.TotalSeconds}";
            job = (await intake.WaitAsync([job], longest, cancel))[0];
        }
        var view = await presenter.ShowAsync(job, cancel);
        http.Response.Headers.Location = view.Links.Self;
        return TypedResults.Json(
            view, ResultsJson.Default.JobView, statusCode: wait is not null && job.State.IsTerminal() ? StatusCodes.Status200OK : StatusCodes.Status202Accepted);
    }

    private async Task<Job> AcceptAsync(string name, TimeSpan? wait, HttpContext http)
    {
        var (caller, cancel) = (Caller.Of(http).AsJobCaller(), http.RequestAborted);
        if (!UploadId.TryParse(name, out var id))
            throw Missing();
        if (await uploads.FindJobAsync(id, caller, cancel) is { } known)
            return known;
        // One that is not found may have become a job just now.
        if (await jobs.FindUploadAsync(id, cancel) is not { } upload)
            return await uploads.FindJobAsync(id, caller, cancel) ?? throw (jobs.MayArrive(id) ? NotYet() : Missing());
        // Other tenants' are not told apart from none.
        if (!(caller.SeesAll || upload.Ticket.Tenant == caller.Tenant))
            throw Missing();
        // Who asked for the upload has paid for a submission.
        var paid = CallCost.Submission.Permits;
        var added = await uploads.AcceptAsync(upload, wait, cost => paid = clients.Charge(http, cost, paid), cancel)
            ?? throw NotYet();
        AuditEntry.Made(http, [added.Job.Id.Value]);
        return added.Job;
    }

    private static SpotterException NotYet() => new(ErrorCodes.NotReady, "The picture of this upload is not there yet; send it to the address that the upload names, then confirm it again.");

    private static SpotterException Missing() => new(ErrorCodes.NotFound, "There is no such upload, or its time is over; ask for a new one.");
}
