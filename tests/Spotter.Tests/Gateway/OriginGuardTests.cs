using System.Net;

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
        await using var bench = await GatewayBench.StartAsync(s => s with { Host = "0.0.0.0", AllowedHosts = ["proxy.example"] });
        using var request = new HttpRequestMessage(new HttpMethod(method), $"http://127.0.0.1:{bench.Address.Port}/v1/jobs/00000000000000000000000000000000");
        request.Headers.Host = host;
        request.Headers.Add("Origin", origin);

        using var response = await bench.Client.SendAsync(request);

        response.StatusCode.ShouldBe(status);
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
