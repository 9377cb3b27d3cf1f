using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Spotter.Jobs;

namespace Spotter.Gateway.LegacyMessages;

/// <summary>The message that tells a bot of a result.</summary>
/// <param name="Message">What it looks at, in the form of a message of Telegram's.</param>
internal sealed record BotResult(BotMessage Message)
{
    /// <summary>What the bot tells these by.</summary>
    public const string Caption = "prediction_result";

    /// <summary>In words, when there is nothing to count.</summary>
    public const string NothingFound = "No objects were found in this picture.";

    // Others than browsers read it, and the text is for people.
    private static readonly BotResultJson Json = new(new JsonSerializerOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower });

    /// <summary>Of a job that has succeeded.</summary>
    public static string Succeeded(LegacyTarget target, LegacyRow row, PictureResult result) => Write(target, 200, JsonSerializer.SerializeToElement(
        new BotSummary(row.PredictionId, row.OriginalImgPath, row.PredictedImgPath, row.Labels, row.Time, SummaryOf(result)), Json.BotSummary));

    /// <summary>Of what went wrong.</summary>
    public static string Failed(LegacyTarget target, int status, string why) => Write(target, status, JsonSerializer.SerializeToElement(why, Json.String));

    /// <summary>The row of a job that has succeeded.</summary>
    /// <param name="target">Whose it is.</param>
    /// <param name="job">The job.</param>
    /// <param name="result">Its result.</param>
    /// <param name="original">The key of what the bot takes for the original.</param>
    /// <param name="annotated">The key of the annotated picture.</param>
    public static LegacyRow RowOf(LegacyTarget target, Job job, PictureResult result, string original, string annotated) => new(
        target.Id, target.Chat, original, annotated, [.. PredictedObject.Of(result).Select(o => new LegacyLabel(o.Class, o.Cx, o.Cy, o.Width, o.Height))],
        job.Finished!.Value.ToUnixTimeMilliseconds() / 1000.0);

    /// <summary>The row that says why there is no result, for bots that hear of rows only.</summary>
    public static LegacyRow RowOfRefusal(LegacyTarget target, LegacySettings settings, string why, DateTimeOffset now)
    {
        var key = target.Picture.Length == 0 ? "" : settings.Folder + target.Picture;
        return new LegacyRow(target.Id, target.Chat, key, key, [], now.ToUnixTimeMilliseconds() / 1000.0) { Error = why };
    }

    private static string SummaryOf(PictureResult result) => result.Summary is { Count: > 0 } counts
        ? string.Concat(counts.Select(c => string.Create(CultureInfo.InvariantCulture, $"{c.Key}: {c.Value}\n"))) : NothingFound;

    private static string Write(LegacyTarget target, int status, JsonElement text) => JsonSerializer.Serialize(
        new BotResult(new BotMessage(target.Id, new BotChat(target.Chat.ToString(CultureInfo.InvariantCulture)), Photo: true, Caption, status, text)), Json.BotResult);
}

/// <summary>What the bot looks at.</summary>
/// <param name="PredictionId">The key of the row.</param>
/// <param name="Chat">The chat that asked.</param>
/// <param name="Photo">True: it goes to what deals with pictures.</param>
/// <param name="Caption"><see cref="BotResult.Caption"/>.</param>
/// <param name="StatusCode">200, or the HTTP status code that says what went wrong.</param>
/// <param name="Text">The summary of the prediction, or in words what went wrong.</param>
internal sealed record BotMessage(string PredictionId, BotChat Chat, bool Photo, string Caption, int StatusCode, JsonElement Text);

/// <summary>A chat.</summary>
/// <param name="Id">Its number, as text.</param>
internal sealed record BotChat(string Id);

/// <summary>The summary of a prediction. The bot reads its id, and the row by that; <paramref name="Summary"/> is Spotter's own.</summary>
/// <param name="PredictionId">The key of the row.</param>
/// <param name="OriginalImgPath">As in the row.</param>
/// <param name="PredictedImgPath">As in the row.</param>
/// <param name="Labels">What was found.</param>
/// <param name="Time">When, in seconds since 1970.</param>
/// <param name="Summary">A line <c>class: count</c> for each class, or in words that nothing was found.</param>
internal sealed record BotSummary(string PredictionId, string OriginalImgPath, string PredictedImgPath, IReadOnlyList<LegacyLabel> Labels, double Time, string Summary);

[JsonSerializable(typeof(BotResult))]
[JsonSerializable(typeof(BotSummary))]
[JsonSerializable(typeof(string))]
internal sealed partial class BotResultJson : JsonSerializerContext;
