using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using Spotter.Core;
using Spotter.Jobs;
using Spotter.Jobs.Deliveries;

namespace Spotter.Gateway.Deliveries;

/// <summary>Logs what senders do, and counts it as instruments of the meter <c>Spotter</c>.</summary>
internal sealed partial class DeliveryMonitor : IDeliveryMonitor, IDisposable
{
    private readonly ILogger<DeliveryMonitor> log;
    private readonly StoreMonitor stores;
    private readonly Meter meter = new(GatewayMeters.Name);
    private readonly Counter<long> ended;
    private readonly Counter<long> opened;
    private readonly Histogram<double> seconds;

    public DeliveryMonitor(StoreMonitor stores, ILogger<DeliveryMonitor> log)
    {
        (this.stores, this.log) = (stores, log);
        ended = meter.CreateCounter<long>("spotter_deliveries_total", null, "Attempts to deliver that ended, by channel and outcome: sent, failed (to be tried again), given_up.");
        opened = meter.CreateCounter<long>("spotter_delivery_circuits_opened_total", null, "Times that the circuit of an endpoint opened because it kept failing.");
        seconds = meter.CreateHistogram<double>("spotter_delivery_seconds", "s", "Time from the beginning of an attempt to its recorded outcome.");
    }

    public void Ended(string channel, OutboxEntry entry, DeliveryOutcome outcome, TimeSpan time)
    {
        var how = outcome switch
        {
            DeliveryOutcome.Delivered => "sent",
            DeliveryOutcome.Again => "failed",
            _ => "given_up",
        };
        ended.Add(1, new("channel", channel), new("outcome", how));
        seconds.Record(time.TotalSeconds, new KeyValuePair<string, object?>("channel", channel));
        if (outcome is DeliveryOutcome.GivenUp given)
            LogGivenUp(channel, entry.Id, entry.Endpoint, given.Detail);
        else if (outcome is DeliveryOutcome.Again again)
            LogFailed(channel, entry.Id, entry.Endpoint, entry.Attempt, again.Detail, again.Delay.TotalSeconds);
    }

    public void CircuitOpened(string channel, string endpoint, TimeSpan time)
    {
        opened.Add(1, new KeyValuePair<string, object?>("channel", channel));
        LogOpened(channel, endpoint, time.TotalSeconds);
    }

    public void Faulted(string channel, OutboxEntry entry, Exception fault) => LogFaulted(fault, channel, entry.Id);

    public void OutboxUnavailable(string channel, SpotterException error)
    {
        if (!stores.Note(error))
            LogUnavailable(error, channel);
    }

    public void Dispose() => meter.Dispose();

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
