using Spotter.Core;

namespace Spotter.Jobs;

/// <summary>Hears of uploads that have arrived past the gateway. Events may come twice, late, or in another order.</summary>
public interface IUploadEvents
{
    /// <summary>Waits some seconds for events. One that is not taken off comes again, after a minute at the earliest.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.StoreUnavailable"/>, as in all of these.</exception>
    Task<IReadOnlyList<UploadEvent>> ReceiveAsync(CancellationToken cancel);

    /// <summary>Takes events off that are dealt with.</summary>
    Task DeleteAsync(IReadOnlyList<UploadEvent> events, CancellationToken cancel);
}

/// <summary>A message about uploads.</summary>
/// <param name="Uploads">The uploads that have arrived; none for a message about something else.</param>
/// <param name="Receipt">What takes it off.</param>
public sealed record UploadEvent(IReadOnlyList<UploadId> Uploads, string Receipt)
{
    /// <summary>True when it can't be read, and so is nothing that S3 sends.</summary>
    public bool IsOdd { get; init; }
}
