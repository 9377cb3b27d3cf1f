namespace Spotter.Jobs;

/// <summary>
/// The deliveries that are due when jobs end. The <see cref="IJobStore"/> of the same backend writes the entries in the
/// transaction that ends the job, one for each of its <see cref="Job.Notify"/>, so there is an entry exactly when there is
/// an end. Errors as <see cref="IJobStore"/>.
/// </summary>
public interface IOutbox
{
    /// <summary>
    /// Entries of a channel that are due and not leased, soonest first, at most <paramref name="limit"/>. They are leased
    /// for <paramref name="lease"/>, after which they are due again unless an outcome was recorded. Entries for
    /// <paramref name="exceptEndpoints"/> stay where they are.
    /// </summary>
    Task<IReadOnlyList<OutboxEntry>> TakeAsync(
        string channel, int limit, TimeSpan lease, IReadOnlyCollection<string> exceptEndpoints, CancellationToken cancel);

    /// <summary>Records how a delivery went; changes nothing when the entry was taken again since, or is done.</summary>
    Task RecordAsync(OutboxEntry entry, DeliveryOutcome outcome, CancellationToken cancel);

    /// <summary>The deliveries of a job, oldest first: those of its end, and more for each time that it was redriven.</summary>
    Task<IReadOnlyList<DeliveryStatus>> OfAsync(JobId job, CancellationToken cancel);

    /// <summary>No more are counted than this.</summary>
    const int MostCounted = 10_000;

    /// <summary>How many entries are not done yet, over all channels; <see cref="MostCounted"/> when there are more.</summary>
    Task<long> PendingAsync(CancellationToken cancel);

    /// <summary>
    /// Calls <paramref name="wake"/> after each commit of this process that added entries, until disposed of. Other
    /// processes' entries may wake it too, and some wakes may get lost: senders also look from time to time. It is called
    /// on the store's own threads, so it returns at once and never throws.
    /// </summary>
    IDisposable WhenFilled(Action wake);
}

/// <summary>An entry that was taken to be delivered.</summary>
/// <param name="Id">The same for every attempt, so that an endpoint can drop duplicates; see <see cref="IdOf"/>.</param>
/// <param name="Job">The job.</param>
/// <param name="Target">Where to.</param>
/// <param name="Secret">What signs it; null for what the channel uses by itself.</param>
/// <param name="Endpoint">What answers for the target: deliveries to one endpoint share a limit and a circuit.</param>
/// <param name="Attempt">Which attempt this is, from 1; one without a recorded outcome does not count.</param>
/// <param name="Receipt">Names this lease; an older one no longer has any effect.</param>
public sealed record OutboxEntry(string Id, JobId Job, string Target, string? Secret, string Endpoint, int Attempt, string Receipt)
{
    /// <summary>
    /// The id of a delivery: that of the job, <c>~n</c> after its nth redrive, and <c>-n</c> for its nth notification from
    /// the second on.
    /// </summary>
    public static string IdOf(JobId job, int redrives, int index = 0) =>
        job.Value + (redrives == 0 ? "" : $"~{redrives}") + (index == 0 ? "" : $"-{index + 1}");

    /// <summary>Whether this tells of the end that the job has now, and not of one before a redrive.</summary>
    public bool TellsOf(Job job)
    {
        var end = IdOf(job.Id, job.Redrives);
        return Id.StartsWith(end, StringComparison.Ordinal) && (Id.Length == end.Length || Id[end.Length] == '-');
    }

    /// <summary>Not the secret.</summary>
    public override string ToString() => $"{nameof(OutboxEntry)} {Id}";
}

/// <summary>Where a delivery stands.</summary>
public enum DeliveryState
{
    /// <summary>To be sent, perhaps again.</summary>
    Pending,

    /// <summary>The endpoint has it.</summary>
    Delivered,

    /// <summary>Not tried any more.</summary>
    GivenUp,
}

/// <summary>What is known of a delivery.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Channel">The channel that sends it.</param>
/// <param name="Target">Where to.</param>
/// <param name="State">Where it stands.</param>
/// <param name="Attempts">Attempts with a recorded outcome.</param>
/// <param name="Status">The status code of the last answer; null when there was none.</param>
/// <param name="Detail">What went wrong last; null when nothing did.</param>
/// <param name="NextAt">When it is sent next; null when it is done.</param>
/// <param name="EndedAt">When it was done; null until then.</param>
public sealed record DeliveryStatus(
    string Id, string Channel, string Target, DeliveryState State, int Attempts, int? Status, string? Detail, DateTimeOffset? NextAt, DateTimeOffset? EndedAt);
