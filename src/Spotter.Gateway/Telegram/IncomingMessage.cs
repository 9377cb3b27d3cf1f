using System.Globalization;
using System.Text.Json;
using Spotter.Jobs;
using Telegram.Bot;
using Telegram.Bot.Types;

namespace Spotter.Gateway.Telegram;

/// <summary>What an update brings: a message, new or edited, or a press of a button under one.</summary>
/// <param name="Message">The message; of a button, the one under which it stands.</param>
/// <param name="IsEdit">The message was sent before, and has been edited.</param>
/// <param name="Pressed">The button that was pressed; null for none.</param>
internal sealed record IncomingMessage(Message Message, bool IsEdit, CallbackQuery? Pressed)
{
    // Telegram's updates are a few KiB.
    private const int MostDepth = 32;

    private static readonly JsonSerializerOptions Json = new(JsonBotAPI.Options) { MaxDepth = MostDepth };

    /// <summary>The updates that the bot asks for.</summary>
    public static readonly IReadOnlyList<global::Telegram.Bot.Types.Enums.UpdateType> Kinds =
        [global::Telegram.Bot.Types.Enums.UpdateType.Message, global::Telegram.Bot.Types.Enums.UpdateType.EditedMessage, global::Telegram.Bot.Types.Enums.UpdateType.CallbackQuery];

    /// <summary>What an update brings; null when it is none that the bot knows.</summary>
    public static IncomingMessage? Of(Update update)
    {
        if (update.CallbackQuery is { Message: { Chat: not null } under } pressed)
            return new IncomingMessage(under, IsEdit: false, pressed);
        return (update.Message ?? update.EditedMessage) is { Chat: not null } message ? new IncomingMessage(message, update.Message is null, Pressed: null) : null;
    }

    /// <summary>Reads an update; null when it is none.</summary>
    public static Update? Parse(ReadOnlySpan<byte> utf8)
    {
        try
        {
            return JsonSerializer.Deserialize<Update>(utf8, Json);
        }
        // What is no text makes the reader throw this one.
        catch (Exception unreadable) when (unreadable is JsonException or InvalidOperationException or NotSupportedException or ArgumentException or FormatException or OverflowException)
        {
            return null;
        }
    }

    /// <summary>An update as the inbox keeps it: the pictures of an album wait for each other.</summary>
    /// <param name="id">What tells it from all others.</param>
    /// <param name="incoming">What it brings.</param>
    /// <param name="body">The update.</param>
    /// <param name="settings">How long they wait.</param>
    public static InboxMessage Keep(string id, IncomingMessage incoming, string body, TelegramSettings settings)
    {
        // An edited one has been in its album before.
        var album = incoming is { IsEdit: false, Pressed: null } ? incoming.Message.MediaGroupId : null;
        return new InboxMessage(id, ChatAddress.Of(incoming.Message).Conversation, body)
        {
            Batch = album is null ? null : $"{incoming.Message.Chat.Id.ToString(CultureInfo.InvariantCulture)}/{album}",
            Delay = album is null ? TimeSpan.Zero : settings.AlbumWait,
        };
    }

    /// <summary>The picture of a message, in its full size: a photo, or a file that says it is a picture.</summary>
    public static (FileBase File, string? Name)? PictureOf(Message? message)
    {
        if (message?.Photo?.OfType<PhotoSize>().MaxBy(s => (long)s.Width * s.Height) is { } largest)
            return (largest, null);
        return message?.Document is { } document && (document.MimeType?.StartsWith("image/", StringComparison.OrdinalIgnoreCase) == true || IsPictureName(document.FileName))
            ? (document, document.FileName)
            : null;
    }

    private static bool IsPictureName(string? name) =>
        name is not null && Path.GetExtension(name) is { } extension
        && (string[])[".jpg", ".jpeg", ".png", ".gif", ".webp", ".heic"] is var known && known.Contains(extension, StringComparer.OrdinalIgnoreCase);
}
