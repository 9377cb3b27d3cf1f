using System.Globalization;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Spotter.Core;
using Spotter.Engines.Catalogue;
using Spotter.Gateway.Access;
using Spotter.Gateway.Uploads;
using Spotter.Jobs;

namespace Spotter.Gateway.Cameras;

/// <summary>
/// A picture becomes an urgent job, and its caller waits for the result, for seconds at most. Whoever can't be answered in
/// time is told so before the picture is read; a job that nobody waits for any more is cancelled.
/// </summary>
internal sealed class CameraCalls(
    JobService jobs, UploadIntake intake, CameraCaller callers, CameraModels models, EngineCatalogue engines, GatewaySettings settings, TimeProvider time)
{
    /// <summary>Finds objects, with the model of this name or the first that does.</summary>
    public async Task<IResult> DetectAsync(HttpContext http, string? name)
    {
        var begun = time.GetTimestamp();
        var fields = FieldsOf(http);
        var (job, confidence) = await RunAsync(http, fields, () => models.Detecting(name ?? fields.Model), begun);
        var predictions = CameraPredictions.Of(PictureResult.Of(job), settings.Cameras.MaxPredictions);
        var took = time.GetElapsedTime(begun);
        return Answer(new DetectionAnswer
        {
            Predictions = predictions,
            Duration = Math.Round(took.TotalSeconds, 3),
            Message = CameraPredictions.Message(predictions, confidence),
            Command = name is null ? "detect" : "custom",
            ModuleName = CameraModels.NameOf(job.Model),
            InferenceMs = Milliseconds(job.Timings?.InferMs),
            ProcessMs = Milliseconds(job.Timings?.BusyMs),
            AnalysisRoundTripMs = Milliseconds(took.TotalMilliseconds),
            TimestampUTC = Now(),
        }, CameraJson.Default.DetectionAnswer);
    }

    /// <summary>Says what a picture shows as a whole.</summary>
    public async Task<IResult> ClassifyAsync(HttpContext http)
    {
        var begun = time.GetTimestamp();
        var fields = FieldsOf(http);
        var (job, _) = await RunAsync(http, fields, () => models.Classifying(fields.Model), begun);
        var best = PictureResult.Of(job).Labels is [var first, ..] ? first : new FoundLabel("", 0, 0);
        var took = time.GetElapsedTime(begun);
        return Answer(new SceneAnswer
        {
            Confidence = best.Confidence,
            Label = best.Label,
            Duration = Math.Round(took.TotalSeconds, 3),
            Command = "detectScene",
            ModuleName = CameraModels.NameOf(job.Model),
            InferenceMs = Milliseconds(job.Timings?.InferMs),
            ProcessMs = Milliseconds(job.Timings?.BusyMs),
            AnalysisRoundTripMs = Milliseconds(took.TotalMilliseconds),
            TimestampUTC = Now(),
        }, CameraJson.Default.SceneAnswer);
    }

    /// <summary>Lists the models that <c>/v1/vision/custom/{name}</c> takes.</summary>
    public async Task<IResult> ListAsync(HttpContext http)
    {
        var begun = time.GetTimestamp();
        await callers.DemandAsync(http, static () => { }, http.RequestAborted);
        return Answer(new ModelListAnswer
        {
            Models = models.Names,
            Command = "list-custom",
            ModuleName = CameraModels.NameOf(null),
            AnalysisRoundTripMs = Milliseconds(time.GetElapsedTime(begun).TotalMilliseconds),
            TimestampUTC = Now(),
        }, CameraJson.Default.ModelListAnswer);
    }

    /// <summary>Says which version this is, and that there is no other to fetch.</summary>
    public static IResult Status(HttpContext http)
    {
        var version = Assembly.GetExecutingAssembly().GetName().Version!;
        var parts = new VersionParts(version.Major, version.Minor, version.Build);
        return Answer(new StatusAnswer(version.ToString(3), parts, http.Request.Host.Host), CameraJson.Default.StatusAnswer);
    }

    private CameraFields FieldsOf(HttpContext http) => CameraFields.Read(http.Request.Query, settings.Cameras.Timeout, settings.MaxWait);

    private async Task<(Job Job, double Confidence)> RunAsync(HttpContext http, CameraFields fields, Func<string> model, long begun)
    {
        var cancel = http.RequestAborted;
        var form = new JobForm(engines);
        fields.Fill(form);
        var upload = new Upload(http, form) { Wait = fields.Timeout };
        await callers.DemandAsync(http, () => intake.Check(upload), cancel);
        if (!MultipartParts.Are(http.Request))
            throw new SpotterException(ErrorCodes.InvalidRequest, "No picture was found; send multipart/form-data with the picture as the file 'image'.");
        // Strangers don't hear which models there are.
        form.Set("model", model());
        intake.Check(upload);
        // Nobody can fetch the result later, so who finds no place to wait is not let in.
        using var place = intake.EnterWait(http);
        var confidence = MinConfidence.Default;
        var accepted = (await intake.AcceptAsync(upload, async onInput => confidence = await ReadAsync(http.Request, fields, form, onInput, cancel), cancel))[0];
        return (await AwaitAsync(http, accepted, fields.Timeout - time.GetElapsedTime(begun), cancel), confidence);
    }

    /// <summary>Reads the form; the threshold that it asks for.</summary>
    private static async Task<double> ReadAsync(HttpRequest request, CameraFields fields, JobForm form, OnInput onInput, CancellationToken cancel)
    {
        var confidences = fields.Confidences.ToList();
        var hasPicture = false;
        await MultipartParts.ReadAsync(request, async part =>
        {
            if (part.Name == "image" || part.FileName is not null)
            {
                if (hasPicture)
                    throw new SpotterException(ErrorCodes.TooManyImages, "The request brings several files; send one picture, as the file 'image'.");
                hasPicture = true;
                await onInput(part.Body, PictureName.Of(part.FileName), part.ContentType);
                return false;
            }
            if (CameraFields.IsConfidence(part.Name))
                confidences.Add(await part.ReadTextAsync(cancel));
            return true;
        }, cancel);
        var confidence = MinConfidence.Read(confidences);
        form.Set("confidence", confidence.ToString(CultureInfo.InvariantCulture));
        return confidence;
    }

    /// <summary>The job once it has succeeded. Whatever keeps it from that within the time, it isn't done any more.</summary>
    private async Task<Job> AwaitAsync(HttpContext http, Job job, TimeSpan left, CancellationToken cancel)
    {
        try
        {
            job = await jobs.Watcher.WaitAsync(job.Id, left, cancel) ?? job;
        }
        finally
        {
            if (!job.State.IsTerminal())
                await CancelAsync(Caller.Of(http).AsJobCaller(), job);
        }
        return job switch
        {
            { State: JobState.Succeeded, Result: not null } => job,
            { Error: { } error, State: JobState.Failed or JobState.Dead } when error.Code != ErrorCodes.Expired => throw new SpotterException(error.Code, error.Detail),
            _ => throw new SpotterException(jobs.Admission.Closed ? ErrorCodes.Busy : ErrorCodes.DeadlineUnmeetable, jobs.Admission.Closed
                ? "The service is shutting down; send it again in a moment."
                : "The picture could not be looked at in time; send it again later, or allow for more with 'timeout' in the address."),
        };
    }

    private async Task CancelAsync(JobCaller caller, Job job)
    {
        try
        {
            await jobs.CancelAsync(caller, job, CancellationToken.None);
        }
        catch (SpotterException ended) when (ended.Code is ErrorCodes.NotCancellable or ErrorCodes.StoreUnavailable)
        {
            // It has ended after all, or it expires by itself.
        }
    }

    /// <summary>With its length: some camera software can't read an answer in chunks.</summary>
    private static IResult Answer<T>(T answer, JsonTypeInfo<T> type) => TypedResults.Bytes(JsonSerializer.SerializeToUtf8Bytes(answer, type), "application/json");

    private static int Milliseconds(double? time) => (int)Math.Clamp(Math.Round(time ?? 0), 0, int.MaxValue);

    private string Now() => time.GetUtcNow().ToString("R", CultureInfo.InvariantCulture);
}
