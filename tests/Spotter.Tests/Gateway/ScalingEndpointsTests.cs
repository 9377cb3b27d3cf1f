using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Spotter.Scaling;

namespace Spotter.Tests.Gateway;

public sealed class ScalingEndpointsTests : IAsyncLifetime
{
    private GatewayBench bench = null!;

    public async Task InitializeAsync() => bench = await GatewayBench.StartAsync();

    public async Task DisposeAsync() => await bench.DisposeAsync();

    [Fact]
    public async Task Decisions_come_page_by_page_newest_first()
    {
        for (var i = 1; i <= 5; i++)
            bench.Decisions.Add(Noon, new ScaleDecision(i, 1, [], [], $"grow to {i}") { Formula = "so", Clamp = "max 5" });

        var page = await GetAsync("/v1/scaling/decisions?limit=3");
        Targets(page).ShouldBe([5, 4, 3]);
        var newest = page.GetProperty("decisions")[0];
        newest.GetProperty("time").GetDateTimeOffset().ShouldBe(Noon);
        newest.GetProperty("decision").GetProperty("reason").GetString().ShouldBe("grow to 5");
        newest.GetProperty("decision").GetProperty("clamp").GetString().ShouldBe("max 5");

        page = await GetAsync($"/v1/scaling/decisions?limit=3&after={page.GetProperty("next").GetString()}");
        Targets(page).ShouldBe([2, 1]);
        page.GetProperty("next").ValueKind.ShouldBe(JsonValueKind.Null);
    }

    [Fact]
    public async Task The_series_is_what_a_chart_of_that_length_can_show()
    {
        var now = DateTimeOffset.FromUnixTimeSeconds(TimeProvider.System.GetUtcNow().ToUnixTimeSeconds());
        for (var i = 600; i > 0; i--)
            bench.Series.Add(new ScaleSample(now.AddSeconds(-i), 3, 1, 1, 2, 1, 1, 0));

        var series = await GetAsync("/v1/scaling/series?seconds=1200");
        series.GetProperty("stepSeconds").GetInt32().ShouldBe(4);
        var samples = series.GetProperty("samples").EnumerateArray().ToList();
        samples.Count.ShouldBeInRange(150, 151);
        samples.Sum(s => s.GetProperty("arrived").GetInt32()).ShouldBe(600);
        samples[10].GetProperty("queued").GetInt32().ShouldBe(3);
    }

    [Fact]
    public async Task The_arrivals_of_a_day_are_recorded_and_come_as_csv()
    {
        (await GetAsync("/v1/scaling/days")).GetProperty("days").GetArrayLength().ShouldBe(0);
        await bench.SubmitAsync();
        await bench.SubmitAsync();

        var days = (await GetAsync("/v1/scaling/days")).GetProperty("days").EnumerateArray().Select(d => d.GetString()).ToList();
        // Two, if midnight came in between.
        days.Count.ShouldBeInRange(1, 2);
        var sum = 0;
        foreach (var day in days)
        {
            using var answer = await bench.Client.GetAsync(new Uri($"/v1/scaling/trace?day={day}", UriKind.Relative));
            answer.StatusCode.ShouldBe(HttpStatusCode.OK);
            answer.Content.Headers.ContentType!.MediaType.ShouldBe("text/csv");
            var lines = (await answer.Content.ReadAsStringAsync()).TrimEnd().Split('\n');
            lines[0].ShouldBe("timestamp,count");
            lines[1].ShouldMatch(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ,\d+$");
            sum += lines.Skip(1).Sum(line => int.Parse(line.Split(',')[1], CultureInfo.InvariantCulture));
        }
        sum.ShouldBe(2);
    }

    [Theory]
    [InlineData("/v1/scaling/decisions?limit=0", 400, "invalid_request")]
    [InlineData("/v1/scaling/decisions?limit=1001", 400, "invalid_request")]
    [InlineData("/v1/scaling/decisions?after=x", 400, "invalid_request")]
    [InlineData("/v1/scaling/series?seconds=4000", 400, "invalid_request")]
    [InlineData("/v1/scaling/what-if?preset=eco,fast", 400, "invalid_request")]
    [InlineData("/v1/scaling/trace?day=1.1.2026", 400, "invalid_request")]
    [InlineData("/v1/scaling/trace?day=../../etc/passwd", 400, "invalid_request")]
    [InlineData("/v1/scaling/trace?day=2001-01-01", 404, "not_found")]
    public async Task What_cannot_be_answered_is_refused_with_a_code(string path, int status, string code)
    {
        using var answer = await bench.Client.GetAsync(new Uri(path, UriKind.Relative));
        ((int)answer.StatusCode).ShouldBe(status);
        (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("code").GetString().ShouldBe(code);
    }

    private static DateTimeOffset Noon { get; } = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    private static IEnumerable<int> Targets(JsonElement page) =>
        page.GetProperty("decisions").EnumerateArray().Select(d => d.GetProperty("decision").GetProperty("target").GetInt32());

    private Task<JsonElement> GetAsync(string path) => bench.Client.GetFromJsonAsync<JsonElement>(path);
}
