using Spotter.Core.Jobs;
using Spotter.Core.Scaling;
using Spotter.Gateway;
using Spotter.Gateway.Results;

namespace Spotter.Tests.Gateway;

public sealed class EstimatorTests
{
    private readonly WorkerRoster roster = new(new ManualClock());

    [Fact]
    public void Without_workers_their_start_is_added()
    {
        var estimator = Estimator();
        estimator.Served(TimeSpan.FromSeconds(2));
        estimator.EtaSeconds(JobState.Queued, 0).ShouldBe(3);

        roster.Join("w", 2, []);
        estimator.EtaSeconds(JobState.Queued, 0).ShouldBe(2);
    }

    [Fact]
    public void Lanes_share_the_jobs_ahead()
    {
        var estimator = Estimator();
        estimator.Served(TimeSpan.FromSeconds(1));
        roster.Join("w", 4, []);

        estimator.EtaSeconds(JobState.Queued, 3).ShouldBe(1);
        estimator.EtaSeconds(JobState.Queued, 4).ShouldBe(2);
        estimator.EtaSeconds(JobState.Running, 400).ShouldBe(1);
    }

    [Fact]
    public void It_follows_what_jobs_really_take()
    {
        var estimator = Estimator();
        roster.Join("w", 1, []);
        estimator.Served(TimeSpan.FromSeconds(10));
        for (var i = 0; i < 100; i++)
            estimator.Served(TimeSpan.FromSeconds(1));

        estimator.EtaSeconds(JobState.Running, 0).ShouldBeInRange(1, 1.1);
    }

    private Estimator Estimator() => new(roster, new GatewaySettings { WorkerToken = GatewayBench.Token });
}
