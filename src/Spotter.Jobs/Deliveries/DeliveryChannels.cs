using Spotter.Core;

namespace Spotter.Jobs.Deliveries;

/// <summary>The delivery channels of this deployment.</summary>
public sealed class DeliveryChannels(IEnumerable<IDeliveryChannel> channels)
{
    private readonly SortedDictionary<string, IDeliveryChannel> byName =
        new(channels.ToDictionary(c => c.Name, StringComparer.Ordinal), StringComparer.Ordinal);

    /// <summary>Has the channel check a notification; returns it as it is to be stored.</summary>
    /// <exception cref="SpotterException">There is no such channel, or it could not deliver this.</exception>
    public JobNotification Accept(JobNotification asked) =>
        byName.TryGetValue(asked.Channel, out var channel)
            ? channel.Accept(asked)
            : throw new SpotterException(ErrorCodes.InvalidRequest,
                $"There is no delivery channel '{asked.Channel}'; choose one of: {string.Join(", ", byName.Keys)}.");
}
