using System.Diagnostics.Metrics;
using Spotter.Core;
using Spotter.Gateway;
using Spotter.Gateway.Telemetry;
using Spotter.Jobs;
using Spotter.Scaling;
using Spotter.Tests.Jobs;
using Spotter.Tests.Scaling;

namespace Spotter.Tests.Gateway.Telemetry;

public sealed class ServiceGaugesTests : IAsyncLifetime
{
    private const string Meter = "Spotter.ServiceGaugesTests";

    private readonly LocalFixture fixture = new();
    private readonly ManualClock clock = new();
    private readonly GatewayMeters meters = new(Meter);

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        meters.Dispose();
        await fixture.DisposeAsync();
    }

    [Fact]
    public async Task A_store_that_hangs_is_away_before_Prometheus_gives_up()
    {
        var backend = fixture.Open(TimeProvider.System);
        var roster = new WorkerRoster(clock);
        await using var jobs = new JobService(
            new FailingCounts(backend.Jobs) { Hangs = true }, backend.Blobs, roster, new ModelCatalogue((IEnumerable<ModelInfo>)[]), new JobSettings(), clock, RandomSource.System);
        var gauges = new ServiceGauges(meters, jobs, backend.Outbox, roster, new DecisionLog(), new GatewaySettings { WorkerToken = GatewayBench.Token }, clock);

        var reading = gauges.ReadAsync(default);
        await clock.WaitForTimersAsync();
        clock.Advance(TimeSpan.FromSeconds(9));
        await reading.WaitAsync(GatewayBench.Safety);

        Read().ShouldContainKeyAndValue("spotter.store.up", 0);
        Read().ShouldNotContainKey("spotter.jobs");
    }

    /// <summary>What the instruments tell now.</summary>
    private static Dictionary<string, double> Read()
    {
        var read = new Dictionary<string, double>(StringComparer.Ordinal);
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, l) =>
            {
                if (instrument.Meter.Name == Meter)
                    l.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<int>((instrument, value, _, _) => read[instrument.Name] = value);
        listener.SetMeasurementEventCallback<long>((instrument, value, _, _) => read[instrument.Name] = value);
        listener.SetMeasurementEventCallback<double>((instrument, value, _, _) => read[instrument.Name] = value);
        listener.Start();
        listener.RecordObservableInstruments();
        return read;
    }
}
