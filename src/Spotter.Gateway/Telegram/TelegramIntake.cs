using Microsoft.Extensions.Logging;
using Spotter.Jobs;

namespace Spotter.Gateway.Telegram;

/// <summary>
/// Keeps updates, as many as there is room for: of all chats together, beyond which Telegram keeps them itself, and of each, so
/// that one that is flooded shuts out no other.
/// </summary>
internal sealed partial class TelegramIntake(TelegramSettings settings, IInbox inbox, TimeProvider time, ILogger<TelegramIntake> log)
{
    private static readonly TimeSpan CountEvery = TimeSpan.FromSeconds(1);

    private readonly Lock gate = new();
    private long countedAt = long.MinValue;
    private long pending;

    /// <summary>False while enough messages wait, by a count that is a second old at most.</summary>
    public async Task<bool> HasRoomAsync(CancellationToken cancel)
    {
        bool isOld;
        lock (gate)
        {
            isOld = countedAt == long.MinValue || time.GetElapsedTime(countedAt) > CountEvery;
            if (isOld)
                countedAt = time.GetTimestamp();
        }
        if (isOld)
            Interlocked.Exchange(ref pending, await inbox.PendingAsync(settings.Box, null, cancel));
        return Interlocked.Read(ref pending) < settings.MostPending;
    }

    /// <summary>Keeps messages; leaves out those of a chat of which enough wait.</summary>
    public async Task KeepAsync(IReadOnlyList<InboxMessage> messages, CancellationToken cancel)
    {
        var kept = new List<InboxMessage>(messages.Count);
        foreach (var chat in messages.GroupBy(m => m.Conversation, StringComparer.Ordinal))
        {
            var room = settings.MostPendingOfChat - await inbox.PendingAsync(settings.Box, chat.Key, cancel);
            kept.AddRange(chat.Take((int)Math.Clamp(room, 0, int.MaxValue)));
            if (room < chat.Count())
                LogLeftOut(chat.Key, settings.MostPendingOfChat);
        }
        if (kept.Count == 0)
            return;
        await inbox.AddAsync(settings.Box, kept, cancel);
        Interlocked.Add(ref pending, kept.Count);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Messages of the Telegram chat {Chat} are left out: {Most} of it wait already")]
    private partial void LogLeftOut(string chat, int most);
}
