using Spotter.Gateway;
using Spotter.Jobs;
using Spotter.Scaling;

namespace Spotter.Tests.Gateway.Telemetry;

/// <summary>What Prometheus reads from a gateway on the real backend.</summary>
public sealed class MetricsTests : IAsyncLifetime
{
    private GatewayBench bench = null!;

    public async Task InitializeAsync() => bench = await GatewayBench.StartAsync();

    public async Task DisposeAsync() => await bench.DisposeAsync();

    [Fact]
    public async Task Jobs_are_told_by_state_and_by_queue()
    {
        await bench.SubmitAsync();

        var text = await ScrapeAsync();

        text.ShouldContain("spotter_jobs{state=\"queued\"} 1\n");
        text.ShouldContain("spotter_jobs{state=\"dead\"} 0\n");
        text.ShouldContain("spotter_queue_jobs{priority=\"normal\",queue=\"detect/tiny\",state=\"waiting\"} 1\n");
        text.ShouldContain("spotter_queue_oldest_seconds{priority=\"normal\",queue=\"detect/tiny\"}");
        text.ShouldContain("spotter_jobs_accepted_total{engine=\"detect\"} 1\n");
        text.ShouldContain("spotter_store_up{} 1\n");
        // What never happened is not unknown.
        text.ShouldContain("spotter_leases_expired_total{} 0\n");
    }

    [Fact]
    public async Task Each_reading_is_of_its_moment()
    {
        await bench.SubmitAsync();
        (await ScrapeAsync()).ShouldContain("spotter_jobs{state=\"queued\"} 1\n");

        await bench.SubmitAsync();

        (await ScrapeAsync()).ShouldContain("spotter_jobs{state=\"queued\"} 2\n");
    }

    [Fact]
    public async Task What_only_the_store_knows_is_left_out_while_it_is_away()
    {
        await bench.SubmitAsync();
        (await ScrapeAsync()).ShouldContain("spotter_jobs{");
        await bench.Backend.DisposeAsync();

        var text = await ScrapeAsync();

        text.ShouldContain("spotter_store_up{} 0\n");
        text.ShouldContain("spotter_jobs_accepted_total{engine=\"detect\"} 1\n");
        text.ShouldNotContain("spotter_jobs{");
        text.ShouldNotContain("spotter_queue_jobs{");
        text.ShouldNotContain("spotter_deliveries_pending");
    }

    [Fact]
    public async Task Labels_are_escaped_and_durations_are_histograms()
    {
        var meters = Meters;
        meters.Refused("a\"b\\c\nd");
        meters.Ended("detect", SampleJobs.Retry(), JobState.Queued, TimeSpan.FromSeconds(1));
        meters.Ended("detect", new JobOutcome.Done(SampleJobs.Result(), new() { FetchMs = 500, InferMs = 1500 }, null), JobState.Succeeded, TimeSpan.FromSeconds(40));

        var text = await ScrapeAsync();

        text.ShouldContain("spotter_requests_refused_total{code=\"a\\\"b\\\\c\\nd\"} 1\n");
        text.ShouldContain("spotter_attempts_total{engine=\"detect\",outcome=\"retry\"} 1\n");
        // Only a result says how long an attempt takes.
        text.ShouldContain("spotter_attempt_duration_seconds_count{engine=\"detect\"} 1\n");
        text.ShouldContain("spotter_attempt_duration_seconds_sum{engine=\"detect\"} 2\n");
        text.ShouldContain("spotter_attempt_duration_seconds_bucket{engine=\"detect\",le=\"1\"} 0\n");
        text.ShouldContain("spotter_attempt_duration_seconds_bucket{engine=\"detect\",le=\"2.5\"} 1\n");
        text.ShouldContain("spotter_stage_duration_seconds_sum{engine=\"detect\",stage=\"fetch\"} 0.5\n");
        text.ShouldNotContain("stage=\"encode\"");
        text.ShouldContain("spotter_job_duration_seconds_bucket{engine=\"detect\",state=\"succeeded\",le=\"30\"} 0\n");
        text.ShouldContain("spotter_job_duration_seconds_count{engine=\"detect\",state=\"succeeded\"} 1\n");
    }

    [Fact]
    public async Task Decisions_of_the_policy_are_counted()
    {
        bench.Decisions.Add(DateTimeOffset.UnixEpoch, new ScaleDecision(3, 2, [], [], "two more"));
        bench.Decisions.Add(DateTimeOffset.UnixEpoch, new ScaleDecision(1, 0, ["w1", "w2"], [], "two less") { Pool = "plates" });

        var text = await ScrapeAsync();

        text.ShouldContain("spotter_scaling_launched_total{pool=\"default\"} 2\n");
        text.ShouldContain("spotter_scaling_drained_total{pool=\"plates\"} 2\n");
        text.ShouldContain("spotter_scaling_decisions_total{pool=\"plates\"} 1\n");
        text.ShouldContain("spotter_workers_desired{} 4\n");
    }

    [Fact]
    public async Task What_others_measure_is_there_too()
    {
        // A request is measured once it is over, which its client does not see.
        var text = await ScrapeAsync();
        for (var tries = 0; tries < 100 && !text.Contains("http_server_request_duration", StringComparison.Ordinal); tries++)
            text = await ScrapeAsync();

        text.ShouldContain("http_server_request_duration_seconds_count{");
        text.ShouldContain("dotnet_process_memory_working_set_bytes");
    }

    [Fact]
    public async Task Another_host_in_the_same_process_is_not_measured()
    {
        await using var other = await GatewayBench.StartAsync();
        var route = "http_route=\"/v1/models\"";
        await other.Client.GetAsync(new Uri("/v1/models", UriKind.Relative));
        var text = "";
        for (var tries = 0; tries < 100 && !text.Contains(route, StringComparison.Ordinal); tries++)
            text = await other.Client.GetStringAsync(new Uri("/metrics", UriKind.Relative));

        text.ShouldContain(route);
        (await ScrapeAsync()).ShouldNotContain(route);
    }

    private GatewayMeters Meters => (GatewayMeters)bench.Host.Services.GetService(typeof(GatewayMeters))!;

    /// <summary>The text, checked against its format.</summary>
    private async Task<string> ScrapeAsync()
    {
        using var answer = await bench.Client.GetAsync(new Uri("/metrics", UriKind.Relative));
        answer.Content.Headers.ContentType!.MediaType.ShouldBe("text/plain");
        var text = await answer.Content.ReadAsStringAsync();
        PrometheusLines.Check(text);
        return text;
    }
}
