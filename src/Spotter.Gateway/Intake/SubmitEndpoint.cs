using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
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

/// <summary>The door for pictures.</summary>
internal sealed class SubmitEndpoints : IDoor
{
    public void Add(IServiceCollection services) => services.AddSingleton<SubmitEndpoint>();

    public void Map(IEndpointRouteBuilder routes) => SubmitEndpoint.Map(routes);
}

/// <summary><c>POST /v1/jobs</c>: pictures come in and become jobs.</summary>
internal sealed class SubmitEndpoint(
    JobPresenter presenter, LongRequests longRequests, EngineCatalogue engines, GatewaySettings settings, UploadIntake intake)
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapPost("/v1/jobs", (HttpContext http, SubmitEndpoint endpoint) => endpoint.SubmitAsync(http))
            .WithName("submitJobs")
            .WithMetadata(CallCost.Submission, NeedsKey.ToSubmit)
            .WithTags("jobs")
            .WithSummary("Submit one or more pictures")
            .WithDescription(
                "Multipart form with one or more `image` parts and the options as fields; a JSON object with the picture in Base64 as `image` and the options beside it; "
                + "or one picture as the body, with the options in the query. A field `url` names a picture that Spotter fetches; it may come several times, in JSON as a list. Engines that take other files than pictures take them in the same ways. "
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
        var form = new JobForm(engines) { TakesUrls = settings.Fetch.IsOn };
        JobRequestReader.ReadQuery(http.Request, form);
        var upload = new Upload(http, form)
        {
            Wait = wait,
            IdempotencyKey = JobRequestReader.ReadIdempotencyKey(http.Request),
            HasAllFields = JobRequestReader.IsBare(http.Request),
            Encoded = bytes => JobRequestReader.Encoded(http.Request, bytes),
        };
        intake.Check(upload);

        var accepted = await intake.AcceptAsync(
            upload, onInput => JobRequestReader.ReadAsync(http.Request, form, () => intake.Terms(upload), onInput, cancel), cancel);
        // The jobs are accepted: who finds no place to wait gets them as they stand.
        using var place = wait is null ? null : longRequests.Waits.TryEnter(http);
        if (place is not null && wait is { } longest)
        {
            http.Response.Headers["Preference-Applied"] = $"wait={(int)longest.TotalSeconds}";
            accepted = await intake.WaitAsync(accepted, longest, cancel);
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
}
