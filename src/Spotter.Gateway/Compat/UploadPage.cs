using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;
using Spotter.Core;
using Spotter.Engines.Catalogue;
using Spotter.Gateway.Uploads;
using Spotter.Jobs;

namespace Spotter.Gateway.Compat;

/// <summary>
/// <c>POST /</c>, of two earlier services: parts named <c>myfile</c> are classified, and the answer has all results; a part named
/// <c>file</c> is taken in, and its result fetched later.
/// </summary>
internal sealed class UploadPage(
    UploadIntake intake, RecentJobs recent, ModelCatalogue models, EngineCatalogue engines, GatewaySettings settings, TimeProvider time)
{
    /// <summary>What an upload is answered with whose result is fetched later.</summary>
    public const string Processing = "Your image is being processed...";

    private const string Answered = "myfile";
    private const string Fetched = "file";

    public async Task<IResult> TakeAsync(HttpContext http)
    {
        var (request, cancel) = (http.Request, http.RequestAborted);
        // Without a form there is no such part either, as the earlier service said it.
        if (!MultipartParts.Are(request))
            return Missing();
        var form = CompatForm.Read(request, engines);
        var upload = new Upload(http, form) { HasAllFields = true };
        intake.Check(upload);
        string? kind = null;
        IDisposable? waiting = null;
        try
        {
            var accepted = await intake.AcceptAsync(
                upload,
                onInput => MultipartParts.ReadAsync(
                    request,
                    async part =>
                    {
                        if (part.FileName is null || part.Name is not (Answered or Fetched) || (kind ?? part.Name) != part.Name)
                            return true;
                        if (kind is null)
                        {
                            kind = part.Name;
                            CompatForm.Prefer(form, request, models, kind == Answered ? [PictureResult.EngineWithLabels] : PictureResult.EnginesWithBoxes);
                            waiting = kind == Answered ? intake.EnterWait(http) : null;
                        }
                        await onInput(part.Body, PictureName.Of(part.FileName), part.ContentType);
                        return false;
                    },
                    cancel),
                cancel);
            if (kind == Answered)
                return Answer(http, await intake.WaitAsync(accepted, settings.MaxWait, cancel));
            recent.Note(http, accepted[^1].Id);
            return TypedResults.Text(Processing);
        }
        catch (SpotterException nothing) when (nothing.Code == ErrorCodes.EmptyBody)
        {
            return Missing();
        }
        finally
        {
            waiting?.Dispose();
        }
    }

    private IResult Missing() => Message("missing required img param", StatusCodes.Status400BadRequest);

    /// <summary>One entry for each picture, in their order; the times tell them apart, so no two are the same.</summary>
    private IResult Answer(HttpContext http, IReadOnlyList<Job> jobs)
    {
        if (jobs is [var only])
        {
            http.Response.Headers.Location = $"/v1/jobs/{only.Id.Value}";
            if (!only.State.IsTerminal())
                return Message(TextOf(only), StatusCodes.Status504GatewayTimeout);
            if (only.State != JobState.Succeeded)
                return Message("Internal server error", StatusCodes.Status500InternalServerError);
        }
        var now = time.GetUtcNow();
        var all = new OrderedDictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < jobs.Count; i++)
            all.Add(Key(now.AddMicroseconds(i)), TextOf(jobs[i]));
        return TypedResults.Json<IDictionary<string, string>>(all, UploadPageJson.Default.IDictionaryStringString);
    }

    private string TextOf(Job job) => job.State switch
    {
        JobState.Succeeded => $"Classification result: {engines.FindOffered(job.Engine)?.Describe(job.Result!.Value) ?? "a picture"}",
        JobState.Queued or JobState.Running => $"Still in the queue; ask /v1/jobs/{job.Id.Value} for the result.",
        _ => "Internal server error",
    };

    private IResult Message(string text, int status) => TypedResults.Json<IDictionary<string, string>>(
        new Dictionary<string, string>(StringComparer.Ordinal) { [Key(time.GetUtcNow())] = text }, UploadPageJson.Default.IDictionaryStringString, statusCode: status);

    private static string Key(DateTimeOffset at) => string.Create(CultureInfo.InvariantCulture, $"{at:yyyy-MM-dd HH:mm:ss.ffffff} message");
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(IDictionary<string, string>))]
internal sealed partial class UploadPageJson : JsonSerializerContext;
