using Spotter.Scaling.Hindsight;

namespace Spotter.Tests.Scaling.Hindsight;

/// <summary>What is planned for a level after its gaps; a boot takes 60 s, and finding it cold costs as much in waiting.</summary>
public sealed class PlanTests
{
    private static readonly LevelCosts Costs = new(Boot: 60, Cold: 60, Price: 1, Tick: 1, IsFirst: true);

    [Fact]
    public void Without_a_past_a_worker_goes_at_once() => Best(Costs).ShouldBe(new(0, null, null));

    [Fact]
    public void Gaps_longer_than_a_cold_start_are_not_lingered_through() => Best(Costs, 400, 150, 900).Linger.ShouldBe(0);

    [Fact]
    public void Gaps_shorter_than_a_cold_start_are() => Best(Costs, 40, 55, 30, 48).Linger.ShouldBeGreaterThanOrEqualTo(55);

    [Fact]
    public void Regular_gaps_are_met_ahead()
    {
        var plan = Best(Costs, 300, 304, 296, 301, 299);

        plan.Start.ShouldNotBeNull().ShouldBeInRange(300 - 60 - 15, 300 - 60);
        plan.Hold.ShouldNotBeNull().ShouldBeGreaterThan(304);
        plan.IsAhead(plan.Start.Value).ShouldBeTrue();
        plan.IsAhead(plan.Hold.Value + 1).ShouldBeFalse();
    }

    [Fact]
    public void Three_gaps_are_enough_and_are_trusted_less_than_ten_of_the_same_range()
    {
        var dear = Costs with { Cold = 600 };
        var (few, many) = (Best(dear, 300, 305, 310), Best(dear, 300, 310, 301, 309, 302, 308, 303, 307, 304, 306));

        Best(dear, 300, 310).Start.ShouldBeNull();
        few.Start.ShouldNotBeNull().ShouldBeLessThan(many.Start.ShouldNotBeNull());
        few.Hold.ShouldNotBeNull().ShouldBeGreaterThan(many.Hold.ShouldNotBeNull());
    }

    [Fact]
    public void What_made_no_difference_is_not_lingered_for()
    {
        var needed = new GapHistory();
        var idle = new GapHistory();
        for (var i = 0; i < 10; i++)
        {
            needed.Note(40, floor: 15);
            needed.Close(saved: 30);
            idle.Note(40, floor: 15);
            idle.Close(saved: 0.5);
        }
        var second = Costs with { IsFirst = false };

        new HindsightCost(needed.Gaps, second).Best().Linger.ShouldBeGreaterThanOrEqualTo(40);
        new HindsightCost(idle.Gaps, second).Best().Linger.ShouldBe(0);
    }

    [Fact]
    public void Gaps_too_short_to_act_on_are_lingered_through_once_they_are_many()
    {
        var history = new GapHistory();
        for (var i = 0; i < 1000; i++)
        {
            history.Note(3, floor: 15);
            history.Close(saved: 6);
        }

        new HindsightCost(history.Gaps, Costs).Best().Linger.ShouldBe(15);
        history.Gaps.ShouldHaveSingleItem().ShortCount.ShouldBeLessThan(300);
    }

    [Fact]
    public void Only_the_latest_gaps_are_remembered()
    {
        var history = new GapHistory();
        for (var i = 0; i < 100; i++)
            history.Note(100 + i, floor: 15);

        history.Gaps.Skip(1).Select(gap => gap.Seconds).ShouldBe(Enumerable.Range(176, 24).Select(i => (double)i));
    }

    [Theory]
    [InlineData(0.5, 1)]
    [InlineData(1.2, 2)]
    [InlineData(6, 8)]
    [InlineData(13, 16)]
    public void A_stream_is_worth_as_many_workers_as_queueing_theory_says(double load, int workers) =>
        Staffing.WorkersFor(load, price: 1, most: 20).ShouldBeInRange(workers - 1, workers + 1);

    [Fact]
    public void More_load_or_dearer_waiting_is_never_worth_fewer_workers()
    {
        var staff = Enumerable.Range(1, 100).Select(i => Staffing.WorkersFor(i / 5.0, 1, 40)).ToList();

        staff.ShouldBe(staff.Order());
        Staffing.WorkersFor(6, 4, 40).ShouldBeGreaterThan(Staffing.WorkersFor(6, 0.25, 40));
        Staffing.WorkersFor(1000, 1, 20).ShouldBe(20);
    }

    private static CapacityPlan Best(LevelCosts costs, params double[] gaps)
    {
        var history = new GapHistory();
        foreach (var gap in gaps)
            history.Note(gap, HindsightCost.Floor * costs.Boot);
        return new HindsightCost(history.Gaps, costs).Best();
    }
}
