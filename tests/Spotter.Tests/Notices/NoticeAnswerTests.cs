using System.Globalization;
using System.Net.Http.Headers;
using Spotter.Core;
using Spotter.Gateway.Notices;
using Spotter.Jobs;

namespace Spotter.Tests.Notices;

public sealed class NoticeAnswerTests
{
    private static readonly NoticeSettings Settings = new();
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(200)]
    [InlineData(202)]
    [InlineData(204)]
    [InlineData(299)]
    public void Any_2xx_is_a_delivery(int status) =>
        After(NoticeAnswer.Of(status, null, Now)).ShouldBe(new NoticeOutcome.Delivered(status));

    [Theory]
    [InlineData(301)]
    [InlineData(307)]
    [InlineData(304)]
    [InlineData(400)]
    [InlineData(404)]
    [InlineData(429)]
    [InlineData(500)]
    [InlineData(503)]
    public void Everything_else_is_tried_again(int status)
    {
        var again = After(NoticeAnswer.Of(status, null, Now)).ShouldBeOfType<NoticeOutcome.Again>();

        again.Status.ShouldBe(status);
        again.Detail.ShouldContain(status.ToString(CultureInfo.InvariantCulture));
    }

    [Fact]
    public void Gone_means_never_again() =>
        After(NoticeAnswer.Of(410, null, Now)).ShouldBeOfType<NoticeOutcome.GivenUp>().Status.ShouldBe(410);

    [Fact]
    public void The_waits_are_those_of_the_specification_give_or_take_a_fifth_and_then_it_is_given_up()
    {
        double[] waits = [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400];
        for (var attempt = 1; attempt <= waits.Length; attempt++)
        {
            var seen = new HashSet<TimeSpan>();
            for (var seed = 0; seed < 50; seed++)
            {
                var delay = NoticeAnswer.None("No.").After(attempt, Settings, RandomSource.Seeded(seed)).ShouldBeOfType<NoticeOutcome.Again>().Delay;
                delay.TotalSeconds.ShouldBeInRange(waits[attempt - 1] * 0.8, waits[attempt - 1] * 1.2);
                seen.Add(delay);
            }
            seen.Count.ShouldBeGreaterThan(40);
        }

        NoticeAnswer.None("No.").After(waits.Length + 1, Settings, RandomSource.Seeded(1)).ShouldBeOfType<NoticeOutcome.GivenUp>().Detail.ShouldContain("10");
    }

    [Theory]
    [InlineData(429)]
    [InlineData(503)]
    public void A_wait_that_the_receiver_asks_for_is_kept_to(int status)
    {
        Delay(status, RetryConditionHeaderValue.Parse("90")).ShouldBe(TimeSpan.FromSeconds(90));
        Delay(status, new RetryConditionHeaderValue(Now.AddMinutes(3))).ShouldBe(TimeSpan.FromMinutes(3));
        // Sooner than by the schedule is not asked for, and neither is a time that is over.
        Delay(status, RetryConditionHeaderValue.Parse("0")).TotalSeconds.ShouldBeInRange(4, 6);
        Delay(status, new RetryConditionHeaderValue(Now.AddDays(-1))).TotalSeconds.ShouldBeInRange(4, 6);
        Delay(status, RetryConditionHeaderValue.Parse("99999999")).ShouldBe(TimeSpan.FromHours(24));
    }

    [Fact]
    public void Only_what_is_the_receivers_fault_counts_against_it()
    {
        foreach (var status in (int[])[200, 301, 400, 404, 410])
            NoticeAnswer.Of(status, null, Now).ReceiverFailed.ShouldBeFalse();
        foreach (var status in (int[])[429, 500, 502, 503])
            NoticeAnswer.Of(status, null, Now).ReceiverFailed.ShouldBeTrue();
        NoticeAnswer.None("No.").ReceiverFailed.ShouldBeTrue();
        NoticeAnswer.Never("No.").ReceiverFailed.ShouldBeFalse();
        After(NoticeAnswer.Never("No.")).ShouldBe(new NoticeOutcome.GivenUp(null, "No."));
    }

    private static NoticeOutcome After(NoticeAnswer answer) => answer.After(1, Settings, RandomSource.Seeded(1));

    private static TimeSpan Delay(int status, RetryConditionHeaderValue asked) =>
        After(NoticeAnswer.Of(status, asked, Now)).ShouldBeOfType<NoticeOutcome.Again>().Delay;
}
