using System.Text.Json;
using System.Text.Json.Serialization;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Backends.Aws;

/// <summary>A message that is to be dealt with; what it says lies in an item of its own. Times are <see cref="Microseconds"/>.</summary>
internal sealed record WaitingMessage(
    [property: JsonPropertyName("i")] string Id, [property: JsonPropertyName("b")] string? Batch,
    [property: JsonPropertyName("r")] long Ready, [property: JsonPropertyName("c")] long Received);

/// <summary>A message of a batch that was dealt with.</summary>
internal sealed record EndedMessage([property: JsonPropertyName("i")] string Id, [property: JsonPropertyName("b")] string Batch);

/// <summary>
/// What is known of a conversation of an inbox, and what becomes of it: each step makes a new one, or null where there is nothing to
/// change. Times are <see cref="Microseconds"/>.
/// </summary>
internal sealed partial record InboxConversation
{
    /// <summary>No more messages wait in one conversation: an item has at most 400 KB.</summary>
    public const int MostWaiting = 1_000;

    /// <summary>No more messages of a batch are taken together: all of them end in one transaction. The rest comes as late parts do.</summary>
    public const int MostTogether = 40;

    /// <summary>So many messages that were dealt with are remembered for what comes late of their batches.</summary>
    public const int MostRemembered = 100;

    /// <summary>One of which nothing is known.</summary>
    public static InboxConversation Empty { get; } = new();

    /// <summary>What is to be dealt with, in order.</summary>
    [JsonPropertyName("w")]
    public IReadOnlyList<WaitingMessage> Waiting { get; init; } = [];

    /// <summary>Messages of batches that were dealt with, in order.</summary>
    [JsonPropertyName("e")]
    public IReadOnlyList<EndedMessage> Ended { get; init; } = [];

    /// <summary>Nothing is due before.</summary>
    [JsonPropertyName("h")]
    public long HeldUntil { get; init; }

    /// <summary>When the first message is due, which is when its lease ends if it has one; 0 when none waits.</summary>
    [JsonPropertyName("d")]
    public long Due { get; init; }

    /// <summary>Names the lease of the first message; null when it has none.</summary>
    [JsonPropertyName("l")]
    public string? Receipt { get; init; }

    /// <summary>How often the first message was tried.</summary>
    [JsonPropertyName("a")]
    public int Attempts { get; init; }

    /// <summary>What was noted of the first message.</summary>
    [JsonPropertyName("n")]
    public string? Notes { get; init; }

    /// <summary>The messages that are taken as one.</summary>
    [JsonIgnore]
    public IEnumerable<WaitingMessage> Together => Waiting is [{ Batch: { } batch }, ..]
        ? Waiting.Where(m => m.Batch == batch).Take(MostTogether)
        : Waiting.Take(1);

    /// <summary>Those of the same batch that were dealt with before.</summary>
    [JsonIgnore]
    public IEnumerable<EndedMessage> Earlier => Waiting is [{ Batch: { } batch }, ..] ? Ended.Where(m => m.Batch == batch) : [];

    /// <summary>As it was written.</summary>
    public static InboxConversation Read(string text) => JsonSerializer.Deserialize(text, ConversationJson.Default.InboxConversation) ?? Empty;

    /// <summary>As a text.</summary>
    public string Write() => JsonSerializer.Serialize(this, ConversationJson.Default.InboxConversation);

    /// <summary>Whether it need not be kept.</summary>
    public bool IsEmpty(long now) => Waiting.Count == 0 && Ended.Count == 0 && HeldUntil <= now;

    /// <summary>Messages came that it did not have.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.Busy"/>: too many wait.</exception>
    public InboxConversation Add(IReadOnlyList<InboxMessage> messages, long now)
    {
        if (Waiting.Count + messages.Count > MostWaiting)
            throw new SpotterException(ErrorCodes.Busy, $"{Waiting.Count} messages of this conversation are waiting already, and {MostWaiting} may; send more when some are done.");
        var waiting = new List<WaitingMessage>(Waiting);
        foreach (var message in messages)
        {
            var ready = now + Microseconds.From(message.Delay);
            if (message.Batch is { } batch)
            {
                // All of a batch wait until it has been quiet.
                for (var i = 0; i < waiting.Count; i++)
                {
                    if (waiting[i].Batch == batch)
                        waiting[i] = waiting[i] with { Ready = Math.Max(waiting[i].Ready, ready) };
                }
            }
            waiting.Add(new WaitingMessage(message.Id, message.Batch, ready, now));
        }
        // The first, if it was there, may be due later than it is ready: it is tried again.
        var due = Receipt is not null ? Due : Math.Max(Math.Max(Due, waiting[0].Ready), HeldUntil);
        return this with { Waiting = waiting, Due = due };
    }

    /// <summary>Leases what is due until a time; null when nothing is.</summary>
    public InboxConversation? Take(long now, long until, string receipt) =>
        Waiting.Count == 0 || Due > now ? null : this with { Due = until, Receipt = receipt };

    /// <summary>Leases an entry until a time; null when it was taken again already.</summary>
    public InboxConversation? Extend(InboxEntry entry, long until) => IsLeased(entry) ? this with { Due = until } : null;

    /// <summary>Notes something of an entry; null when it was taken again already.</summary>
    public InboxConversation? Note(InboxEntry entry, string notes) => IsLeased(entry) ? this with { Notes = notes } : null;

    /// <summary>An entry came to an outcome; null when it was taken again already.</summary>
    public InboxConversation? Settle(InboxEntry entry, InboxOutcome outcome, long now)
    {
        if (!IsLeased(entry))
            return null;
        var (ends, delay, attempts) = outcome.Record;
        if (!ends)
            return this with { Receipt = null, Attempts = Attempts + attempts, Due = Math.Max(now + Microseconds.From(delay), HeldUntil) };
        var ids = entry.Messages.Select(m => m.Id).ToHashSet(StringComparer.Ordinal);
        List<WaitingMessage> rest = [.. Waiting.Where(m => !ids.Contains(m.Id))];
        return this with
        {
            Waiting = rest,
            Ended = [.. Ended.Concat(Waiting.Where(m => m.Batch is not null && ids.Contains(m.Id)).Select(m => new EndedMessage(m.Id, m.Batch!))).TakeLast(MostRemembered)],
            Due = rest is [var first, ..] ? Math.Max(first.Ready, HeldUntil) : 0,
            Receipt = null, Attempts = 0, Notes = null,
        };
    }

    /// <summary>Nothing is due before a time, but for what is under way; null when that changes nothing.</summary>
    public InboxConversation? Hold(long until, long now) =>
        until <= HeldUntil || until <= now ? null
        : this with { HeldUntil = until, Due = Waiting.Count > 0 && Receipt is null ? Math.Max(Due, until) : Due };

    /// <summary>Messages that were dealt with are forgotten; null when that changes nothing.</summary>
    public InboxConversation? Forget(IReadOnlySet<string> ids, long now)
    {
        List<EndedMessage> ended = [.. Ended.Where(m => !ids.Contains(m.Id))];
        var isOver = HeldUntil > 0 && HeldUntil <= now;
        return ended.Count == Ended.Count && !isOver ? null : this with { Ended = ended, HeldUntil = isOver ? 0 : HeldUntil };
    }

    private bool IsLeased(InboxEntry entry) => Receipt is not null && Receipt == entry.Receipt && Waiting is [var first, ..] && first.Id == entry.Id;

    [JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault)]
    [JsonSerializable(typeof(InboxConversation))]
    private sealed partial class ConversationJson : JsonSerializerContext;
}
