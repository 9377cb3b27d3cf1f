using System.Net;
using System.Text.Json;

namespace Spotter.Tests.Gateway;

/// <summary>What may be kept of answers, and by whom.</summary>
public sealed class ApiDocumentTests
{
    [Fact]
    public async Task The_document_is_made_once_and_asked_for_again_costs_nothing()
    {
        await using var bench = await GatewayBench.StartAsync();
        var address = new Uri("/openapi/v1.json", UriKind.Relative);
        using var first = await bench.Client.GetAsync(address);
        first.StatusCode.ShouldBe(HttpStatusCode.OK);
        var tag = first.Headers.ETag.ShouldNotBeNull();
        var text = await first.Content.ReadAsStringAsync();
        using (var document = JsonDocument.Parse(text))
            document.RootElement.GetProperty("paths").TryGetProperty("/v1/jobs", out _).ShouldBeTrue();

        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        request.Headers.IfNoneMatch.Add(tag);
        using var again = await bench.Client.SendAsync(request);
        (again.StatusCode, (await again.Content.ReadAsByteArrayAsync()).Length).ShouldBe((HttpStatusCode.NotModified, 0));

        // Whatever it is called by: nothing of a request is in it.
        using var other = new HttpRequestMessage(HttpMethod.Get, address);
        other.Headers.Host = "localhost:1";
        using var same = await bench.Client.SendAsync(other);
        (await same.Content.ReadAsStringAsync()).ShouldBe(text);
    }

    [Theory]
    [InlineData("/v1/jobs")]
    [InlineData("/v1/stats")]
    [InlineData("/v1/models")]
    [InlineData("/v1/jobs/00000000000000000000000000000000")]
    [InlineData("/v1/nothing")]
    public async Task Answers_about_jobs_are_kept_by_nobody_on_the_way(string path)
    {
        await using var bench = await GatewayBench.StartAsync();

        using var answer = await bench.Client.GetAsync(new Uri(path, UriKind.Relative));

        answer.Headers.CacheControl.ShouldNotBeNull().NoStore.ShouldBeTrue();
    }
}
