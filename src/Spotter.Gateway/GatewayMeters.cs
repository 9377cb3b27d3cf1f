using System.Diagnostics.Metrics;
using Spotter.Core;
using Spotter.Jobs;
using Spotter.Scaling;

namespace Spotter.Gateway;

/// <summary>
/// What the gateway counts, as instruments of a meter. Names and units follow OpenTelemetry's conventions
/// (https://opentelemetry.io/docs/specs/semconv/general/metrics/); in the text for Prometheus <c>spotter.attempt.duration</c> is
/// <c>spotter_attempt_duration_seconds</c>. docs/monitoring.md lists them all.
/// </summary>
internal sealed class GatewayMeters : IDisposable
{
    /// <summary>The meter's usual name.</summary>
    public const string Name = "Spotter";

    private static readonly InstrumentAdvice<double> Durations = new()
    {
        HistogramBucketBoundaries = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
    };

    private readonly Counter<long> accepted;
    private readonly Counter<long> ended;
    private readonly Counter<long> refused;
    private readonly Counter<long> leasesExpired;
    private readonly Counter<long> deliveries;
    private readonly Counter<long> circuits;
    private readonly Counter<long> decisions;
    private readonly Counter<long> launched;
    private readonly Counter<long> drained;
    private readonly Histogram<double> attempt;
    private readonly Histogram<double> stage;
    private readonly Histogram<double> job;
    private readonly Histogram<double> delivery;

    /// <summary>Makes the instruments.</summary>
    /// <param name="name">Another name of the meter, where several gateways in one process are told apart.</param>
    public GatewayMeters(string name = Name)
    {
        Meter = new Meter(name);
        accepted = Meter.CreateCounter<long>("spotter.jobs.accepted", "{job}", "Jobs accepted.");
        ended = Meter.CreateCounter<long>("spotter.attempts", "{attempt}", "Attempts that ended, by how: done, retry, reject.");
        refused = Meter.CreateCounter<long>("spotter.requests.refused", "{request}", "Requests refused, by the code of the problem.");
        leasesExpired = Meter.CreateCounter<long>("spotter.leases.expired", "{lease}", "Leases that ran out because their worker gave no sign of life, and were taken back.");
        deliveries = Meter.CreateCounter<long>("spotter.deliveries", "{attempt}", "Attempts to deliver that ended, by channel and outcome: sent, failed (to be tried again), given_up.");
        circuits = Meter.CreateCounter<long>("spotter.delivery.circuits.opened", "{circuit}", "Times that the circuit of an endpoint opened because it kept failing.");
        decisions = Meter.CreateCounter<long>("spotter.scaling.decisions", "{decision}", "Decisions of the policy that did something or changed their mind.");
        launched = Meter.CreateCounter<long>("spotter.scaling.launched", "{worker}", "Workers that the policy had launched.");
        drained = Meter.CreateCounter<long>("spotter.scaling.drained", "{worker}", "Workers that the policy had drained.");
        attempt = Seconds("spotter.attempt.duration", "Time that a worker took for an attempt with a result, from fetching its input on.");
        stage = Seconds("spotter.stage.duration", "Time of an attempt with a result, by stage: fetch, decode, infer, post, encode.");
        job = Seconds("spotter.job.duration", "Time from the arrival of a job's picture to its end on a worker, waits and attempts included, by how it ended.");
        delivery = Seconds("spotter.delivery.duration", "Time from the beginning of an attempt to deliver to its recorded outcome.");
    }

    /// <summary>Where instruments that others observe are made.</summary>
    public Meter Meter { get; }

    public void Accepted(string engine, int count) => accepted.Add(count, new KeyValuePair<string, object?>("engine", engine));

    public void Refused(string code) => refused.Add(1, new KeyValuePair<string, object?>("code", code));

    public void LeasesExpired(int count) => leasesExpired.Add(count);

    /// <summary>An attempt has ended.</summary>
    /// <param name="engine">Who ran it.</param>
    /// <param name="outcome">How.</param>
    /// <param name="state">Where the job stands now.</param>
    /// <param name="age">How long ago the job arrived.</param>
    public void Ended(string engine, JobOutcome outcome, JobState state, TimeSpan age)
    {
        var how = outcome switch
        {
            JobOutcome.Done => "done",
            JobOutcome.Retry => "retry",
            _ => "reject",
        };
        ended.Add(1, new("engine", engine), new("outcome", how));
        if (state.IsTerminal())
            job.Record(Math.Max(0, age.TotalSeconds), new("engine", engine), new("state", EnumNames.Of(state)));
        // Only a result says how long it took.
        if (outcome is not JobOutcome.Done { Timings: var timings })
            return;
        attempt.Record((timings.FetchMs + timings.BusyMs) / 1000, new KeyValuePair<string, object?>("engine", engine));
        foreach (var (name, milliseconds) in timings.Stages)
            stage.Record(milliseconds / 1000, new("engine", engine), new("stage", name));
    }

    public void Delivered(string channel, string outcome, TimeSpan time)
    {
        deliveries.Add(1, new("channel", channel), new("outcome", outcome));
        delivery.Record(time.TotalSeconds, new KeyValuePair<string, object?>("channel", channel));
        circuits.Add(0, new KeyValuePair<string, object?>("channel", channel));
    }

    public void CircuitOpened(string channel) => circuits.Add(1, new KeyValuePair<string, object?>("channel", channel));

    public void Decided(ScaleDecision decision)
    {
        var pool = new KeyValuePair<string, object?>("pool", decision.Pool ?? WorkerPool.Default);
        decisions.Add(1, pool);
        launched.Add(decision.Launch, pool);
        drained.Add(decision.Drain.Count, pool);
    }

    public void Dispose() => Meter.Dispose();

    private Histogram<double> Seconds(string name, string help) => Meter.CreateHistogram(name, "s", help, tags: null, Durations);
}
