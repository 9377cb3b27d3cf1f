using Microsoft.AspNetCore.Http;
using Spotter.Core;
using Spotter.Gateway;
using Spotter.Gateway.Access;
using Spotter.Gateway.Webhooks;
using Spotter.Jobs;

namespace Spotter.Tests.Gateway.Access;

/// <summary>Links that open one job without a key.</summary>
public sealed class SignedLinksTests
{
    private static readonly WebhookSecret Old = WebhookSecret.New(RandomSource.Seeded(1));
    private static readonly WebhookSecret New = WebhookSecret.New(RandomSource.Seeded(2));

    private readonly SetClock time = new();
    private readonly JobId job;

    public SignedLinksTests() => job = JobId.New(RandomSource.Seeded(3), time);

    [Fact]
    public void A_link_opens_its_job_until_it_ends()
    {
        var (query, expires) = With(New).Sign(job);

        expires.ShouldBe(time.GetUtcNow() + TimeSpan.FromHours(2));
        With(New).Opens(Request(job.Value, query), OpensByLink.OfPath).ShouldBeTrue();
        time.Now += TimeSpan.FromHours(2);
        With(New).Opens(Request(job.Value, query), OpensByLink.OfPath).ShouldBeTrue();
        time.Now += TimeSpan.FromSeconds(1);
        With(New).Opens(Request(job.Value, query), OpensByLink.OfPath).ShouldBeFalse();
    }

    [Fact]
    public void It_opens_no_other_job_no_beginning_of_its_id_and_no_other_call()
    {
        var query = With(New).Sign(job).Query;

        With(New).Opens(Request(JobId.New(RandomSource.Seeded(4), time).Value, query), OpensByLink.OfPath).ShouldBeFalse();
        With(New).Opens(Request(job.Value[..8], query), OpensByLink.OfPath).ShouldBeFalse();
        With(New).Opens(Request(job.Value, query), call: null).ShouldBeFalse();
        With(New).Opens(Request(job.Value, query, "DELETE"), OpensByLink.OfPath).ShouldBeFalse();
    }

    [Fact]
    public void What_is_changed_in_it_closes_it()
    {
        var query = With(New).Sign(job).Query;
        var signature = query[(query.IndexOf("signature=", StringComparison.Ordinal) + 10)..];

        foreach (var changed in (string[])[
            query.Replace("expires=1", "expires=2", StringComparison.Ordinal), query.Replace("expires=", "expires=0", StringComparison.Ordinal),
            query[..^1], query + "A", query.Replace(signature, new string('A', signature.Length), StringComparison.Ordinal), query + "&signature=" + signature, "?signature=" + signature, "?expires=9999999999"])
            With(New).Opens(Request(job.Value, changed), OpensByLink.OfPath).ShouldBeFalse(changed);
    }

    [Fact]
    public void A_secret_on_its_way_out_still_opens_and_one_that_is_gone_does_not()
    {
        var query = With(Old).Sign(job).Query;

        With(New, Old).Opens(Request(job.Value, query), OpensByLink.OfPath).ShouldBeTrue();
        With(New).Opens(Request(job.Value, query), OpensByLink.OfPath).ShouldBeFalse();
        With().Opens(Request(job.Value, query), OpensByLink.OfPath).ShouldBeFalse();
        Should.Throw<SpotterException>(() => With().Sign(job)).Code.ShouldBe(ErrorCodes.UnsupportedOption);
    }

    private SignedLinks With(params WebhookSecret[] secrets) => new(
        new GatewaySettings { WorkerToken = new string('t', 32), LinkLife = TimeSpan.FromHours(2), Webhooks = new WebhookSettings { Secrets = secrets } }, time);

    private static HttpRequest Request(string id, string query, string method = "GET")
    {
        var http = new DefaultHttpContext();
        http.Request.Method = method;
        http.Request.RouteValues["id"] = id;
        http.Request.QueryString = new QueryString(query);
        return http.Request;
    }

    private sealed class SetClock : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = new(2026, 1, 5, 10, 0, 0, TimeSpan.Zero);

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
