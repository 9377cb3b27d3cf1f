using System.Globalization;
using System.Net.Http.Headers;
using Spotter.Core;
using Spotter.Gateway.Webhooks;
using Spotter.Jobs;
using Spotter.Jobs.Deliveries;

namespace Spotter.Tests.Webhooks;

public sealed class WebhookAnswerTests
{
    private static readonly DeliverySettings Settings = new();
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(200)]
    [InlineData(202)]
    [InlineData(204)]
    [InlineData(299)]
    public void Any_2xx_is_a_delivery(int status) =>
        After(WebhookAnswer.Of(status, null, Now)).ShouldBe(new DeliveryOutcome.Delivered(status));

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
        var again = After(WebhookAnswer.Of(status, null, Now)).ShouldBeOfType<DeliveryOutcome.Again>();

        again.Status.ShouldBe(status);
        again.Detail.ShouldContain(status.ToString(CultureInfo.InvariantCulture));
    }

    [Fact]
    public void Gone_means_never_again() =>
        After(WebhookAnswer.Of(410, null, Now)).ShouldBeOfType<DeliveryOutcome.GivenUp>().Status.ShouldBe(410);

    [Fact]
    public void The_waits_are_those_of_the_specification_give_or_take_a_fifth_and_then_it_is_given_up()
    {
        double[] waits = [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400];
        for (var attempt = 1; attempt <= waits.Length; attempt++)
        {
            var seen = new HashSet<TimeSpan>();
            for (var seed = 0; seed < 50; seed++)
            {
                var delay = Settings.Schedule(WebhookAnswer.None("No."), attempt, RandomSource.Seeded(seed)).ShouldBeOfType<DeliveryOutcome.Again>().Delay;
                delay.TotalSeconds.ShouldBeInRange(waits[attempt - 1] * 0.8, waits[attempt - 1] * 1.2);
                seen.Add(delay);
            }
            seen.Count.ShouldBeGreaterThan(40);
        }

        Settings.Schedule(WebhookAnswer.None("No."), waits.Length + 1, RandomSource.Seeded(1)).ShouldBeOfType<DeliveryOutcome.GivenUp>().Detail.ShouldContain("10");
    }

    [Theory]
    [InlineData(429)]
    [InlineData(503)]
    public void A_wait_that_the_endpoint_asks_for_is_kept_to(int status)
    {
        Delay(status, RetryConditionHeaderValue.Parse("90")).ShouldBe(TimeSpan.FromSeconds(90));
        Delay(status, new RetryConditionHeaderValue(Now.AddMinutes(3))).ShouldBe(TimeSpan.FromMinutes(3));
        // Sooner than by the schedule is not asked for, and neither is a time that is over.
        Delay(status, RetryConditionHeaderValue.Parse("0")).TotalSeconds.ShouldBeInRange(4, 6);
        Delay(status, new RetryConditionHeaderValue(Now.AddDays(-1))).TotalSeconds.ShouldBeInRange(4, 6);
        Delay(status, RetryConditionHeaderValue.Parse("99999999")).ShouldBe(TimeSpan.FromHours(24));
    }

    [Fact]
    public void Only_what_is_the_endpoints_fault_counts_against_it()
    {
        foreach (var status in (int[])[200, 301, 400, 404, 410])
            WebhookAnswer.Of(status, null, Now).Endpoint.ShouldBe(EndpointHealth.Works);
        foreach (var status in (int[])[429, 500, 502, 503])
            WebhookAnswer.Of(status, null, Now).Endpoint.ShouldBe(EndpointHealth.Fails);
        WebhookAnswer.None("No.").Endpoint.ShouldBe(EndpointHealth.Fails);
        // What was given up before it was sent says nothing about the endpoint, and stays given up.
        var never = new DeliveryOutcome.GivenUp(null, "No.");
        never.Endpoint.ShouldBe(EndpointHealth.Unknown);
        After(never).ShouldBe(never);
    }

    private static DeliveryOutcome After(DeliveryOutcome answer) => Settings.Schedule(answer, 1, RandomSource.Seeded(1));

    private static TimeSpan Delay(int status, RetryConditionHeaderValue asked) =>
        After(WebhookAnswer.Of(status, asked, Now)).ShouldBeOfType<DeliveryOutcome.Again>().Delay;
}
