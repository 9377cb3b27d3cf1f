using Telegram.Bot.Types;
using Telegram.Bot.Types.Enums;

namespace Spotter.Gateway.Telegram;

/// <summary>What the bot does about a message.</summary>
internal abstract record BotReply
{
    private BotReply()
    {
    }

    /// <summary>Nothing: it is not meant for the bot, or its sender wants none.</summary>
    public sealed record Silence : BotReply;

    /// <summary>Says something.</summary>
    /// <param name="Text">What.</param>
    /// <param name="Quotes">True to show which message it answers.</param>
    public sealed record Says(string Text, bool Quotes = false) : BotReply;

    /// <summary>Says what is wrong with a picture's caption, and offers buttons.</summary>
    /// <param name="Text">What.</param>
    public sealed record Asks(string Text) : BotReply;

    /// <summary>Lists the models.</summary>
    public sealed record Models : BotReply;

    /// <summary>Says how many pictures wait.</summary>
    public sealed record Queue : BotReply;

    /// <summary>Cancels the chat's jobs.</summary>
    public sealed record Cancel : BotReply;

    /// <summary>Works on pictures.</summary>
    /// <param name="Pictures">The messages that hold them, in order.</param>
    /// <param name="Action">What is to be done.</param>
    public sealed record Works(IReadOnlyList<Message> Pictures, PictureAction Action) : BotReply;
}

/// <summary>
/// Decides what the bot does about a message. It remembers nothing, so chats can't mix: all that it needs stands in the message
/// and in those of the same album.
/// </summary>
internal static class Conversation
{
    private static readonly string[] Greetings = ["start", "help", "hello"];
    private static readonly string[] DontQuote = ["Please don't quote me", "Don't quote me please"];

    /// <summary>What to do about messages: one, or the pictures of an album.</summary>
    /// <param name="messages">In the order in which they came; of one chat.</param>
    /// <param name="earlier">Those of the same album that were answered already.</param>
    public static BotReply Decide(IReadOnlyList<IncomingMessage> messages, IReadOnlyList<IncomingMessage> earlier)
    {
        var first = messages[0];
        if (first.Pressed is { } pressed)
            return DecidePressed(first, pressed);
        var pictures = messages.Where(m => IncomingMessage.PictureOf(m.Message) is not null).Select(m => m.Message).ToList();
        return pictures.Count > 0 ? DecidePictures(pictures, messages, earlier) : DecideText(first);
    }

    private static BotReply DecidePressed(IncomingMessage under, CallbackQuery pressed) =>
        under.Message.ReplyToMessage is { } picture && IncomingMessage.PictureOf(picture) is not null && PictureButtons.Read(pressed.Data) is { } action
            ? new BotReply.Works([picture], action)
            : new BotReply.Says(Words.Error("The picture of this button is gone; send it once more."));

    private static BotReply DecidePictures(List<Message> pictures, IReadOnlyList<IncomingMessage> messages, IReadOnlyList<IncomingMessage> earlier)
    {
        // A caption on any picture of an album is that of all.
        var captions = messages.Concat(earlier).Select(m => PictureAction.Of(m.Message.Caption)).Where(a => a.Words.Length > 0).Distinct().ToList();
        if (captions.Count > 1)
        {
            return new BotReply.Says(Words.Error(
                $"The pictures of this album ask for different things: {string.Join(", ", captions.Select(c => $"\"{c.Words}\""))}. Which one is it? Send them with one caption, or one by one."));
        }
        var action = captions.FirstOrDefault() ?? PictureAction.Of(null);
        if (action.Joins && earlier.Count > 0)
            return new BotReply.Says(Words.Error("This picture came after its album had been answered, so it is not in it. Send all of them together."));
        return new BotReply.Works(pictures, action);
    }

    private static BotReply DecideText(IncomingMessage incoming)
    {
        var message = incoming.Message;
        // What is edited without a word is a place on the map that moves, or a game's score.
        if (message.IsServiceMessage || message.Type == MessageType.Unknown || (incoming.IsEdit && message.Text is null))
            return new BotReply.Silence();
        if (message.Text is not { } text)
            return new BotReply.Says(Words.Error(Words.NoText));
        switch (CommandOf(text))
        {
            case "/models":
                return new BotReply.Models();
            case "/queue":
                return new BotReply.Queue();
            case "/cancel":
                return new BotReply.Cancel();
            default:
                break;
        }
        if (message.ReplyToMessage is not null && !text.StartsWith('/'))
            return DontQuote.Contains(text, StringComparer.Ordinal) ? new BotReply.Silence() : new BotReply.Says(Words.Cut(text, Words.LongestText), Quotes: true);
        return Greetings.Any(g => text.Contains(g, StringComparison.OrdinalIgnoreCase))
            ? new BotReply.Says(Words.Help)
            : new BotReply.Says(Words.Cut($"Your original message: {text}", Words.LongestText));
    }

    /// <summary>The command of a text, without the name of the bot that groups add (<c>/queue@my_bot</c>).</summary>
    private static string? CommandOf(string text) =>
        text.StartsWith('/') ? text.Split([' ', '\n', '@'], 2)[0].ToUpperInvariant() switch
        {
            "/MODELS" => "/models",
            "/QUEUE" => "/queue",
            "/CANCEL" => "/cancel",
            _ => null,
        }
        : null;
}
