using System.Globalization;
using System.Text;
using System.Text.Json;
using Spotter.Core;
using Spotter.Jobs;
using Spotter.Jobs.Inboxes;
using Telegram.Bot;

namespace Spotter.Gateway.Telegram;

/// <summary>
/// Deals with the bot's messages. A message that says something is answered at once. For pictures a placeholder is sent and
/// noted, then the jobs are submitted under a key of the message, so that a crash in between makes neither a second placeholder
/// nor a second job; the answer takes the placeholder's place (<see cref="TelegramChannel"/>).
/// </summary>
internal sealed class TelegramHandler(TelegramSettings settings, TelegramApi api, TelegramPictures pictures, ChatView chats, IInbox inbox, TimeProvider time) : IInboxHandler
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan AfterFault = TimeSpan.FromSeconds(10);

    private long? receivingSince;

    /// <summary>From now on updates come in. Parts of an album may have waited at Telegram while nobody here took them.</summary>
    public void BeginReceiving() => receivingSince ??= time.GetTimestamp();

    public async Task<InboxOutcome> HandleAsync(InboxEntry entry, CancellationToken cancel)
    {
        if (entry.Messages[0].Batch is not null && (receivingSince is not { } since || time.GetElapsedTime(since) < settings.AlbumWait))
            return new InboxOutcome.Again(settings.AlbumWait, CountsAsAttempt: false);
        var notes = entry.Notes is { } noted ? JsonSerializer.Deserialize(noted, TelegramJson.Default.HandlingNotes) : null;
        // What joined the album after its pictures were submitted comes by itself, later.
        var messages = notes is null ? entry.Messages : [.. entry.Messages.Where(m => notes.Messages.Contains(m.Id, StringComparer.Ordinal))];
        var incoming = messages.Select(Read).OfType<IncomingMessage>().ToList();
        if (incoming.Count == 0)
            return new InboxOutcome.Done();
        var to = AddressOf(incoming[0]);
        try
        {
            if (settings.Chats.Count > 0 && !settings.Chats.Contains(to.Chat))
            {
                await SayAsync(to, $"This bot serves certain chats only, and this one is not among them. Its number is {to.Chat.ToString(CultureInfo.InvariantCulture)}.", quotes: false, cancel);
                return new InboxOutcome.Done();
            }
            await ReplyAsync(entry with { Messages = messages }, incoming, to, notes, cancel);
            return new InboxOutcome.Done(messages);
        }
        catch (TelegramFault later) when (later.IsTransient && time.GetUtcNow() - entry.Received < settings.LongestTrial)
        {
            return new InboxOutcome.Again(later.Kind == FaultKind.Wait ? later.Wait : AfterFault, CountsAsAttempt: false);
        }
        catch (TelegramFault nobody) when (nobody.Kind == FaultKind.Gone)
        {
            return new InboxOutcome.Done(messages);
        }
        catch (TelegramFault refused)
        {
            // It would be refused again, or was tried for long enough, and all of the chat would wait for that.
            return new InboxOutcome.Done(messages, refused);
        }
        catch (SpotterException full) when (IsPassing(full))
        {
            // The inbox is the queue in which it waits until there is room.
            return new InboxOutcome.Again(full.RetryAfter is { } after && after < LongestWait ? after : LongestWait, CountsAsAttempt: false);
        }
    }

    public async Task GiveUpAsync(InboxEntry entry, Exception last, CancellationToken cancel)
    {
        if (entry.Messages.Select(Read).OfType<IncomingMessage>().FirstOrDefault() is not { } message)
            return;
        var placeholder = entry.Notes is { } noted ? JsonSerializer.Deserialize(noted, TelegramJson.Default.HandlingNotes)!.Placeholder : 0;
        await FailAsync(AddressOf(message), placeholder, "The message could not be dealt with.", cancel);
    }

    private static bool IsPassing(SpotterException error) =>
        error.Code is ErrorCodes.LeaseLost or ErrorCodes.Busy or ErrorCodes.RateLimited or ErrorCodes.StoreUnavailable or ErrorCodes.DiskFull or ErrorCodes.DeadlineUnmeetable;

    private static IncomingMessage? Read(InboxMessage message) =>
        IncomingMessage.Parse(Encoding.UTF8.GetBytes(message.Body)) is { } update ? IncomingMessage.Of(update) : null;

    /// <summary>A press of a button is answered where the picture is, under which the bot asked.</summary>
    private static ChatAddress AddressOf(IncomingMessage incoming) =>
        ChatAddress.Of(incoming.Pressed is null ? incoming.Message : incoming.Message.ReplyToMessage ?? incoming.Message) with { Chat = incoming.Message.Chat.Id };

    private async Task ReplyAsync(InboxEntry entry, List<IncomingMessage> incoming, ChatAddress to, HandlingNotes? notes, CancellationToken cancel)
    {
        if (incoming[0].Pressed is { } pressed)
            await QuietlyAsync(api.SayAsync(to.Chat, (bot, _) => bot.AnswerCallbackQuery(pressed.Id, cancellationToken: cancel), cancel));
        switch (Conversation.Decide(incoming, [.. entry.Earlier.Select(Read).OfType<IncomingMessage>()]))
        {
            case BotReply.Says says:
                await SayAsync(to, says.Text, says.Quotes, cancel);
                break;
            case BotReply.Models:
                await SayAsync(to, chats.Models(), quotes: false, cancel);
                break;
            case BotReply.Queue:
                await SayAsync(to, await chats.QueueAsync(to, cancel), quotes: false, cancel);
                break;
            case BotReply.Cancel:
                await SayAsync(to, await chats.CancelAsync(to, cancel), quotes: false, cancel);
                break;
            case BotReply.Works works:
                await WorkAsync(entry, works, to, notes, cancel);
                break;
            default:
                break;
        }
    }

    private async Task WorkAsync(InboxEntry entry, BotReply.Works works, ChatAddress to, HandlingNotes? notes, CancellationToken cancel)
    {
        if (notes is null)
        {
            try
            {
                pictures.Check(works);
                await chats.CheckWaitingAsync(to, works.Pictures.Count, cancel);
            }
            catch (SpotterException wrong) when (!IsPassing(wrong))
            {
                var buttons = works.Pictures.Count == 1 ? await chats.ButtonsAsync(to, cancel) : null;
                await api.SayAsync(
                    to.Chat, (bot, chat) => bot.SendMessage(chat, Words.Error(wrong.Message), replyParameters: to.Quote, replyMarkup: buttons, messageThreadId: to.Thread, cancellationToken: cancel), cancel);
                return;
            }
            notes = new HandlingNotes(await SayAsync(to, Words.Waiting, quotes: true, cancel), [.. entry.Messages.Select(m => m.Id)]);
            if (!await inbox.NoteAsync(entry, JsonSerializer.Serialize(notes, TelegramJson.Default.HandlingNotes), cancel))
                throw new SpotterException(ErrorCodes.LeaseLost, "Another gateway has taken the message over.");
            Failpoint.At("telegram-placeholder-noted");
        }
        try
        {
            await QuietlyAsync(api.SayAsync(to.Chat, (bot, chat) => bot.SendChatAction(chat, global::Telegram.Bot.Types.Enums.ChatAction.UploadPhoto, to.Thread, cancellationToken: cancel), cancel));
            await pictures.SubmitAsync(works, to, notes.Placeholder, entry.Id, cancel);
            Failpoint.At("telegram-submitted");
        }
        catch (SpotterException wrong) when (!IsPassing(wrong))
        {
            await FailAsync(to, notes.Placeholder, wrong.Message, cancel);
        }
        catch (TelegramFault missing) when (missing.Kind is FaultKind.Refused or FaultKind.NotEditable)
        {
            await FailAsync(to, notes.Placeholder, $"{Words.NotDownloaded} {missing.Message}", cancel);
        }
    }

    /// <summary>Makes a placeholder say what went wrong; where there is none any more, says it anew.</summary>
    private async Task FailAsync(ChatAddress to, int placeholder, string what, CancellationToken cancel)
    {
        try
        {
            if (placeholder != 0)
            {
                await api.SayAsync(to.Chat, (bot, chat) => bot.EditMessageText(chat, placeholder, Words.Error(what), cancellationToken: cancel), cancel);
                return;
            }
        }
        catch (TelegramFault fault) when (fault.Kind is FaultKind.NotEditable or FaultKind.Done)
        {
            if (fault.Kind == FaultKind.Done)
                return;
        }
        await SayAsync(to, Words.Error(what), quotes: true, cancel);
    }

    private Task<int> SayAsync(ChatAddress to, string text, bool quotes, CancellationToken cancel) =>
        api.SayAsync(
            to.Chat, async (bot, chat) => (await bot.SendMessage(chat, text, replyParameters: quotes ? to.Quote : null, messageThreadId: to.Thread, cancellationToken: cancel)).Id, cancel);

    /// <summary>What is only a courtesy may fail.</summary>
    private static async Task QuietlyAsync(Task courtesy)
    {
        try
        {
            await courtesy;
        }
        catch (TelegramFault)
        {
            // Whatever comes next meets the same fault, if it lasts.
        }
    }
}
