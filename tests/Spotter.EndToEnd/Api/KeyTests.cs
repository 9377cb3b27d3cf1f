using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace Spotter.EndToEnd.Api;

/// <summary>A service with keys: who has none gets nothing, and nobody learns of another tenant's jobs.</summary>
public sealed class KeyTests(KeyService service) : IClassFixture<KeyService>
{
    /// <summary>Every call that names a job, and what a stranger to it may not even notice.</summary>
    public static TheoryData<string, string> CallsOfOneJob { get; } = new()
    {
        { "GET", "" }, { "GET", "/image" }, { "GET", "/image?confidence=0.5" }, { "GET", "/original" }, { "GET", "/output" }, { "GET", "/events" }, { "DELETE", "" },
    };

    [Theory]
    [InlineData("GET", "/v1/jobs")]
    [InlineData("POST", "/v1/jobs")]
    [InlineData("GET", "/v1/jobs/00000000000000000000000000000000")]
    [InlineData("DELETE", "/v1/jobs/00000000000000000000000000000000")]
    [InlineData("GET", "/v1/dead")]
    [InlineData("POST", "/v1/dead/redrive")]
    [InlineData("GET", "/v1/stats")]
    [InlineData("GET", "/v1/models")]
    [InlineData("GET", "/v1/scaling/decisions")]
    [InlineData("GET", "/metrics")]
    public async Task Without_a_good_key_there_is_nothing(string method, string path)
    {
        using var nobody = new SpotterApi(service.Process.Address);
        var refused = await nobody.SendAsync(new HttpRequestMessage(new HttpMethod(method), path));
        refused.ShouldBeProblem(401, "unauthorized");
        refused.Headers.WwwAuthenticate.ShouldHaveSingleItem().Scheme.ShouldBe("Bearer");

        using var wrong = new SpotterApi(service.Process.Address, "sk_" + new string('A', 43));
        (await wrong.SendAsync(new HttpRequestMessage(new HttpMethod(method), path))).ShouldBeProblem(401, "unauthorized");
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/healthz")]
    [InlineData("/readyz")]
    [InlineData("/openapi/v1.json")]
    public async Task The_page_and_the_probes_need_no_key(string path)
    {
        using var nobody = new SpotterApi(service.Process.Address);
        (await nobody.GetAsync(path)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Who_has_no_key_is_refused_before_the_body()
    {
        var answer = await RawRequest.SendAsync(service.Process.Address,
            "POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\nContent-Length: 10000000\r\n\r\n");
        RawRequest.Read(answer).Status.ShouldBe(401);
    }

    [Fact]
    public async Task A_key_may_come_in_a_header_of_its_own()
    {
        using var nobody = new SpotterApi(service.Process.Address);
        var request = new HttpRequestMessage(HttpMethod.Get, "/v1/jobs");
        request.Headers.Add("X-API-Key", service.RedKey);
        (await nobody.SendAsync(request)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [MemberData(nameof(CallsOfOneJob))]
    public async Task Another_tenants_job_is_not_there(string method, string path)
    {
        var id = SpotterApi.IdOf(await service.Red.RunAsync(Pictures.Png(120)));

        var stranger = await service.Blue.SendAsync(new HttpRequestMessage(new HttpMethod(method), $"/v1/jobs/{id}{path}"));
        stranger.ShouldBeProblem(404, "not_found");
        var nothing = await service.Blue.SendAsync(new HttpRequestMessage(new HttpMethod(method), $"/v1/jobs/{new string('0', 32)}{path}"));
        stranger.Text.ShouldBe(nothing.Text.Replace(new string('0', 32), id, StringComparison.Ordinal), "and nothing tells it from one that never was");

        (await service.Red.GetAsync($"/v1/jobs/{id}")).Status.ShouldBe(HttpStatusCode.OK);
        (await service.Operator.GetAsync($"/v1/jobs/{id}")).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_signed_link_opens_one_job_and_nothing_else_without_a_key()
    {
        var id = SpotterApi.IdOf(await service.Red.RunAsync(Pictures.Png(119)));
        var other = SpotterApi.IdOf(await service.Red.RunAsync(Pictures.Png(118)));
        (await service.Blue.GetAsync($"/v1/jobs/{id}/link")).ShouldBeProblem(404, "not_found");
        var links = (await service.Red.GetAsync($"/v1/jobs/{id}/link")).Json;
        links.GetProperty("expires").GetDateTimeOffset().ShouldBeGreaterThan(DateTimeOffset.UnixEpoch);
        using var nobody = new SpotterApi(service.Process.Address);

        foreach (var (name, type) in ((string, string)[])[("self", "application/json"), ("image", "image/jpeg"), ("original", "image/png"), ("output", "text/plain")])
        {
            var opened = await nobody.GetAsync(links.GetProperty(name).GetString()!);
            opened.Status.ShouldBe(HttpStatusCode.OK, opened.Text);
            opened.MediaType.ShouldBe(type);
        }
        var query = links.GetProperty("self").GetString()!.Split('?')[1];
        foreach (var closed in (string[])[$"/v1/jobs/{other}?{query}", $"/v1/jobs?{query}", $"/v1/jobs/{id}/link?{query}", $"/v1/jobs/{id}/events?{query}", $"/v1/jobs/{id[..12]}?{query}", $"/metrics?{query}"])
            (await nobody.GetAsync(closed)).ShouldBeProblem(401, "unauthorized");
        (await nobody.DeleteAsync($"/v1/jobs/{id}?{query}")).ShouldBeProblem(401, "unauthorized");
        // Of the endpoints for earlier clients, results are a job too.
        (await nobody.GetAsync($"/results?predictionId={id}&{query}")).Status.ShouldBe(HttpStatusCode.OK);
        (await nobody.GetAsync($"/results?predictionId={other}&{query}")).ShouldBeProblem(401, "unauthorized");
        (await nobody.GetAsync($"/results?predictionId={id}")).ShouldBeProblem(401, "unauthorized");
    }

    [Theory]
    [InlineData("POST", "/")]
    [InlineData("POST", "/predict")]
    [InlineData("POST", "/predict?imgName=a.png")]
    [InlineData("GET", "/recent")]
    [InlineData("GET", "/fetchResults")]
    public async Task The_endpoints_for_earlier_clients_need_a_key_too(string method, string path)
    {
        using var nobody = new SpotterApi(service.Process.Address);
        (await nobody.SendAsync(new HttpRequestMessage(new HttpMethod(method), path))).ShouldBeProblem(401, "unauthorized");
    }

    [Fact]
    public async Task A_tenant_names_its_own_pictures_only()
    {
        service.Place("red", "own.png", Pictures.Png(77));
        service.Place("", "common.png", Pictures.Png(78));

        (await service.Red.SendAsync(new HttpRequestMessage(HttpMethod.Post, "/predict?imgName=own.png"))).Status.ShouldBe(HttpStatusCode.OK);
        foreach (var name in (string[])["own.png", "red/own.png", "common.png"])
            (await service.Blue.SendAsync(new HttpRequestMessage(HttpMethod.Post, $"/predict?imgName={name}"))).Status.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Each_tenant_lists_its_own_jobs_and_an_operator_all()
    {
        var red = SpotterApi.IdOf(await service.Red.RunAsync(Pictures.Png(121)));
        var blue = SpotterApi.IdOf(await service.Blue.RunAsync(Pictures.Png(122)));

        (await IdsAsync(service.Red)).ShouldContain(id => id == red);
        (await IdsAsync(service.Red)).ShouldNotContain(id => id == blue);
        (await IdsAsync(service.Blue, "&state=succeeded")).ShouldNotContain(id => id == red);
        var all = await IdsAsync(service.Operator);
        all.ShouldContain(id => id == red);
        all.ShouldContain(id => id == blue);
    }

    [Fact]
    public async Task The_same_idempotency_key_of_two_tenants_is_two_jobs()
    {
        var first = await service.Red.SubmitAsync(Pictures.Png(123), key: "same");
        var again = await service.Red.SubmitAsync(Pictures.Png(123), key: "same");
        var other = await service.Blue.SubmitAsync(Pictures.Png(124), key: "same");

        SpotterApi.IdOf(again.Json).ShouldBe(SpotterApi.IdOf(first.Json));
        other.Status.ShouldBe(HttpStatusCode.Accepted, other.Text);
        (SpotterApi.IdOf(other.Json) == SpotterApi.IdOf(first.Json)).ShouldBeFalse();
    }

    [Fact]
    public async Task Work_is_answered_from_the_tenants_own_results_only()
    {
        var reuse = Part.Field("reuse", "true");
        var first = await service.Red.RunAsync(Pictures.Png(125), reuse);
        var again = await service.Red.RunAsync(Pictures.Png(125), reuse);
        var other = await service.Blue.RunAsync(Pictures.Png(125), reuse);

        again.GetProperty("cachedFrom").GetString().ShouldBe(SpotterApi.IdOf(first));
        other.GetProperty("cachedFrom").ValueKind.ShouldBe(JsonValueKind.Null);
    }

    [Fact]
    public async Task A_job_says_who_sent_it_and_who_withdrew_it()
    {
        var submitted = await service.Red.SubmitAsync([Part.Field("delay", "3600"), Part.Image(Pictures.Png(126))]);
        submitted.Json.GetProperty("by").GetString().ShouldBe("red-web");

        var cancelled = await service.Operator.DeleteAsync($"/v1/jobs/{SpotterApi.IdOf(submitted.Json)}");

        cancelled.Status.ShouldBe(HttpStatusCode.OK, cancelled.Text);
        var seen = cancelled.Json.GetProperty("history").EnumerateArray().ShouldHaveSingleItem();
        seen.GetProperty("kind").GetString().ShouldBe("cancelled");
        seen.GetProperty("by").GetString().ShouldBe("ops");
    }

    [Theory]
    [InlineData("POST", "/v1/jobs")]
    [InlineData("POST", "/v1/dead/redrive")]
    [InlineData("DELETE", "/v1/jobs/00000000000000000000000000000000")]
    [InlineData("GET", "/v1/scaling/decisions")]
    [InlineData("GET", "/metrics")]
    public async Task A_key_is_good_for_its_scopes_only(string method, string path)
    {
        using var reader = new SpotterApi(service.Process.Address, service.ReaderKey);
        (await reader.GetAsync("/v1/jobs")).Status.ShouldBe(HttpStatusCode.OK);
        (await reader.SendAsync(new HttpRequestMessage(new HttpMethod(method), path))).ShouldBeProblem(403, "forbidden");
        (await service.Operator.SendAsync(new HttpRequestMessage(new HttpMethod(method), path))).Status.ShouldNotBe(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task A_tenant_redrives_nothing_of_others()
    {
        var id = SpotterApi.IdOf(await service.Red.RunAsync(Pictures.Png(127)));
        var answer = await service.Blue.SendAsync(new HttpRequestMessage(HttpMethod.Post, "/v1/dead/redrive") { Content = JsonContent.Create(new { ids = (string[])[id] }) });
        answer.Status.ShouldBe(HttpStatusCode.OK, answer.Text);
        answer.Json.GetProperty("redriven").GetInt32().ShouldBe(0);
    }

    [Fact]
    public async Task A_new_key_is_good_and_a_revoked_one_is_not_without_a_restart()
    {
        var key = await service.AddKeyAsync("passing", "red");
        using var passing = new SpotterApi(service.Process.Address, key);
        await Eventually.SeeAsync("it is good", () => passing.GetAsync("/v1/jobs"), answer => answer.Status == HttpStatusCode.OK);

        (await SpotterProgram.RunAsync("keys", "revoke", "passing", "--data", service.Data)).Status.ShouldBe(0);

        var refused = await Eventually.SeeAsync("it is refused", () => passing.GetAsync("/v1/jobs"), answer => answer.Status != HttpStatusCode.OK);
        refused.ShouldBeProblem(401, "unauthorized");
    }

    [Fact]
    public async Task A_key_that_asks_too_often_is_told_when_to_come_back_and_others_are_not()
    {
        var key = await service.AddKeyAsync("eager", "green");
        using var eager = new SpotterApi(service.Process.Address, key);
        await Eventually.SeeAsync("it is good", () => eager.GetAsync("/v1/jobs"), answer => answer.Status == HttpStatusCode.OK);

        // Nothing is in them, so each is quickly refused, and counts.
        var refused = await Eventually.SeeAsync("it is too often", () => eager.SubmitAsync(Array.Empty<Part>()), answer => answer.Status == HttpStatusCode.TooManyRequests);

        refused.ShouldBeProblem(429, "rate_limited");
        refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds.ShouldBeInRange(1, 300);
        (await service.Red.GetAsync("/v1/jobs")).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Large_pictures_use_up_what_a_key_has_sooner_than_small_ones()
    {
        using var eager = new SpotterApi(service.Process.Address, await service.AddKeyAsync("large", "grey"));
        await Eventually.SeeAsync("it is good", () => eager.GetAsync("/v1/jobs"), answer => answer.Status == HttpStatusCode.OK);

        // A hundred megapixels each, so nine submissions: twenty are more than three times as many as a client has at once.
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => eager.SubmitAsync(Pictures.PngHeaderOnly(10_000, 10_000))));

        var refused = answers.Where(answer => answer.Status == HttpStatusCode.TooManyRequests).ToList();
        refused.Count.ShouldBeInRange(1, 19);
        refused[0].ShouldBeProblem(429, "rate_limited");
        // Refused before it was stored.
        var listed = await Eventually.SeeAsync("there is something left for a list", () => eager.GetAsync("/v1/jobs?limit=500"), answer => answer.Status == HttpStatusCode.OK);
        listed.Json.GetProperty("jobs").GetArrayLength().ShouldBe(answers.Count(answer => answer.Status == HttpStatusCode.Accepted));
    }

    private static async Task<IReadOnlyList<string>> IdsAsync(SpotterApi api, string query = "") => [.. (await api.ListAsync(query)).Select(SpotterApi.IdOf)];

    [Fact]
    public async Task The_interface_describes_the_keys()
    {
        using var nobody = new SpotterApi(service.Process.Address);
        var document = (await nobody.GetAsync("/openapi/v1.json")).Json;

        document.GetProperty("components").GetProperty("securitySchemes").EnumerateObject().Count().ShouldBe(2);
        var submit = document.GetProperty("paths").GetProperty("/v1/jobs").GetProperty("post");
        submit.GetProperty("security").GetArrayLength().ShouldBe(2);
        var responses = submit.GetProperty("responses");
        foreach (var status in (string[])["401", "403", "429", "503", "507"])
            responses.TryGetProperty(status, out _).ShouldBeTrue(status);
        foreach (var status in (string[])["429", "503", "507"])
            responses.GetProperty(status).GetProperty("headers").TryGetProperty("Retry-After", out _).ShouldBeTrue(status);
        document.GetProperty("paths").GetProperty("/healthz").GetProperty("get").TryGetProperty("security", out _).ShouldBeFalse();
    }
}

/// <summary>A service with keys of two tenants, one that may only read, one that may only submit, and an operator.</summary>
public sealed class KeyService : RunningService, IAsyncLifetime
{
    public string RedKey { get; private set; } = "";

    public string BlueKey { get; private set; } = "";

    public string ReaderKey { get; private set; } = "";

    public string SenderKey { get; private set; } = "";

    public SpotterApi Red { get; private set; } = null!;

    public SpotterApi Blue { get; private set; } = null!;

    public SpotterApi Operator { get; private set; } = null!;

    /// <summary>Makes a key with the program; the key.</summary>
    public async Task<string> AddKeyAsync(string name, string tenant, string scopes = "submit,read")
    {
        var made = await SpotterProgram.RunAsync("keys", "add", name, "--tenant", tenant, "--scopes", scopes, "--data", Data);
        made.Status.ShouldBe(0, made.Errors);
        return made.Output.Trim();
    }

    protected override IReadOnlyList<string> Arguments => [.. base.Arguments, "--compat"];

    /// <summary>Puts a picture where requests of a tenant may name it.</summary>
    public void Place(string tenant, string name, byte[] picture)
    {
        var folder = Path.Combine(Data, "blobs", "images", tenant);
        Directory.CreateDirectory(folder);
        File.WriteAllBytes(Path.Combine(folder, name), picture);
    }

    async Task IAsyncLifetime.InitializeAsync()
    {
        RedKey = await AddKeyAsync("red-web", "red");
        ReaderKey = await AddKeyAsync("red-reader", "red", "read");
        SenderKey = await AddKeyAsync("red-sender", "red", "submit");
        BlueKey = await AddKeyAsync("blue-web", "blue");
        var operates = await AddKeyAsync("ops", "*", "submit,read,operate");
        await InitializeAsync();
        Red = new SpotterApi(Process.Address, RedKey);
        Blue = new SpotterApi(Process.Address, BlueKey);
        Operator = new SpotterApi(Process.Address, operates);
    }

    async Task IAsyncLifetime.DisposeAsync()
    {
        foreach (var api in (IDisposable?[])[Red, Blue, Operator])
            api?.Dispose();
        await DisposeAsync();
    }
}
