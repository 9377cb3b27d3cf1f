using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Telegram.Bot.Types;

namespace Spotter.Gateway.Telegram;

/// <summary>Where to answer.</summary>
/// <param name="Chat">The chat.</param>
/// <param name="Thread">The topic in it; null for none.</param>
/// <param name="Message">The message that is answered.</param>
internal sealed record ChatAddress(long Chat, int? Thread, int Message)
{
    /// <summary>The conversation of the inbox, and the endpoint of deliveries: what Telegram limits.</summary>
    [JsonIgnore]
    public string Conversation => Chat.ToString(CultureInfo.InvariantCulture);

    /// <summary>Whose jobs those of the chat are: chats don't see each other's.</summary>
    [JsonIgnore]
    public string Tenant => $"telegram:{Conversation}";

    /// <summary>To answer a message; it is answered also when it has been deleted meanwhile.</summary>
    [JsonIgnore]
    public ReplyParameters? Quote => Message == 0 ? null : new ReplyParameters { MessageId = Message, AllowSendingWithoutReply = true };

    /// <summary>Where a message came from.</summary>
    public static ChatAddress Of(Message message) => new(message.Chat.Id, message.IsTopicMessage ? message.MessageThreadId : null, message.Id);
}

/// <summary>Where the answer about jobs goes, as the notification of each of them has it.</summary>
/// <param name="To">The chat.</param>
/// <param name="Placeholder">The message that becomes the answer; 0 for none.</param>
/// <param name="Entry">The message of the inbox that asked for it.</param>
/// <param name="Jobs">How many jobs are answered together.</param>
/// <param name="Action">What was asked for.</param>
internal sealed record AnswerTarget(ChatAddress To, int Placeholder, string Entry, int Jobs, string Action)
{
    /// <summary>As it is stored.</summary>
    public string Write() => JsonSerializer.Serialize(this, TelegramJson.Default.AnswerTarget);

    /// <summary>Reads what was stored.</summary>
    public static AnswerTarget Read(string text) =>
        JsonSerializer.Deserialize(text, TelegramJson.Default.AnswerTarget) ?? throw new JsonException("The target of a Telegram answer is null.");
}

/// <summary>How far a message is dealt with, for whoever takes it after a crash.</summary>
/// <param name="Placeholder">The message that was sent to be made the answer.</param>
/// <param name="Messages">Ids of the inbox's messages that are dealt with together.</param>
internal sealed record HandlingNotes(int Placeholder, IReadOnlyList<string> Messages);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(AnswerTarget))]
[JsonSerializable(typeof(HandlingNotes))]
internal sealed partial class TelegramJson : JsonSerializerContext;
