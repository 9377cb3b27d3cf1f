using System.Net.Mime;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Spotter.Core;
using Spotter.Engines.Export;
using Spotter.Gateway.Access;
using Spotter.Gateway.Overload;
using Spotter.Jobs;

namespace Spotter.Gateway.Results;

/// <summary>Results by themselves, as they are or in the formats of other tools.</summary>
internal sealed class ResultEndpoints : IDoor
{
    private const int MostJobs = 1000;
    private const int LargestBody = 128 * 1024;
    // Masks make results large, and they take several times as much in memory.
    private const long MostBytes = 16 << 20;
    private const string Json = "json";

    private static readonly string Formats = string.Join(", ", JobExport.Formats);

    public void Add(IServiceCollection services) => services.AddSingleton<JobExport>();

    public void Map(IEndpointRouteBuilder routes)
    {
        var results = routes.MapGroup("/v1").WithTags("jobs").WithMetadata(CallCost.Other, NeedsKey.ToRead);
        results.MapGet("/jobs/{id}/result", OneAsync).WithMetadata(OpensByLink.OfPath).WithName("getResult")
            .WithSummary("The result alone; with `format` in the format of another tool").WithDescription($"`format` is {Json} (the default), {Formats}.")
            .Produces<RawJson>().Produces<string>(200, "text/csv", "application/xml", "text/plain")
            .Produces<Problem>(400, Problems.MediaType).Produces<Problem>(404, Problems.MediaType).Produces<Problem>(409, Problems.MediaType).Produces<Problem>(422, Problems.MediaType);
        results.MapPost("/results", ManyAsync).WithMetadata(CallCost.Submission, new RequestSizeLimitAttribute(LargestBody)).WithName("exportResults")
            .WithSummary("The results of several jobs as one file in the format of another tool")
            .WithDescription($"`format` is {Formats}. Jobs that did not succeed, or whose engine says nothing of pictures, are left out.")
            .Produces<string>(200, "text/csv", "application/json", "application/xml", "application/zip")
            .Produces<Problem>(400, Problems.MediaType).Produces<Problem>(404, Problems.MediaType).Produces<Problem>(409, Problems.MediaType).Produces<Problem>(503, Problems.MediaType);
    }

    private static async Task<IResult> OneAsync(HttpContext http, string id, JobService jobs, JobExport export, CancellationToken cancel, string format = Json)
    {
        var job = await JobEndpoints.FindSucceededAsync(jobs, http, id, "result", cancel);
        JobEndpoints.Contain(http.Response);
        if (string.Equals(format, Json, StringComparison.OrdinalIgnoreCase))
            return TypedResults.Bytes((job.Result ?? RawJson.OfText("null")).Utf8.ToArray(), MediaTypeNames.Application.Json);
        var found = export.Read(job, SourceOf(http, job)) ?? throw new SpotterException(
            ErrorCodes.UnsupportedOption, $"Job {job.Id} ran the engine {job.Engine}, whose result can't be written in another format than {Json}.");
        var file = export.Write(format, [found]);
        return TypedResults.Bytes(file.Bytes, file.MediaType);
    }

    private static async Task<IResult> ManyAsync(HttpContext http, ExportRequest request, JobService jobs, JobExport export, LongRequests longRequests, CancellationToken cancel)
    {
        JobExport.Check(request.Format);
        if (request.Jobs.Count is 0 or > MostJobs)
            throw new SpotterException(ErrorCodes.InvalidRequest, $"'jobs' has {request.Jobs.Count} ids; send 1 to {MostJobs}.");
        http.Response.RegisterForDispose(longRequests.Exports.TryEnter(http)
            ?? throw new SpotterException(ErrorCodes.Busy, "Results are being written for others; try again in a moment."));
        var caller = Caller.Of(http).AsJobCaller();
        var found = new List<ExportedJob>();
        long bytes = 0;
        foreach (var id in request.Jobs)
        {
            var job = await jobs.FindAsync(caller, id, cancel);
            if (!job.State.IsTerminal())
                throw new SpotterException(ErrorCodes.NotReady, $"Job {job.Id} has not ended yet; wait for it, or leave it out.");
            if (export.Read(job, SourceOf(http, job)) is not { } one)
                continue;
            bytes += one.Bytes;
            if (bytes > MostBytes)
                throw new SpotterException(ErrorCodes.InvalidRequest, $"The results of these jobs have more than {MostBytes >> 20} MiB; ask for fewer at a time.");
            found.Add(one);
        }
        var file = export.Write(request.Format, found);
        return TypedResults.File(file.Bytes, file.MediaType, $"results.{file.Extension}");
    }

    /// <summary>Where whoever asked gets the picture.</summary>
    private static string SourceOf(HttpContext http, Job job) => $"{http.Request.Scheme}://{http.Request.Host}{http.Request.PathBase}{JobLinks.Of(job.Id).Original}";
}

/// <summary>Which results are to be written, and how.</summary>
/// <param name="Format">The format, as <c>coco</c>.</param>
/// <param name="Jobs">The jobs, by their ids.</param>
public sealed record ExportRequest(string Format, IReadOnlyList<string> Jobs);
