using Spotter.Scaling;

namespace Spotter.Tests.Scaling;

public sealed class ScaleSeriesTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly ScaleSeries series = new();

    [Fact]
    public void Samples_of_one_second_become_one_with_the_peak_the_sum_and_the_last()
    {
        series.Add(Sample(0.0, queued: 1, arrived: 2, ready: 0));
        series.Add(Sample(0.5, queued: 9, arrived: 3, ready: 1));
        series.Add(Sample(0.9, queued: 4, arrived: 0, ready: 2));
        series.Add(Sample(1.0, queued: null, arrived: 1, ready: 2));

        series.Read(Noon, TimeSpan.FromSeconds(1)).ShouldBe([Sample(0, 9, 5, 2), Sample(1, null, 1, 2)]);
    }

    [Fact]
    public void Pools_add_up_as_each_stood_last()
    {
        series.Add(Sample(0, queued: 5, arrived: 1, ready: 1), "gpu");
        series.Add(Sample(1, queued: 2, arrived: 2, ready: 3), "cpu");
        series.Add(Sample(2, queued: 0, arrived: 4, ready: 2), "gpu");

        series.Read(Noon, TimeSpan.FromSeconds(1)).Select(s => (s.Queued, s.Arrived, s.Ready)).ShouldBe([(5, 1, 1), (7, 2, 4), (2, 4, 5)]);
    }

    [Fact]
    public void Longer_steps_are_read_in_the_same_way_and_only_from_the_moment_asked_for()
    {
        for (var i = 0; i < 20; i++)
            series.Add(Sample(i, queued: i, arrived: 1, ready: i));

        series.Read(Noon.AddSeconds(5), TimeSpan.FromSeconds(10)).ShouldBe([Sample(5, 9, 5, 9), Sample(10, 19, 10, 19)]);
    }

    [Fact]
    public void It_is_bounded_by_an_hour()
    {
        for (var i = 0; i < 5000; i++)
            series.Add(Sample(i, 0, 0, 0));

        series.Read(Noon, TimeSpan.FromSeconds(1)).Count.ShouldBeInRange(3600, 3602);
    }

    private static ScaleSample Sample(double second, int? queued, long arrived, int ready) =>
        new(Noon.AddSeconds(second), queued, 0, arrived, 0, ready, 0, 0);
}
