using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Spotter.Core;
using Spotter.Gateway;
using Spotter.Gateway.Access;

namespace Spotter.Tests.Gateway;

public sealed class OriginGuardTests
{
    [Theory]
    [InlineData("127.0.0.1:8080", HttpStatusCode.OK)]
    [InlineData("localhost", HttpStatusCode.OK)]
    [InlineData("[::1]:8080", HttpStatusCode.OK)]
    [InlineData("proxy.example", HttpStatusCode.OK)]
    [InlineData("rebound.example", HttpStatusCode.Forbidden)]
    [InlineData("10.0.0.1", HttpStatusCode.Forbidden)]
    public async Task A_gateway_of_this_machine_answers_to_its_own_names_only(string host, HttpStatusCode status)
    {
        await using var bench = await GatewayBench.StartAsync(s => s with { AllowedHosts = ["proxy.example"] });
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/jobs");
        request.Headers.Host = host;

        using var response = await bench.Client.SendAsync(request);

        response.StatusCode.ShouldBe(status);
    }

    [Theory]
    [InlineData("POST", "cross-site", HttpStatusCode.Forbidden)]
    [InlineData("DELETE", "cross-site", HttpStatusCode.Forbidden)]
    [InlineData("DELETE", "same-site", HttpStatusCode.Forbidden)]
    [InlineData("GET", "cross-site", HttpStatusCode.NotFound)]
    [InlineData("DELETE", "same-origin", HttpStatusCode.NotFound)]
    [InlineData("DELETE", "none", HttpStatusCode.NotFound)]
    public async Task Pages_of_other_sites_may_change_nothing(string method, string from, HttpStatusCode status)
    {
        await using var bench = await GatewayBench.StartAsync();
        using var request = new HttpRequestMessage(new HttpMethod(method), "/v1/jobs/00000000000000000000000000000000");
        request.Headers.Add("Sec-Fetch-Site", from);

        using var response = await bench.Client.SendAsync(request);

        response.StatusCode.ShouldBe(status);
    }

    [Theory]
    [InlineData("DELETE", "http://192.0.2.7:8080", "192.0.2.7:8080", HttpStatusCode.NotFound)]
    [InlineData("DELETE", "http://192.0.2.7", "192.0.2.7", HttpStatusCode.NotFound)]
    [InlineData("DELETE", "https://proxy.example", "127.0.0.1:8080", HttpStatusCode.NotFound)]
    [InlineData("DELETE", "http://evil.example", "192.0.2.7:8080", HttpStatusCode.Forbidden)]
    [InlineData("POST", "http://192.0.2.7:9999", "192.0.2.7:8080", HttpStatusCode.Forbidden)]
    [InlineData("DELETE", "http://192.0.2.7:8080.evil.example", "192.0.2.7:8080", HttpStatusCode.Forbidden)]
    [InlineData("DELETE", "null", "192.0.2.7:8080", HttpStatusCode.Forbidden)]
    [InlineData("GET", "http://evil.example", "192.0.2.7:8080", HttpStatusCode.NotFound)]
    public async Task Where_browsers_say_only_the_origin_it_has_to_be_the_services_own(string method, string origin, string host, HttpStatusCode status)
    {
        await using var bench = await GatewayBench.StartAsync(s => s with { Host = "0.0.0.0", InsecureOpen = true, AllowedHosts = ["proxy.example"] });
        using var request = new HttpRequestMessage(new HttpMethod(method), $"http://127.0.0.1:{bench.Address.Port}/v1/jobs/00000000000000000000000000000000");
        request.Headers.Host = host;
        request.Headers.Add("Origin", origin);

        using var response = await bench.Client.SendAsync(request);

        response.StatusCode.ShouldBe(status);
    }

    [Theory]
    [InlineData("GET", "/v1/jobs", "192.0.2.7:8080", HttpStatusCode.OK)]
    [InlineData("GET", "/v1/jobs", "[2001:db8::7]:8080", HttpStatusCode.OK)]
    [InlineData("GET", "/v1/jobs", "localhost:8080", HttpStatusCode.OK)]
    [InlineData("GET", "/v1/jobs", "PROXY.example", HttpStatusCode.OK)]
    [InlineData("GET", "/v1/jobs", "rebound.example", HttpStatusCode.Forbidden)]
    [InlineData("GET", "/", "rebound.example", HttpStatusCode.Forbidden)]
    [InlineData("POST", "/v1/jobs", "rebound.example", HttpStatusCode.Forbidden)]
    [InlineData("GET", "/v1/jobs", "192.0.2.7.rebound.example", HttpStatusCode.Forbidden)]
    [InlineData("POST", "/v1/workers/w/leave", "gateway.internal", HttpStatusCode.Unauthorized)]
    public async Task Without_keys_a_name_that_anybody_may_have_given_opens_nothing_beyond_this_machine_either(string method, string path, string host, HttpStatusCode status)
    {
        await using var bench = await GatewayBench.StartAsync(s => s with { Host = "0.0.0.0", InsecureOpen = true, AllowedHosts = ["proxy.example"] });
        using var request = new HttpRequestMessage(new HttpMethod(method), $"http://127.0.0.1:{bench.Address.Port}{path}");
        request.Headers.Host = host;

        using var response = await bench.Client.SendAsync(request);

        response.StatusCode.ShouldBe(status);
    }

    [Theory]
    [InlineData("xn--localhost-.example")]
    [InlineData("xn--.example:8080")]
    public async Task A_name_that_can_not_be_read_is_a_mistake_of_the_client(string host)
    {
        var guard = new OriginGuard(new GatewaySettings { WorkerToken = new string('0', 32) }, new KeyRing(null, required: false, TimeProvider.System, NullLogger<KeyRing>.Instance));
        // Not through a server that logs everything: its own log fails at such a name.
        var http = new DefaultHttpContext();
        http.Request.Headers.Host = host;

        (await Should.ThrowAsync<SpotterException>(() => guard.CheckAsync(http, _ => Task.CompletedTask))).Code.ShouldBe(ErrorCodes.InvalidRequest);
    }

    [Theory]
    [InlineData("/healthz")]
    [InlineData("/metrics")]
    [InlineData("/v1/jobs")]
    [InlineData("/nothing")]
    public async Task No_answer_is_kept_on_the_way(string path)
    {
        await using var bench = await GatewayBench.StartAsync();

        using var response = await bench.Client.GetAsync(new Uri(path, UriKind.Relative));

        response.Headers.CacheControl!.NoStore.ShouldBeTrue();
    }

    [Fact]
    public async Task With_keys_a_service_may_be_called_as_its_users_like()
    {
        await using var bench = await GatewayBench.StartAsync(s => s with { Host = "0.0.0.0", KeysRequired = true });
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{bench.Address.Port}/v1/jobs");
        request.Headers.Host = "spotter.example";

        using var response = await bench.Client.SendAsync(request);

        response.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Theory]
    [InlineData("http://localhost:3000", "localhost:8080")]
    [InlineData("http://127.0.0.1:3000", "127.0.0.1:8080")]
    public async Task A_page_on_another_port_of_this_machine_is_another_site(string origin, string host)
    {
        await using var bench = await GatewayBench.StartAsync();
        foreach (var said in (string?[])[null, "same-site", "same-origin"])
        {
            using var request = new HttpRequestMessage(HttpMethod.Delete, "/v1/jobs/00000000000000000000000000000000");
            request.Headers.Host = host;
            request.Headers.Add("Origin", origin);
            if (said is not null)
                request.Headers.Add("Sec-Fetch-Site", said);

            using var response = await bench.Client.SendAsync(request);

            response.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        }
    }

    [Fact]
    public async Task Nobody_opens_a_service_without_keys_to_others_by_mistake()
    {
        var refusal = await Should.ThrowAsync<SpotterException>(() => GatewayBench.StartAsync(s => s with { Host = "0.0.0.0" }));

        (refusal.Code, refusal.Message.Contains("--insecure-open", StringComparison.Ordinal)).ShouldBe((ErrorCodes.InvalidSettings, true));
        await using var closed = await GatewayBench.StartAsync(s => s with { Host = "0.0.0.0", KeysRequired = true });
    }

    [Fact]
    public async Task A_gateway_that_stops_keeps_nobody_waiting()
    {
        await using var bench = await GatewayBench.StartAsync();
        var job = SampleJobs.New();
        await bench.Jobs.AddAsync([job], CancellationToken.None);
        using var events = await bench.Client.GetAsync(new Uri($"/v1/jobs/{job.Id}/events", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead);
        var following = events.Content.ReadAsStringAsync();

        // Without patience the server would cut the stream off; this waits until the stream has ended by itself.
        await bench.Host.StopAsync(CancellationToken.None);

        (await following.WaitAsync(GatewayBench.Safety)).ShouldContain("event: job");
    }
}
