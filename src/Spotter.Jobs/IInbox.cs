namespace Spotter.Jobs;

/// <summary>
/// Messages that came in and are to be dealt with after their sender has its answer: each once, however often it is sent and
/// to however many gateways; those of one conversation one after another, in the order in which they came. Errors as
/// <see cref="IJobStore"/>.
/// </summary>
public interface IInbox
{
    /// <summary>No more are counted than this.</summary>
    const int MostCounted = 10_000;

    /// <summary>
    /// Keeps messages of a box; returns once they would survive a power cut. One whose id the box has had is left out. How many
    /// are new.
    /// </summary>
    Task<int> AddAsync(string box, IReadOnlyList<InboxMessage> messages, CancellationToken cancel);

    /// <summary>
    /// Messages of a box that are due, soonest first, at most <paramref name="limit"/> entries. They are leased for
    /// <paramref name="lease"/>, after which they are due again. A message behind another one of its conversation is not due.
    /// </summary>
    Task<IReadOnlyList<InboxEntry>> TakeAsync(string box, int limit, TimeSpan lease, CancellationToken cancel);

    /// <summary>Leases an entry for <paramref name="lease"/> from now on. False when it was taken again already.</summary>
    Task<bool> ExtendAsync(InboxEntry entry, TimeSpan lease, CancellationToken cancel);

    /// <summary>Remembers how far an entry is, for whoever takes it again. False when it was taken again already.</summary>
    Task<bool> NoteAsync(InboxEntry entry, string notes, CancellationToken cancel);

    /// <summary>Records how it went, and lets the conversation go on unless it is tried again. Changes nothing when the entry was taken again.</summary>
    Task SettleAsync(InboxEntry entry, InboxOutcome outcome, CancellationToken cancel);

    /// <summary>Nothing of a conversation is due before <paramref name="until"/>; an earlier time than one that was said before changes nothing.</summary>
    Task HoldAsync(string box, string conversation, DateTimeOffset until, CancellationToken cancel);

    /// <summary>Until when a conversation is held; null when it is not.</summary>
    Task<DateTimeOffset?> HeldUntilAsync(string box, string conversation, CancellationToken cancel);

    /// <summary>
    /// Makes one of several the one that may do something once: true for the first <paramref name="claimant"/> that asks for a
    /// message, however often it asks, and false for all others. False, too, for a message that isn't there.
    /// </summary>
    Task<bool> ClaimAsync(string box, string message, string claimant, CancellationToken cancel);

    /// <summary>How many messages of a box, or of one conversation, are to be dealt with; <see cref="MostCounted"/> when there are more.</summary>
    Task<long> PendingAsync(string box, string? conversation, CancellationToken cancel);

    /// <summary>Deletes messages of all boxes that were dealt with and came before a time, at most <paramref name="limit"/>; how many. Their ids are new again.</summary>
    Task<int> ForgetAsync(DateTimeOffset receivedBefore, int limit, CancellationToken cancel);

    /// <summary>
    /// Calls <paramref name="wake"/> after messages were added through this process, until disposed of. Some wakes may get lost,
    /// and those of other gateways do: whoever reads a box also looks from time to time. It returns at once and never throws.
    /// </summary>
    IDisposable WhenFilled(Action wake);
}

/// <summary>A message that came in.</summary>
/// <param name="Id">What tells it from all others of its box.</param>
/// <param name="Conversation">Whose it is: those of one conversation are dealt with in order.</param>
/// <param name="Body">What it says.</param>
public sealed record InboxMessage(string Id, string Conversation, string Body)
{
    /// <summary>Not due before this long after it came.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>
    /// Those of a conversation that have the same are dealt with together, once none has come for the <see cref="Delay"/> of the
    /// last; null for one by itself. One that comes when the others were taken is dealt with by itself, later.
    /// </summary>
    public string? Batch { get; init; }
}

/// <summary>What was taken to be dealt with: one message, or several of one batch.</summary>
/// <param name="Box">The box.</param>
/// <param name="Conversation">Whose they are.</param>
/// <param name="Messages">The messages, in the order in which they came; at least one.</param>
/// <param name="Attempt">Which attempt this is, from 1; one without an outcome does not count.</param>
/// <param name="Notes">What was noted of them last; null for nothing.</param>
/// <param name="Receipt">Names this lease; an older one has no effect any more.</param>
public sealed record InboxEntry(
    string Box, string Conversation, IReadOnlyList<InboxMessage> Messages, int Attempt, string? Notes, string Receipt)
{
    /// <summary>Messages of the same batch that were dealt with before these came.</summary>
    public IReadOnlyList<InboxMessage> Earlier { get; init; } = [];

    /// <summary>When its first message came.</summary>
    public required DateTimeOffset Received { get; init; }

    /// <summary>Its first message, which stands for it.</summary>
    public string Id => Messages[0].Id;

    /// <summary>Not what the messages say.</summary>
    public override string ToString() => $"{nameof(InboxEntry)} {Id}";
}

/// <summary>How it went with an entry.</summary>
public abstract record InboxOutcome
{
    private InboxOutcome()
    {
    }

    /// <summary>It is dealt with.</summary>
    /// <param name="Only">Only these of its messages are, the first among them; the others are due by themselves, later. Null for all.</param>
    /// <param name="Failed">Why it could not be done and is given up, which is reported; null when it was done.</param>
    public sealed record Done(IReadOnlyList<InboxMessage>? Only = null, Exception? Failed = null) : InboxOutcome;

    /// <summary>To be tried again; the conversation waits for it.</summary>
    /// <param name="Delay">Not before this long.</param>
    /// <param name="CountsAsAttempt">False when it is nobody's fault: it was asked to wait.</param>
    public sealed record Again(TimeSpan Delay, bool CountsAsAttempt = true) : InboxOutcome;

    /// <summary>What becomes of it, for stores: whether it is over, and when it is due again.</summary>
    public (bool Ends, TimeSpan Delay, int Attempts) Record => this switch
    {
        Done => (true, TimeSpan.Zero, 1),
        Again again => (false, again.Delay, again.CountsAsAttempt ? 1 : 0),
        _ => throw new InvalidOperationException("There is no third outcome."),
    };
}
