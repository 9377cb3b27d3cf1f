using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Spotter.Jobs;

namespace Spotter.Cli.Bridge;

/// <summary>How a request is written for workers that answer by a queue, and how their answers are read.</summary>
/// <param name="Write">A request with this id, a number, for the picture of this name.</param>
/// <param name="Read">The id and the answer; null for what is none.</param>
internal sealed record MailForm(Func<string, string, string> Write, Func<string, (string Id, OldAnswer Answer)?> Read)
{
    // What such a worker says when it has found nothing, and at no other time.
    private const int NothingFound = 404;
    private const int Succeeded = 200;
    private const string TierError = "error: ";

    private static readonly OldAnswer Unreadable = new OldAnswer.Failed("It can't be read.");

    /// <summary>Of a bot that hears of results by a queue. The id stands where the chat does: it comes back with errors, too.</summary>
    public static MailForm S2 { get; } = new(
        (id, picture) => JsonSerializer.Serialize(new BotRequest(id, picture), BridgeJson.Default.BotRequest),
        body => Parse(body, BridgeJson.Default.BotAnswer)?.Message is { Chat.Id: { } id } message ? (id, Of(message)) : null);

    /// <summary>Of a web tier.</summary>
    public static MailForm S3 { get; } = new(
        (id, picture) => JsonSerializer.Serialize(new TierRequest(picture, id), BridgeJson.Default.TierRequest),
        body => Parse(body, BridgeJson.Default.TierAnswer) is { RequestId: { } id } answer ? (id, Of(answer)) : null);

    private static OldAnswer Of(BotAnswerMessage message) => message.StatusCode switch
    {
        Succeeded => LabelsOf(message.Text) is { } labels ? new OldAnswer.Found(labels) : Unreadable,
        NothingFound => new OldAnswer.Found([]),
        var status => new OldAnswer.Failed(string.Create(CultureInfo.InvariantCulture, $"{status}: {(message.Text.ValueKind == JsonValueKind.String ? message.Text.GetString() : "")}")),
    };

    private static OldAnswer Of(TierAnswer answer) => answer.ClassifierOutput?.Trim() switch
    {
        null or "" => Unreadable,
        // Spotter says so in the place of such a worker.
        var said when said.StartsWith(TierError, StringComparison.Ordinal) => new OldAnswer.Failed(said[TierError.Length..]),
        var name => new OldAnswer.Classified(name),
    };

    private static IReadOnlyList<LegacyLabel>? LabelsOf(JsonElement text)
    {
        if (text.ValueKind != JsonValueKind.Object || !text.TryGetProperty("labels", out var labels))
            return null;
        try
        {
            return labels.Deserialize(BridgeJson.Default.IReadOnlyListLegacyLabel) is { } read && read.All(l => l is { Class: not null }) ? read : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static T? Parse<T>(string body, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(body, type);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>A request of a bot.</summary>
/// <param name="ChatId">The id.</param>
/// <param name="ImgName">The picture's name.</param>
internal sealed record BotRequest([property: JsonPropertyName("chatId")] string ChatId, [property: JsonPropertyName("imgName")] string ImgName);

/// <summary>What is sent to a bot.</summary>
/// <param name="Message">All of it.</param>
internal sealed record BotAnswer(BotAnswerMessage? Message);

/// <summary>What it says.</summary>
/// <param name="Chat">Whom it is for.</param>
/// <param name="StatusCode">How it ended.</param>
/// <param name="Text">The prediction, or what went wrong.</param>
internal sealed record BotAnswerMessage(BotAnswerChat? Chat, int StatusCode, JsonElement Text);

/// <summary>A chat.</summary>
/// <param name="Id">The id of the request.</param>
internal sealed record BotAnswerChat(string? Id);

/// <summary>A request of a web tier.</summary>
/// <param name="Filename">The picture's name.</param>
/// <param name="RequestId">The id.</param>
internal sealed record TierRequest(string Filename, string RequestId);

/// <summary>What is sent to a web tier.</summary>
/// <param name="RequestId">The id of the request.</param>
/// <param name="ClassifierOutput">The class.</param>
internal sealed record TierAnswer(string? RequestId, string? ClassifierOutput);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(RowRequest))]
[JsonSerializable(typeof(BotRequest))]
[JsonSerializable(typeof(BotAnswer))]
[JsonSerializable(typeof(TierRequest))]
[JsonSerializable(typeof(TierAnswer))]
[JsonSerializable(typeof(IReadOnlyList<LegacyLabel>))]
internal sealed partial class BridgeJson : JsonSerializerContext;
