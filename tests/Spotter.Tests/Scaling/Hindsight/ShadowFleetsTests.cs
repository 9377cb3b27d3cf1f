using FsCheck;
using FsCheck.Fluent;
using Spotter.Scaling.Hindsight;

namespace Spotter.Tests.Scaling.Hindsight;

public sealed class ShadowFleetsTests
{
    [Fact]
    public void A_second_worker_saves_the_wait_of_the_second_job()
    {
        var shadows = new ShadowFleets(3, lanes: 1);

        shadows.Arrive(0, service: 6, longest: 100);
        shadows.Arrive(1, service: 6, longest: 100);

        shadows.Saved(2).ShouldBe(5);
        shadows.Saved(3).ShouldBe(0);
    }

    [Fact]
    public void A_worker_with_two_lanes_is_as_good_as_two()
    {
        var shadows = new ShadowFleets(2, lanes: 2);

        shadows.Arrive(0, service: 6, longest: 100);
        shadows.Arrive(1, service: 6, longest: 100);
        shadows.Arrive(2, service: 6, longest: 100);

        shadows.Saved(2).ShouldBe(4);
    }

    [Fact]
    public void The_savings_are_what_queues_before_more_and_more_workers_differ_by() => Check.QuickThrowOnFailure(Prop.ForAll(
        Gen.Choose(0, 120).ListOf().ToArbitrary(),
        tenths =>
        {
            const int most = 4;
            const double service = 3;
            var shadows = new ShadowFleets(most, lanes: 1);
            var times = tenths.Select(t => t / 10.0).Order().ToList();
            foreach (var time in times)
                shadows.Arrive(time, service, longest: 1e6);

            for (var n = 2; n <= most; n++)
                shadows.Saved(n).ShouldBe(Waiting(times, n - 1, service) - Waiting(times, n, service), tolerance: 1e-6);
        }));

    private static double Waiting(List<double> times, int workers, double service)
    {
        var free = new PriorityQueue<double, double>(Enumerable.Repeat((double.NegativeInfinity, double.NegativeInfinity), workers));
        var waited = 0.0;
        foreach (var time in times)
        {
            var start = Math.Max(time, free.Dequeue());
            waited += start - time;
            free.Enqueue(start + service, start + service);
        }
        return waited;
    }
}
