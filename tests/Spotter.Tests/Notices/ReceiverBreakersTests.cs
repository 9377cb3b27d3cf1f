using Spotter.Gateway.Notices;

namespace Spotter.Tests.Notices;

public sealed class ReceiverBreakersTests
{
    private const string Bad = "https://bad.example";
    private const string Good = "https://good.example";

    private static readonly NoticeSettings Settings = new();

    private readonly ManualClock clock = new();
    private readonly ReceiverBreakers breakers;

    public ReceiverBreakersTests() => breakers = new ReceiverBreakers(Settings, clock);

    [Fact]
    public void Five_failures_in_a_row_begin_a_rest_and_others_notice_nothing()
    {
        Fail(4);
        breakers.TryBegin(Bad).ShouldBeTrue();
        breakers.Closed().ShouldBeEmpty();

        breakers.Failed(Bad).ShouldBe(Settings.FirstRest);

        breakers.TryBegin(Bad).ShouldBeFalse();
        breakers.Closed().ShouldBe([Bad]);
        breakers.TryBegin(Good).ShouldBeTrue();
    }

    [Fact]
    public void An_answer_in_between_begins_the_count_anew()
    {
        Fail(4);
        breakers.Answered(Bad);
        Fail(4);

        breakers.TryBegin(Bad).ShouldBeTrue();
    }

    [Fact]
    public void After_the_rest_one_may_try_and_an_answer_opens_the_way_for_all()
    {
        Fail(5);
        clock.Advance(Settings.FirstRest - TimeSpan.FromTicks(1));
        breakers.TryBegin(Bad).ShouldBeFalse();
        clock.Advance(TimeSpan.FromTicks(1));
        breakers.Closed().ShouldBeEmpty();

        breakers.TryBegin(Bad).ShouldBeTrue();
        breakers.TryBegin(Bad).ShouldBeFalse();
        breakers.Closed().ShouldBe([Bad]);

        breakers.Answered(Bad);
        breakers.TryBegin(Bad).ShouldBeTrue();
        breakers.TryBegin(Bad).ShouldBeTrue();
    }

    [Fact]
    public void Each_try_that_fails_doubles_the_rest_up_to_five_minutes()
    {
        Fail(5);
        var rests = new List<double>();
        for (var rest = Settings.FirstRest; rests.Count < 7;)
        {
            clock.Advance(rest);
            breakers.TryBegin(Bad).ShouldBeTrue();
            rest = breakers.Failed(Bad)!.Value;
            rests.Add(rest.TotalSeconds);
            breakers.TryBegin(Bad).ShouldBeFalse();
        }

        rests.ShouldBe([20, 40, 80, 160, 300, 300, 300]);
    }

    [Fact]
    public void What_had_begun_before_the_rest_does_not_make_it_longer()
    {
        Fail(5);
        clock.Advance(Settings.FirstRest / 2);
        breakers.Failed(Bad).ShouldBeNull();

        clock.Advance(Settings.FirstRest / 2);

        breakers.TryBegin(Bad).ShouldBeTrue();
    }

    [Fact]
    public void A_try_that_came_to_no_end_lets_another_one_try()
    {
        Fail(5);
        clock.Advance(Settings.FirstRest);
        breakers.TryBegin(Bad).ShouldBeTrue();

        breakers.Abandoned(Bad);

        breakers.TryBegin(Bad).ShouldBeTrue();
    }

    [Fact]
    public void A_receiver_that_asks_for_a_rest_gets_it_at_once_within_bounds()
    {
        breakers.Failed(Bad, TimeSpan.FromSeconds(42)).ShouldBe(TimeSpan.FromSeconds(42));
        breakers.TryBegin(Bad).ShouldBeFalse();
        clock.Advance(TimeSpan.FromSeconds(42));
        breakers.TryBegin(Bad).ShouldBeTrue();

        breakers.Failed(Good, TimeSpan.FromDays(9)).ShouldBe(Settings.LongestRest);
        breakers.Failed(Good, TimeSpan.FromSeconds(-1)).ShouldBeNull();
    }

    [Fact]
    public void Failures_are_remembered_of_so_many_receivers_and_no_more()
    {
        Fail(5);
        for (var i = 0; i < ReceiverBreakers.Most; i++)
        {
            clock.Advance(TimeSpan.FromTicks(1));
            for (var failure = 0; failure < 5; failure++)
                breakers.Failed($"https://{i}.example");
        }

        breakers.Closed().Count.ShouldBe(ReceiverBreakers.Most);
        breakers.TryBegin(Bad).ShouldBeTrue();
    }

    private void Fail(int times)
    {
        for (var i = 0; i < times; i++)
        {
            breakers.TryBegin(Bad).ShouldBeTrue();
            breakers.Failed(Bad);
        }
    }
}
