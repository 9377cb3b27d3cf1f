using System.Globalization;
using System.Text.Json;
using Spotter.Jobs;

namespace Spotter.Gateway.LegacyMessages;

/// <summary>What a message asks for.</summary>
internal abstract record LegacyRequest
{
    private LegacyRequest()
    {
    }

    /// <summary>A picture is to be looked at.</summary>
    /// <param name="Target">Which, and where the result goes.</param>
    public sealed record Picture(LegacyTarget Target) : LegacyRequest;

    /// <summary>Nothing that can be done, and somebody who can be told.</summary>
    /// <param name="Target">Who.</param>
    /// <param name="Why">What is wrong with it, in a sentence.</param>
    public sealed record Refused(LegacyTarget Target, string Why) : LegacyRequest;

    /// <summary>Nothing that can be done, and nobody who can be told.</summary>
    /// <param name="Why">What is wrong with it, in a sentence.</param>
    public sealed record Dropped(string Why) : LegacyRequest;

    /// <summary>Reads a job of a bot.</summary>
    /// <param name="message">The message.</param>
    /// <param name="chatNames">The field of the chat, by any of these names.</param>
    /// <param name="pictureNames">The field of the picture's name, by any of these names.</param>
    public static LegacyRequest OfBot(LegacyMessage message, IReadOnlyList<string> chatNames, IReadOnlyList<string> pictureNames)
    {
        if (Parse(message.Body) is not { } body)
            return new Dropped("it is no JSON object.");
        return OfBot(message, TextOf(body, chatNames), chatNames[0], TextOf(body, pictureNames), $"'{pictureNames[0]}'");
    }

    /// <summary>What a bot asks for.</summary>
    /// <param name="message">The message.</param>
    /// <param name="chatText">The chat; null where the message has none.</param>
    /// <param name="chatName">What the message calls it.</param>
    /// <param name="picture">The picture's name; null where the message has none.</param>
    /// <param name="pictureName">What the message calls it.</param>
    public static LegacyRequest OfBot(LegacyMessage message, string? chatText, string chatName, string? picture, string pictureName)
    {
        // In a row the chat is a number.
        if (!long.TryParse(chatText, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var chat))
            return new Dropped($"its '{chatName}' is missing or no number, so there is nobody to answer.");
        var name = picture ?? "";
        var target = new LegacyTarget(message.Id, chat, name);
        if (name.Length == 0)
            return new Refused(target with { Picture = "" }, $"The message names no picture; give its name as {pictureName}.");
        // What was asked for is not repeated: it may be anything.
        return LegacyName.IsPicture(name) ? new Picture(target) : new Refused(target with { Picture = "" }, "The picture's name can't be one; take letters, digits, '.', '-' and '_'.");
    }

    /// <summary>Two fields of a message, each null where it is missing or no text; null when the message is no JSON object.</summary>
    public static (string? First, string? Second)? TextsOf(string body, string first, string second) =>
        Parse(body) is { } read ? (TextOf(read, [first]), TextOf(read, [second])) : null;

    private static JsonElement? Parse(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            return document.RootElement.ValueKind == JsonValueKind.Object ? document.RootElement.Clone() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string? TextOf(JsonElement body, IReadOnlyList<string> names)
    {
        foreach (var name in names)
        {
            if (!body.TryGetProperty(name, out var value))
                continue;
            try
            {
                return value.ValueKind switch
                {
                    JsonValueKind.String => value.GetString(),
                    JsonValueKind.Number => value.GetRawText(),
                    _ => null,
                };
            }
            catch (InvalidOperationException)
            {
                // Half a surrogate pair is no text.
                return null;
            }
        }
        return null;
    }
}
