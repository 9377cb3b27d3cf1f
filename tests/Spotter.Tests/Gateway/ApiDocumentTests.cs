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

    /// <summary>Clients make their types of it.</summary>
    [Fact]
    public async Task It_says_what_is_in_answers()
    {
        await using var bench = await GatewayBench.StartAsync();
        using var document = JsonDocument.Parse(await bench.Client.GetStringAsync(new Uri("/openapi/v1.json", UriKind.Relative)));
        var schemas = document.RootElement.GetProperty("components").GetProperty("schemas");
        JsonElement Property(string type, string name) => schemas.GetProperty(type).GetProperty("properties").GetProperty(name);
        List<string?> Texts(JsonElement list) => [.. list.EnumerateArray().Select(e => e.GetString())];

        // States are words, and numbers never are.
        Texts(schemas.GetProperty("DeliveryState").GetProperty("enum")).ShouldBe(["pending", "delivered", "givenUp"]);
        Texts(schemas.GetProperty("ModelState").GetProperty("enum")).ShouldBe(["ready", "loading", "absent", "refused"]);
        Texts(schemas.GetProperty("ScalePreset").GetProperty("enum")).ShouldBe(["eco", "balanced", "fast"]);
        Property("JobView", "attempts").GetProperty("type").GetString().ShouldBe("integer");
        Texts(Property("JobView", "etaSeconds").GetProperty("type")).ShouldBe(["null", "number"]);
        // The parts of results have names, also within themselves.
        Property("Detection", "box").GetProperty("$ref").GetString().ShouldBe("#/components/schemas/Box");
        Property("ThenResult", "detections").GetProperty("items").GetProperty("$ref").GetString().ShouldBe("#/components/schemas/Detection");
        // What an answer always has is required, and nothing that a request may leave out.
        Texts(schemas.GetProperty("Box").GetProperty("required")).ShouldBe(["x1", "y1", "x2", "y2"]);
        Texts(schemas.GetProperty("Detection").GetProperty("required")).ShouldBe(["label", "classId", "confidence", "box"]);
        Texts(schemas.GetProperty("JobView").GetProperty("required")).ShouldContain(name => name == "outputs");
        schemas.GetProperty("RedriveRequest").TryGetProperty("required", out _).ShouldBeFalse();
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
