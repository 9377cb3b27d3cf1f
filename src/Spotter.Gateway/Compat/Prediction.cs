using System.Text.Json.Serialization;
using Spotter.Jobs;

namespace Spotter.Gateway.Compat;

/// <summary>A job that has succeeded, as the earlier services wrote it.</summary>
/// <param name="PredictionId">The job's id.</param>
/// <param name="OriginalImgPath">Where the picture is.</param>
/// <param name="PredictedImgPath">Where the annotated one is.</param>
/// <param name="Labels">What was found.</param>
/// <param name="Time">When it ended, in seconds since 1970.</param>
internal sealed record Prediction(
    [property: JsonPropertyName("prediction_id")] string PredictionId,
    [property: JsonPropertyName("original_img_path")] string OriginalImgPath,
    [property: JsonPropertyName("predicted_img_path")] string PredictedImgPath,
    IReadOnlyList<PredictedObject> Labels,
    double Time)
{
    /// <summary>Of a job.</summary>
    /// <param name="job">The job.</param>
    /// <param name="original">Where the picture is, if not where jobs have theirs.</param>
    public static Prediction Of(Job job, string? original = null)
    {
        var path = $"/v1/jobs/{job.Id.Value}";
        return new(job.Id.Value, original ?? path + "/original", path + "/image", PredictedObject.Of(PictureResult.Of(job)), job.Finished!.Value.ToUnixTimeMilliseconds() / 1000.0);
    }
}

/// <summary>How the job of a prediction stands that can't be shown yet, or never.</summary>
/// <param name="PredictionId">The job's id.</param>
/// <param name="Status">The job's state.</param>
/// <param name="Message">Why it did not succeed; null while it may.</param>
internal sealed record PredictionStatus([property: JsonPropertyName("prediction_id")] string PredictionId, JobState Status, string? Message);

/// <summary>The newest upload of a client.</summary>
/// <param name="Results">1 when there is a result, 0 while there is none.</param>
/// <param name="PredictionId">The job's id; null when the client has sent none.</param>
/// <param name="Status">The job's state.</param>
/// <param name="Filename">What the client calls the picture.</param>
/// <param name="Summary">A line <c>class: count</c> for each class; in words when there is no result.</param>
/// <param name="Detections">What was found.</param>
internal sealed record FetchedResults(
    int Results, [property: JsonPropertyName("prediction_id")] string? PredictionId, JobState? Status, string? Filename, string Summary, IReadOnlyList<PredictedObject> Detections);

[JsonSourceGenerationOptions(System.Text.Json.JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(IReadOnlyList<PredictedObject>))]
[JsonSerializable(typeof(Prediction))]
[JsonSerializable(typeof(PredictionStatus))]
[JsonSerializable(typeof(FetchedResults))]
internal sealed partial class PredictionJson : JsonSerializerContext;
