namespace Spotter.Jobs;

/// <summary>
/// The outbox: notices to those who want to be told how a job ended. The <see cref="IJobStore"/> of the same backend
/// writes a notice in the transaction that ends the job, so there is one exactly when there is an end. Errors as
/// <see cref="IJobStore"/>.
/// </summary>
public interface INoticeStore
{
    /// <summary>
    /// Notices that are due and that nobody holds, soonest first, at most <paramref name="limit"/>; hidden from others
    /// for <paramref name="hold"/>, after which they are due again unless something was recorded. Those to <paramref name="exceptReceivers"/> are left where they are.
    /// </summary>
    Task<IReadOnlyList<Notice>> TakeAsync(
        int limit, TimeSpan hold, IReadOnlyCollection<string> exceptReceivers, CancellationToken cancel);

    /// <summary>Notes how a delivery went; nothing happens when the notice was taken again since, or is done.</summary>
    Task RecordAsync(Notice notice, NoticeOutcome outcome, CancellationToken cancel);

    /// <summary>The notices about a job, oldest first; one, and another for each time that it was redriven.</summary>
    Task<IReadOnlyList<NoticeStatus>> OfAsync(JobId job, CancellationToken cancel);

    /// <summary>How many are not done yet.</summary>
    Task<long> PendingAsync(CancellationToken cancel);
}

/// <summary>A notice to be sent.</summary>
/// <param name="Id">The same for every delivery, so that a receiver can drop doubles: the job's id; <c>id~n</c> after its nth redrive.</param>
/// <param name="Job">The job.</param>
/// <param name="Url">Where to.</param>
/// <param name="Secret">What signs it; null for the one that the service has for this receiver.</param>
/// <param name="Receiver">Scheme, host and port of the URL: deliveries to one receiver share its fate.</param>
/// <param name="Attempt">Which delivery this is, from 1; one that nothing was recorded of does not count.</param>
/// <param name="Receipt">Names this taking; an older one no longer has any effect.</param>
public sealed record Notice(string Id, JobId Job, string Url, string? Secret, string Receiver, int Attempt, string Receipt)
{
    /// <summary>The id of the notice about a job that was redriven so often.</summary>
    public static string IdOf(JobId job, int redrives) => redrives == 0 ? job.Value : $"{job.Value}~{redrives}";

    /// <summary>Scheme, host and port of a URL; the text itself when it is none.</summary>
    public static string ReceiverOf(string url) =>
        Uri.TryCreate(url, UriKind.Absolute, out var parsed) ? parsed.GetLeftPart(UriPartial.Authority) : url;

    /// <summary>Not the secret.</summary>
    public override string ToString() => $"{nameof(Notice)} {Id}";
}

/// <summary>How a delivery went.</summary>
public abstract record NoticeOutcome
{
    private NoticeOutcome()
    {
    }

    /// <summary>The receiver has it.</summary>
    /// <param name="Status">The HTTP status that it answered.</param>
    public sealed record Delivered(int Status) : NoticeOutcome;

    /// <summary>To be sent again.</summary>
    /// <param name="Delay">After this long.</param>
    /// <param name="Status">The HTTP status; null when there was no answer.</param>
    /// <param name="Detail">What went wrong, in one sentence.</param>
    public sealed record Again(TimeSpan Delay, int? Status, string Detail) : NoticeOutcome;

    /// <summary>Never to be sent again.</summary>
    /// <param name="Status">The HTTP status; null when there was no answer.</param>
    /// <param name="Detail">Why, in one sentence.</param>
    public sealed record GivenUp(int? Status, string Detail) : NoticeOutcome;
}

/// <summary>Where a notice stands.</summary>
public enum NoticeState
{
    /// <summary>To be sent, perhaps again.</summary>
    Pending,

    /// <summary>The receiver has it.</summary>
    Delivered,

    /// <summary>Nobody tries any more.</summary>
    GivenUp,
}

/// <summary>What is known of a notice.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Url">Where to.</param>
/// <param name="State">Where it stands.</param>
/// <param name="Attempts">Deliveries of which something was recorded.</param>
/// <param name="Status">The HTTP status of the last one; null when there was no answer.</param>
/// <param name="Detail">What went wrong last; null when nothing did.</param>
/// <param name="NextAt">When it is sent next; null when it is done.</param>
/// <param name="EndedAt">When it was done; null until then.</param>
public sealed record NoticeStatus(
    string Id, string Url, NoticeState State, int Attempts, int? Status, string? Detail, DateTimeOffset? NextAt, DateTimeOffset? EndedAt);
