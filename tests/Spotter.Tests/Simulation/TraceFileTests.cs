using Spotter.Core;
using Spotter.Scaling.Simulation;

namespace Spotter.Tests.Simulation;

public sealed class TraceFileTests
{
    [Fact]
    public void A_row_of_time_and_count_is_spread_over_its_bin()
    {
        var trace = Parse("""
            timestamp,value
            2015-02-26 21:40:00,3
            2015-02-26 21:45:00,0
            2015-02-26 21:50:00,200
            """);

        trace.Arrivals.Count.ShouldBe(203);
        trace.Arrivals.ShouldBeInOrder();
        trace.Arrivals.Take(3).ShouldAllBe(t => t >= 0 && t < 300);
        trace.Arrivals.Skip(3).ShouldAllBe(t => t >= 600 && t < 900);
        trace.Arrivals.Skip(3).Max().ShouldBeGreaterThan(850);
        trace.Horizon.ShouldBe(900);
        trace.Services.Count.ShouldBe(203);
        trace.Services.Average().ShouldBe(6, tolerance: 1);
    }

    [Fact]
    public void Bins_without_a_count_may_be_left_out()
    {
        var trace = Parse("""
            time,count
            2026-01-01T00:00:00Z,1
            2026-01-01T00:00:07Z,1
            2026-01-01T00:00:10Z,1
            2026-01-01T00:01:04Z,1
            """);

        // Each lies within its second.
        trace.Arrivals.Select(t => (int)t).ShouldBe([0, 7, 10, 64]);
    }

    [Fact]
    public void A_row_of_a_time_is_a_job()
    {
        Parse("3\n1.5\n1.5\n").Arrivals.ShouldBe([1.5, 1.5, 3]);
        Parse("arrival\n2026-01-01T00:00:10Z\n2026-01-01T00:00:12.5Z\n").Arrivals.ShouldBe([0, 2.5]);
    }

    [Fact]
    public void What_a_job_took_may_be_said()
    {
        var trace = Parse("time,service\n10,0.5\n5,2\n20,0\n");

        trace.Arrivals.ShouldBe([5, 10, 20]);
        trace.Services.ShouldBe([2, 0.5, 0.001]);
    }

    [Fact]
    public void A_part_of_the_file_can_be_taken()
    {
        const string file = "time,count\n2026-01-01 00:00,1\n2026-01-01 01:00,2\n2026-01-01 02:00,4\n2026-01-01 03:00,8\n";

        Parse(file, new() { From = "2026-01-01 01:00", Hours = 2 }).Arrivals.Count.ShouldBe(6);
        Parse(file, new() { JobsPerCount = 10 }).Arrivals.Count.ShouldBe(150);
        Parse(file, new() { JobsPerCount = 0.5, Seed = 1 }).Arrivals.Count.ShouldBeInRange(7, 8);
        Parse("time\n1\n2\n3\n4\n", new() { From = "2" }).Arrivals.ShouldBe([0, 1, 2]);
    }

    [Fact]
    public void The_same_seed_gives_the_same_trace_and_another_another()
    {
        const string file = "time,count\n0,5\n60,5\n";

        Parse(file, new() { Seed = 4 }).Arrivals.ShouldBe(Parse(file, new() { Seed = 4 }).Arrivals);
        Parse(file, new() { Seed = 5 }).Arrivals.ShouldNotBe(Parse(file, new() { Seed = 4 }).Arrivals);
    }

    [Theory]
    [InlineData("", "no row")]
    [InlineData("time,count\n", "no row")]
    [InlineData("time,count\n0,0\n", "no job")]
    [InlineData("time,count\n0,1\nten,1\n", "Line 3")]
    [InlineData("time,count\n0,many\n", "Line 2")]
    [InlineData("time,count\n0,-1\n", "Line 2")]
    [InlineData("time,count\n0\n", "Line 2")]
    [InlineData("0,1\n2026-01-01,1\n", "mixes")]
    [InlineData("time,count\n0,9e9\n", "more than")]
    public void What_is_no_trace_is_refused_and_the_line_named(string file, string said)
    {
        var refusal = Should.Throw<SpotterException>(() => Parse(file));

        refusal.Code.ShouldBe(ErrorCodes.InvalidRequest);
        refusal.Message.ShouldContain(said);
    }

    [SharedFact]
    public void A_recorded_trace_is_read_in_full()
    {
        var trace = TraceFile.Read(Path.Combine(SharedFiles.Root, "traces", "Twitter_volume_GOOG.csv"), MachineKind.Ec2, new());

        trace.Arrivals.Count.ShouldBe(File.ReadLines(Path.Combine(SharedFiles.Root, "traces", "Twitter_volume_GOOG.csv"))
            .Skip(1).Sum(line => int.Parse(line.Split(',')[1], System.Globalization.CultureInfo.InvariantCulture)));
        trace.Horizon.ShouldBe(15_842 * 300, tolerance: 3600);
    }

    private static ArrivalTrace Parse(string file, TraceReading? how = null) =>
        TraceFile.Parse("test.csv", new StringReader(file), MachineKind.Ec2, how ?? new());
}
