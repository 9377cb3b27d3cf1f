using Spotter.Core;

namespace Spotter.Jobs.Deliveries;

/// <summary>
/// A way to tell somebody how a job ended. A channel knows its protocol and nothing else: the <see cref="DeliverySender"/>
/// takes entries from the outbox, limits, retries, opens circuits and records.
/// </summary>
public interface IDeliveryChannel
{
    /// <summary>Its name in <see cref="JobNotification.Channel"/>; never changed, since it is stored.</summary>
    string Name { get; }

    /// <summary>False where the deployment does not use it, so that nobody need look for its entries.</summary>
    bool IsOn => true;

    /// <summary>How its deliveries are sent.</summary>
    DeliverySettings Settings { get; }

    /// <summary>Checks a notification before its job is accepted; returns it as it is to be stored, with its endpoint.</summary>
    /// <exception cref="SpotterException">It could not be delivered: what is wrong with it, and what to do.</exception>
    JobNotification Accept(JobNotification asked);

    /// <summary>
    /// Makes one attempt. It may throw: that is logged and tried again. The token is cancelled when
    /// <see cref="DeliverySettings.Timeout"/> is over and when the service ends.
    /// </summary>
    /// <param name="entry">What to deliver, and where to.</param>
    /// <param name="job">The job, which has ended.</param>
    /// <param name="cancel">Then it is unknown whether it arrived.</param>
    Task<DeliveryOutcome> SendAsync(OutboxEntry entry, Job job, CancellationToken cancel);
}
