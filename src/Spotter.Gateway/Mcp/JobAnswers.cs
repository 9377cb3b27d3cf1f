using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using ModelContextProtocol.Protocol;
using Spotter.Core;
using Spotter.Engines.Catalogue;
using Spotter.Gateway.Access;
using Spotter.Gateway.Overload;
using Spotter.Jobs;

namespace Spotter.Gateway.Mcp;

/// <summary>Jobs as assistants are told of them: in few words, and with the picture.</summary>
internal sealed class JobAnswers(JobService jobs, AnnotatedPictures pictures, EngineCatalogue engines)
{
    /// <summary>Assistants take pictures of a few megabytes; what is larger costs them everything else that was said.</summary>
    private const int MostPictureBytes = 3 << 20;

    /// <summary>An answer in JSON.</summary>
    public static CallToolResult Json<T>(T value, JsonTypeInfo<T> type) => new() { Content = [new TextContentBlock { Text = JsonSerializer.Serialize(value, type) }] };

    /// <summary>A job with its result; with its picture where that is wanted, and there is one that the caller may see.</summary>
    public async Task<CallToolResult> OfAsync(HttpContext http, Job job, bool withPicture, CancellationToken cancel)
    {
        var answer = Json(JobSummary.Of(await jobs.StatusAsync(job, cancel)), ToolJson.Default.JobSummary);
        if (withPicture && job.State == JobState.Succeeded)
            answer.Content.Add(await PictureAsync(http, job, cancel));
        return answer;
    }

    /// <summary>A page of jobs without their boxes.</summary>
    public async Task<CallToolResult> OfAsync(IReadOnlyList<Job> page, string? next, CancellationToken cancel) =>
        Json(new JobSummaries([.. (await jobs.StatusAsync(page, cancel)).Select(status => JobSummary.Of(status).WithoutObjects())], next), ToolJson.Default.JobSummaries);

    /// <summary>The picture; or why there is none, as the result is there all the same.</summary>
    private async Task<ContentBlock> PictureAsync(HttpContext http, Job job, CancellationToken cancel)
    {
        if (!Caller.Of(http).Scopes.HasFlag(KeyScopes.Read))
            return Text("The picture is left out: the key lacks the scope 'read'.");
        try
        {
            await using var content = await pictures.OpenAsync(http, job, confidence: null, cancel);
            if (content.Length > MostPictureBytes)
                return Text($"The picture is left out: it has more than {MostPictureBytes >> 20} MiB. GET /v1/jobs/{job.Id}/image has it.");
            var bytes = new byte[content.Length];
            await content.ReadExactlyAsync(bytes, cancel);
            return ImageContentBlock.FromBytes(bytes, engines.FindOffered(job.Engine)?.OutputMediaType ?? "image/jpeg");
        }
        catch (SpotterException none)
        {
            return Text($"The picture is left out: {none.Message}");
        }
    }

    private static TextContentBlock Text(string text) => new() { Text = text };
}
