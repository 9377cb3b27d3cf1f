using Microsoft.AspNetCore.Http;
using Spotter.Core;
using Spotter.Engines.Catalogue;
using Spotter.Gateway.Access;
using Spotter.Gateway.Uploads;
using Spotter.Jobs;

namespace Spotter.Gateway.Compat;

/// <summary><c>POST /predict</c> with a picture, or with the name of one that lies in the place of the pictures, and <c>GET /results</c>.</summary>
internal sealed class Predictions(UploadIntake intake, JobService jobs, ModelCatalogue models, EngineCatalogue engines, GatewaySettings settings)
{
    /// <summary>The field that names a prediction.</summary>
    public const string IdField = "predictionId";

    private const string NameField = "imgName";
    private const string FilePart = "file";

    private static readonly IReadOnlyList<string> Extensions = ["png", "jpg", "jpeg", "gif"];

    /// <summary>True for the name of a file that the earlier service took.</summary>
    public static bool IsAllowed(string fileName) =>
        fileName.LastIndexOf('.') is >= 0 and var dot && Extensions.Contains(fileName[(dot + 1)..], StringComparer.OrdinalIgnoreCase);

    public Task<IResult> PredictAsync(HttpContext http) => http.Request.Query.TryGetValue(NameField, out var named) ? PredictNamedAsync(http, named.ToString()) : PredictSentAsync(http);

    /// <summary>How a prediction stands; its result once there is one.</summary>
    public static async Task<IResult> ResultAsync(HttpContext http, JobService jobs, CancellationToken cancel)
    {
        if (http.Request.Query[IdField] is not [{ Length: > 0 } id])
            return TypedResults.Text($"No {IdField} was passed or it is empty.", statusCode: StatusCodes.Status400BadRequest);
        var job = await jobs.FindAsync(Caller.Of(http).AsJobCaller(), id, cancel);
        return job.State == JobState.Succeeded ? TypedResults.Json(Prediction.Of(job), PredictionJson.Default.Prediction)
            : StatusOf(job, job.State.IsTerminal() ? StatusCodes.Status200OK : StatusCodes.Status202Accepted);
    }

    private async Task<IResult> PredictSentAsync(HttpContext http)
    {
        var (request, cancel) = (http.Request, http.RequestAborted);
        if (!MultipartParts.Are(request))
            return NoFile();
        using var waiting = intake.EnterWait(http);
        var upload = Prepare(http);
        var badName = false;
        IReadOnlyList<Job> accepted;
        try
        {
            accepted = await intake.AcceptAsync(
                upload,
                onInput =>
                {
                    var isThere = false;
                    return MultipartParts.ReadAsync(
                        request,
                        async part =>
                        {
                            // As the earlier service did: the first of several counts.
                            if (isThere || part.Name != FilePart || part.FileName is not { } fileName)
                                return true;
                            isThere = true;
                            badName = !IsAllowed(fileName);
                            if (!badName)
                                await onInput(part.Body, PictureName.Of(fileName), part.ContentType);
                            return false;
                        },
                        cancel);
                },
                cancel);
        }
        catch (SpotterException nothing) when (nothing.Code == ErrorCodes.EmptyBody)
        {
            return badName ? TypedResults.Text($"Bad file format, allowed files are {{{string.Join(", ", Extensions.Select(e => $"'{e}'"))}}}", statusCode: StatusCodes.Status400BadRequest) : NoFile();
        }
        return await AnswerAsync(accepted, job => TypedResults.Json(PredictedObject.Of(PictureResult.Of(job)), PredictionJson.Default.IReadOnlyListPredictedObject), cancel);
    }

    private async Task<IResult> PredictNamedAsync(HttpContext http, string name)
    {
        var cancel = http.RequestAborted;
        if (name.Length == 0)
            return TypedResults.Text("No image parameter was passed or is empty.", statusCode: StatusCodes.Status400BadRequest);
        using var waiting = intake.EnterWait(http);
        var upload = Prepare(http);
        Stream picture;
        try
        {
            picture = await jobs.OpenPlacedAsync(Caller.Of(http).AsJobCaller(), name, cancel);
        }
        catch (SpotterException missing) when (missing.Code == ErrorCodes.NotFound)
        {
            return TypedResults.Text($"Prediction failed. {missing.Message}", statusCode: StatusCodes.Status404NotFound);
        }
        await using (picture)
        {
            // Copied among the inputs: the job keeps what it looked at, and nobody's original is touched.
            var accepted = await intake.AcceptAsync(upload, onInput => onInput(picture, PictureName.Of(name), null), cancel);
            return await AnswerAsync(accepted, job => TypedResults.Json(Prediction.Of(job, BlobKey.PlacedPrefix + name), PredictionJson.Default.Prediction), cancel);
        }
    }

    private Upload Prepare(HttpContext http)
    {
        var form = CompatForm.Read(http.Request, engines, NameField);
        CompatForm.Prefer(form, http.Request, models, PictureResult.EnginesWithBoxes);
        var upload = new Upload(http, form) { HasAllFields = true, Wait = settings.MaxWait };
        intake.Check(upload);
        return upload;
    }

    private async Task<IResult> AnswerAsync(IReadOnlyList<Job> accepted, Func<Job, IResult> answer, CancellationToken cancel)
    {
        var job = (await intake.WaitAsync(accepted, settings.MaxWait, cancel))[0];
        return job.State == JobState.Succeeded ? answer(job)
            : StatusOf(job, job.State.IsTerminal() ? Problems.Of(job.Error)?.Status ?? StatusCodes.Status500InternalServerError : StatusCodes.Status504GatewayTimeout);
    }

    private static IResult StatusOf(Job job, int status) =>
        TypedResults.Json(new PredictionStatus(job.Id.Value, job.State, job.Error?.Detail), PredictionJson.Default.PredictionStatus, statusCode: status);

    private static IResult NoFile() => TypedResults.Text("No file attached", statusCode: StatusCodes.Status400BadRequest);
}
