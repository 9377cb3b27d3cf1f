using Spotter.Jobs;

namespace Spotter.Backends.Aws;

/// <summary>A row of the table.</summary>
internal sealed record JobRow : StoredJob
{
    public JobRow(StoredJob stored)
        : base(stored)
    {
    }

    /// <summary>No message was sent: it is due later than SQS can wait.</summary>
    public static readonly DateTimeOffset Unsent = DateTimeOffset.UnixEpoch;

    /// <summary>When its last message was sent, or comes: not again for a while. <see cref="Unsent"/> while there is none.</summary>
    public DateTimeOffset Sent { get; init; }

    /// <summary>Rises with each change; a write replaces only the version that it has read.</summary>
    public long Version { get; init; } = 1;

    /// <summary>How many items besides its own it takes; 0 for most.</summary>
    public int Parts { get; init; }

    /// <summary>That of a new job, a message for which is sent now, unless it is due too late for that.</summary>
    public static JobRow Accepted(StoredJob job, DateTimeOffset now) => new(job) { Sent = job.Due - now > SqsQueues.LongestDelay ? Unsent : job.Due };

    /// <summary>As it is once a message was sent for when it is due, where it waits for a worker.</summary>
    public JobRow WithMessage() => IsQueued ? this with { Sent = Due } : this;
}
