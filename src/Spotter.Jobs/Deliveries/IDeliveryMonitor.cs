using Spotter.Core;

namespace Spotter.Jobs.Deliveries;

/// <summary>Is told what senders do, for logs and metrics.</summary>
public interface IDeliveryMonitor
{
    /// <summary>An attempt ended, and its outcome is recorded.</summary>
    void Ended(string channel, OutboxEntry entry, DeliveryOutcome outcome, TimeSpan time);

    /// <summary>An endpoint kept failing; nothing is sent to it for a while.</summary>
    void CircuitOpened(string channel, string endpoint, TimeSpan time);

    /// <summary>A channel threw, which is a mistake in it; the delivery is tried again.</summary>
    void Faulted(string channel, OutboxEntry entry, Exception fault);

    /// <summary>The store can't be used now; the sender tries again.</summary>
    void OutboxUnavailable(string channel, SpotterException error);
}
