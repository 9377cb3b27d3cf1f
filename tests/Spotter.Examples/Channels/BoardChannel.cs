using System.Collections.Concurrent;
using Spotter.Core;
using Spotter.Jobs;
using Spotter.Jobs.Deliveries;

namespace Spotter.Examples.Channels;

/// <summary>Tells how jobs ended by pinning a note to a board of this process. Where a real one would make a call, this one writes into a table.</summary>
internal sealed class BoardChannel : IDeliveryChannel
{
    private const int LongestName = 64;

    public string Name => "board";

    public DeliverySettings Settings { get; init; } = new();

    /// <summary>The notes, each under the id of its delivery: one that comes twice is there once.</summary>
    public ConcurrentDictionary<string, (string Board, string Note)> Notes { get; } = new(StringComparer.Ordinal);

    /// <summary>Checked while the client still listens, so that no job is accepted that nobody could be told about.</summary>
    public JobNotification Accept(JobNotification asked) => asked.Target.Length is > 0 and <= LongestName && asked.Target.All(char.IsAsciiLetterLower)
        ? asked with { Endpoint = asked.Target }
        : throw new SpotterException(ErrorCodes.InvalidRequest, $"The board '{asked.Target}' can't be; its name is 1 to {LongestName} lower-case letters.");

    public Task<DeliveryOutcome> SendAsync(OutboxEntry entry, Job job, CancellationToken cancel)
    {
        Notes.TryAdd(entry.Id, (entry.Target, $"{job.Name ?? job.Id.Value}: {job.State}"));
        return Task.FromResult<DeliveryOutcome>(new DeliveryOutcome.Delivered());
    }
}
