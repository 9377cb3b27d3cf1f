using System.Net;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Http;
using Spotter.Core;
using Spotter.Gateway;
using Spotter.Gateway.Access;
using Spotter.Gateway.Overload;

namespace Spotter.Tests.Gateway.Overload;

public sealed class ClientLimitsTests
{
    // Nothing comes back while a test runs: a submission in a thousand seconds.
    private readonly ClientLimits limits = Limits(rate: 0.001, burst: 3);

    [Fact]
    public void A_submission_costs_ten_times_what_any_other_call_does()
    {
        Enumerable.Range(0, 5).Count(_ => Get(Call(CallCost.Submission)).IsAcquired).ShouldBe(3);

        var other = Limits(rate: 0.001, burst: 3);
        Enumerable.Range(0, 50).Count(_ => other.AttemptAcquire(Call(CallCost.Other)).IsAcquired).ShouldBe(30);
    }

    [Fact]
    public void Who_is_refused_is_told_when_it_makes_sense_to_come_again()
    {
        for (var i = 0; i < 3; i++)
            Get(Call(CallCost.Submission));

        Get(Call(CallCost.Submission)).TryGetMetadata(MetadataName.RetryAfter, out var wait).ShouldBeTrue();

        wait.TotalSeconds.ShouldBeInRange(900, 1000);
    }

    [Fact]
    public async Task What_was_taken_comes_back()
    {
        using var quick = Limits(rate: 50, burst: 1);
        quick.AttemptAcquire(Call(CallCost.Submission)).IsAcquired.ShouldBeTrue();
        while (!quick.AttemptAcquire(Call(CallCost.Submission)).IsAcquired)
            await Task.Yield();
    }

    [Theory]
    [InlineData(0, 1, null, 10)]
    [InlineData(300_000, 1, null, 10)]
    [InlineData(12_000_000, 1, null, 10)]
    [InlineData(12_000_001, 1, null, 20)]
    [InlineData(100_000_000, 1, null, 90)]
    [InlineData(100_000_000, 3, null, 270)]
    [InlineData(12_000_000, 1, 640.0 * 640, 10 + 30)]
    [InlineData(100_000_000, 1, 1.0, 100_000_090)]
    public void A_submission_costs_what_work_its_pictures_are(long pixels, double work, double? pixelsPerRun, int cost) =>
        SubmissionCost.Of(pixels, work, pixelsPerRun).ShouldBe(cost);

    [Fact]
    public void What_a_picture_turns_out_to_cost_is_taken_once_and_never_more_than_there_can_be()
    {
        var call = Call(CallCost.Submission);
        Get(call).IsAcquired.ShouldBeTrue();

        limits.Charge(call, cost: 10, paid: 10).ShouldBe(10);
        limits.Charge(call, cost: 20, paid: 10).ShouldBe(20);
        limits.Charge(call, cost: 1_000_000, paid: 20).ShouldBe(30);

        Get(Call(CallCost.Other)).IsAcquired.ShouldBeFalse();
        var refusal = Should.Throw<SpotterException>(() => limits.Charge(call, cost: 20, paid: 10));
        refusal.Code.ShouldBe(ErrorCodes.RateLimited);
        refusal.RetryAfter!.Value.TotalSeconds.ShouldBeInRange(900, 1000);
    }

    [Theory]
    [InlineData("203.0.113.9", "203.0.113.9", true)]
    [InlineData("203.0.113.9", "::ffff:203.0.113.9", true)]
    [InlineData("203.0.113.9", "203.0.113.10", false)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:3::1", false)]
    public void A_client_is_an_address_or_the_network_of_a_household(string one, string other, bool isSame)
    {
        // Of two clients the buckets may be the same by chance, the names not.
        (ClientAddress.NameOf(IPAddress.Parse(one)) == ClientAddress.NameOf(IPAddress.Parse(other))).ShouldBe(isSame);
        if (isSame)
            ClientLimits.ClientOf(Call(CallCost.Submission, one)).ShouldBe(ClientLimits.ClientOf(Call(CallCost.Submission, other)));
    }

    [Fact]
    public void This_machine_itself_and_calls_without_a_cost_are_not_limited()
    {
        for (var i = 0; i < 100; i++)
        {
            Get(Call(CallCost.Submission, "127.0.0.1")).IsAcquired.ShouldBeTrue();
            Get(Call(CallCost.Submission, "::1")).IsAcquired.ShouldBeTrue();
            Get(Call(cost: null)).IsAcquired.ShouldBeTrue();
        }
    }

    [Fact]
    public void However_many_addresses_come_there_are_no_more_buckets_than_allowed()
    {
        var clients = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < 3 * ClientLimits.AddressBuckets; i++)
            clients.Add(ClientLimits.ClientOf(Call(CallCost.Other, new IPAddress([198, (byte)(i >> 16), (byte)(i >> 8), (byte)i]).ToString()))!);

        clients.Count.ShouldBeInRange(ClientLimits.AddressBuckets / 2, ClientLimits.AddressBuckets);
    }

    private RateLimitLease Get(HttpContext call) => limits.AttemptAcquire(call);

    private static ClientLimits Limits(double rate, int burst) => new(new GatewaySettings { WorkerToken = GatewayBench.Token, ClientRate = rate, ClientBurst = burst });

    private static DefaultHttpContext Call(CallCost? cost, string from = "203.0.113.9")
    {
        var http = new DefaultHttpContext();
        http.Connection.RemoteIpAddress = IPAddress.Parse(from);
        http.SetEndpoint(new Endpoint(requestDelegate: null, cost is null ? EndpointMetadataCollection.Empty : new EndpointMetadataCollection(cost), "call"));
        return http;
    }
}
