using Spotter.Jobs.Deliveries;

namespace Spotter.Tests.Deliveries;

public sealed class EndpointCircuitsTests
{
    private const string Bad = "https://bad.example";
    private const string Good = "https://good.example";

    private static readonly DeliverySettings Settings = new();

    private readonly ManualClock clock = new();
    private readonly EndpointCircuits circuits;

    public EndpointCircuitsTests() => circuits = new EndpointCircuits(Settings, clock);

    [Fact]
    public void Five_failures_in_a_row_open_a_circuit_and_leave_the_others_closed()
    {
        Fail(4);
        circuits.TryBegin(Bad).ShouldBeTrue();
        circuits.Open().ShouldBeEmpty();

        circuits.Failed(Bad).ShouldBe(Settings.FirstOpen);

        circuits.TryBegin(Bad).ShouldBeFalse();
        circuits.Open().ShouldBe([Bad]);
        circuits.TryBegin(Good).ShouldBeTrue();
    }

    [Fact]
    public void An_answer_in_between_begins_the_count_anew()
    {
        Fail(4);
        circuits.Worked(Bad);
        Fail(4);

        circuits.TryBegin(Bad).ShouldBeTrue();
    }

    [Fact]
    public void After_a_while_one_may_try_and_an_answer_closes_the_circuit()
    {
        Fail(5);
        clock.Advance(Settings.FirstOpen - TimeSpan.FromTicks(1));
        circuits.TryBegin(Bad).ShouldBeFalse();
        clock.Advance(TimeSpan.FromTicks(1));
        circuits.Open().ShouldBeEmpty();

        circuits.TryBegin(Bad).ShouldBeTrue();
        circuits.TryBegin(Bad).ShouldBeFalse();
        circuits.Open().ShouldBe([Bad]);

        circuits.Worked(Bad);
        circuits.TryBegin(Bad).ShouldBeTrue();
        circuits.TryBegin(Bad).ShouldBeTrue();
    }

    [Fact]
    public void Each_trial_that_fails_doubles_the_time_up_to_five_minutes()
    {
        Fail(5);
        var times = new List<double>();
        for (var open = Settings.FirstOpen; times.Count < 7;)
        {
            clock.Advance(open);
            circuits.TryBegin(Bad).ShouldBeTrue();
            open = circuits.Failed(Bad)!.Value;
            times.Add(open.TotalSeconds);
            circuits.TryBegin(Bad).ShouldBeFalse();
        }

        times.ShouldBe([20, 40, 80, 160, 300, 300, 300]);
    }

    [Fact]
    public void What_had_begun_before_the_circuit_opened_does_not_keep_it_open_longer()
    {
        Fail(5);
        clock.Advance(Settings.FirstOpen / 2);
        circuits.Failed(Bad).ShouldBeNull();

        clock.Advance(Settings.FirstOpen / 2);

        circuits.TryBegin(Bad).ShouldBeTrue();
    }

    [Fact]
    public void A_trial_that_came_to_no_end_lets_another_one_try()
    {
        Fail(5);
        clock.Advance(Settings.FirstOpen);
        circuits.TryBegin(Bad).ShouldBeTrue();

        circuits.Abandoned(Bad);

        circuits.TryBegin(Bad).ShouldBeTrue();
    }

    [Fact]
    public void An_endpoint_that_asks_to_be_left_alone_is_at_once_within_bounds()
    {
        circuits.Failed(Bad, TimeSpan.FromSeconds(42)).ShouldBe(TimeSpan.FromSeconds(42));
        circuits.TryBegin(Bad).ShouldBeFalse();
        clock.Advance(TimeSpan.FromSeconds(42));
        circuits.TryBegin(Bad).ShouldBeTrue();

        circuits.Failed(Good, TimeSpan.FromDays(9)).ShouldBe(Settings.LongestOpen);
        circuits.Failed(Good, TimeSpan.FromSeconds(-1)).ShouldBeNull();
    }

    [Fact]
    public void Failures_are_remembered_of_a_limited_number_of_endpoints()
    {
        Fail(5);
        for (var i = 0; i < EndpointCircuits.Most; i++)
        {
            clock.Advance(TimeSpan.FromTicks(1));
            for (var failure = 0; failure < 5; failure++)
                circuits.Failed($"https://{i}.example");
        }

        circuits.Open().Count.ShouldBe(EndpointCircuits.Most);
        circuits.TryBegin(Bad).ShouldBeTrue();
    }

    private void Fail(int times)
    {
        for (var i = 0; i < times; i++)
        {
            circuits.TryBegin(Bad).ShouldBeTrue();
            circuits.Failed(Bad);
        }
    }
}
