using Spotter.Scaling.Hindsight;
using Spotter.Scaling.Simulation;

namespace Spotter.Tests.Scaling.Hindsight;

public sealed class ArrivalBeliefTests
{
    [Theory]
    [InlineData(0.1)]
    [InlineData(1.0)]
    [InlineData(20.0)]
    public void A_steady_rate_becomes_known(double rate)
    {
        var belief = new ArrivalBelief();

        Hear(belief, rate, seconds: 1800);

        belief.Quantile(0.5).ShouldBe(rate, tolerance: 0.2 * rate);
        (belief.Quantile(0.6) / belief.Quantile(0.4)).ShouldBeLessThan(1.2);
    }

    [Fact]
    public void A_flash_crowd_is_believed_within_seconds()
    {
        var belief = new ArrivalBelief();
        Hear(belief, 0.1, seconds: 1800);

        Hear(belief, 2, seconds: 8);

        belief.Quantile(0.4).ShouldBeGreaterThan(1);
    }

    [Fact]
    public void The_end_of_it_is_believed_within_seconds_too()
    {
        var belief = new ArrivalBelief();
        Hear(belief, 2, seconds: 1800);

        belief.Note(10, 0);

        belief.Quantile(0.4).ShouldBeLessThan(0.2);
    }

    [Fact]
    public void A_lone_batch_is_no_rate()
    {
        var belief = new ArrivalBelief();
        Hear(belief, 0.05, seconds: 1800);
        var before = belief.Quantile(0.5);

        belief.Note(1, 20);
        belief.Note(1, 0);

        belief.Quantile(0.5).ShouldBeLessThan(2 * before);
    }

    [Fact]
    public void Batches_are_expected_once_there_have_been_some()
    {
        var belief = new ArrivalBelief();
        for (var batch = 0; batch < 20; batch++)
        {
            Quiet(belief, 240);
            belief.Note(1, 9);
            belief.Note(1, 5);
        }

        Quiet(belief, 240);
        belief.Note(1, 9);
        belief.Note(1, 5);

        belief.Quantile(0.4).ShouldBeLessThan(0.5);
    }

    [Theory]
    [InlineData(1, 2_000_000_000)]
    [InlineData(0, 5)]
    [InlineData(1e9, 0)]
    [InlineData(1e-9, 1)]
    [InlineData(0, 0)]
    public void Whatever_is_seen_the_belief_stays_one(double seconds, long count)
    {
        var belief = new ArrivalBelief();

        belief.Note(seconds, count);
        belief.Note(1, 1);

        belief.Quantile(0.4).ShouldBeInRange(1e-4, 1e5);
        belief.Save().Shares.Sum().ShouldBe(1, tolerance: 1e-9);
    }

    [Fact]
    public void It_can_be_saved_and_restored()
    {
        var (belief, other) = (new ArrivalBelief(), new ArrivalBelief());
        Hear(belief, 3, seconds: 300);

        other.Restore(belief.Save());
        Hear(belief, 1, seconds: 30);
        Hear(other, 1, seconds: 30);

        other.Quantile(0.5).ShouldBe(belief.Quantile(0.5));
    }

    private static void Hear(ArrivalBelief belief, double rate, int seconds)
    {
        var draws = Draws.For("belief", 1);
        var next = Wait();
        for (var second = 0; second < seconds; second++)
        {
            var count = 0;
            for (; next < second + 1; next += Wait())
                count++;
            belief.Note(1, count);
        }

        double Wait() => -Math.Log(1 - draws.Share()) / rate;
    }

    private static void Quiet(ArrivalBelief belief, int seconds)
    {
        for (var second = 0; second < seconds; second++)
            belief.Note(1, 0);
    }
}
