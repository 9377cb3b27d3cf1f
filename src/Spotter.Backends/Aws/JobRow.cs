using Spotter.Jobs;

namespace Spotter.Backends.Aws;

/// <summary>A row of the table.</summary>
internal sealed record JobRow : StoredJob
{
    public JobRow(StoredJob stored)
        : base(stored)
    {
    }

    /// <summary>When its last message was sent: not again for a while.</summary>
    public DateTimeOffset Sent { get; init; }

    /// <summary>Rises with each change; a write replaces only the version that it has read.</summary>
    public long Version { get; init; } = 1;

    /// <summary>How many items besides its own it takes; 0 for most.</summary>
    public int Parts { get; init; }

    /// <summary>As it is once a message was sent for when it is due, where it waits for a worker.</summary>
    public JobRow WithMessage() => IsQueued ? this with { Sent = Due } : this;
}
