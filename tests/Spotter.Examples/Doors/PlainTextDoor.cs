using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Spotter.Core;
using Spotter.Engines.Catalogue;
using Spotter.Gateway;
using Spotter.Gateway.Access;
using Spotter.Jobs;

namespace Spotter.Examples.Doors;

/// <summary>A door for scripts: a picture goes in, a line of text comes out. <c>curl --data-binary @a.png localhost:8080/plain/a?engine=size</c></summary>
internal sealed class PlainTextDoor : IDoor
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(60);

    public void Map(IEndpointRouteBuilder routes) =>
        routes.MapPost("/plain/{name}", SubmitAsync).WithMetadata(CallCost.Submission, NeedsKey.ToSubmit).ExcludeFromDescription();

    private static async Task<IResult> SubmitAsync(
        HttpContext http, string name, JobService jobs, ModelCatalogue models, EngineCatalogue engines, CancellationToken cancel)
    {
        // What the protocol says, as fields: each is checked against its declaration.
        var form = new JobForm(engines);
        foreach (var (field, values) in http.Request.Query)
            form.SetFromAddress(field, values.ToString());
        jobs.Admission.Check();
        jobs.CheckDeadline(form.Schedule(), LongestWait);

        await using var submission = await jobs.BeginAsync(Caller.Of(http).AsJobCaller(), idempotencyKey: null, cancel);
        await submission.AddInputAsync(http.Request.Body, PictureName.Of(name), cancel);
        var request = form.Resolve(models.Models, [.. submission.Inputs.Select(i => i.Ref)]);
        // A door that takes no notifications refuses them, instead of dropping them.
        if (request.Notify.Count > 0)
            throw new SpotterException(ErrorCodes.UnsupportedOption, "This door answers itself; leave out 'callback'.");
        var accepted = (await submission.AcceptAsync(request, cancel))[0].Job;

        // From here on the job is accepted, so the answer names it whatever happens.
        var job = await jobs.Watcher.WaitAsync(accepted.Id, LongestWait, cancel) ?? accepted;
        return TypedResults.Text($"{engines.LineOf(job) ?? $"{job.Id} {job.State}"}\n", "text/plain");
    }
}
