using Microsoft.Extensions.Logging;
using Spotter.Core;
using Spotter.Jobs;
using Spotter.Jobs.Deliveries;

namespace Spotter.Gateway.Deliveries;

/// <summary>Logs what senders do, and counts it.</summary>
internal sealed partial class DeliveryMonitor(StoreMonitor stores, GatewayMeters meters, ILogger<DeliveryMonitor> log) : IDeliveryMonitor
{
    public void Ended(string channel, OutboxEntry entry, DeliveryOutcome outcome, TimeSpan time)
    {
        var how = outcome switch
        {
            DeliveryOutcome.Delivered => "sent",
            DeliveryOutcome.Again => "failed",
            _ => "given_up",
        };
        meters.Delivered(channel, how, time);
        if (outcome is DeliveryOutcome.GivenUp given)
            LogGivenUp(channel, entry.Id, entry.Endpoint, given.Detail);
        else if (outcome is DeliveryOutcome.Again again)
            LogFailed(channel, entry.Id, entry.Endpoint, entry.Attempt, again.Detail, again.Delay.TotalSeconds);
    }

    public void CircuitOpened(string channel, string endpoint, TimeSpan time)
    {
        meters.CircuitOpened(channel);
        LogOpened(channel, endpoint, time.TotalSeconds);
    }

    public void Faulted(string channel, OutboxEntry entry, Exception fault) => LogFaulted(fault, channel, entry.Id);

    public void OutboxUnavailable(string channel, SpotterException error)
    {
        if (!stores.Note(error))
            LogUnavailable(error, channel);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Delivery {Id} by {Channel} to {Endpoint} failed at attempt {Attempt}: {Detail} Next in {Seconds:0.#} s")]
    private partial void LogFailed(string channel, string id, string endpoint, int attempt, string detail, double seconds);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Delivery {Id} by {Channel} to {Endpoint} is given up: {Detail}")]
    private partial void LogGivenUp(string channel, string id, string endpoint, string detail);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Endpoint} keeps failing; nothing is sent to it by {Channel} for {Seconds:0.#} s")]
    private partial void LogOpened(string channel, string endpoint, double seconds);

    [LoggerMessage(Level = LogLevel.Error, Message = "Delivery {Id} by {Channel} could not be made; it is tried again")]
    private partial void LogFaulted(Exception fault, string channel, string id);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The outbox can't be read or written for {Channel}; it is tried again. Check the job store.")]
    private partial void LogUnavailable(Exception error, string channel);
}
