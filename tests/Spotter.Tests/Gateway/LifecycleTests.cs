using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Tests.Gateway;

/// <summary>What a request can say about when and how its job is run, and what becomes of dead jobs, over HTTP.</summary>
public sealed class LifecycleTests : IAsyncLifetime
{
    private static readonly TimeSpan Hold = TimeSpan.FromSeconds(30);
    private GatewayBench bench = null!;

    public async Task InitializeAsync() => bench = await GatewayBench.StartAsync();

    public async Task DisposeAsync() => await bench.DisposeAsync();

    [Theory]
    [InlineData("priority=urgent")]
    [InlineData("priority=0")]
    [InlineData("delay=-1")]
    [InlineData("delay=604801")]
    [InlineData("delay=1e400")]
    [InlineData("delay=soon")]
    [InlineData("expires=0")]
    [InlineData("expires=NaN")]
    [InlineData("expires=5&delay=5")]
    [InlineData("reuse=perhaps")]
    [InlineData("callback_secret=whsec_AAAA")]
    public async Task Terms_that_mean_nothing_are_refused(string query)
    {
        using var response = await SendAsync(query);

        response.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("code").GetString().ShouldBe(ErrorCodes.InvalidRequest);
        (await bench.Jobs.CountAsync(default)).Jobs.Queued.ShouldBe(0);
    }

    [Fact]
    public async Task Terms_are_kept_and_shown()
    {
        var view = await AcceptedAsync("priority=high&delay=5&expires=60.5");

        view.GetProperty("priority").GetString().ShouldBe("high");
        var created = view.GetProperty("created").GetDateTimeOffset();
        view.GetProperty("notBefore").GetDateTimeOffset().ShouldBe(created + TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(2));
        view.GetProperty("expires").GetDateTimeOffset().ShouldBe(created + TimeSpan.FromSeconds(60.5), TimeSpan.FromSeconds(2));
        (await bench.Service.TakeAsync("w", [QueueNames.Of(GatewayBench.Model.Engine, GatewayBench.Model.Id)], TimeSpan.Zero, default)).ShouldBeNull("it is delayed");
    }

    [Fact]
    public async Task The_same_work_is_answered_from_the_stored_result_unless_the_request_says_no()
    {
        await AcceptedAsync("");
        await FinishAsync(SampleJobs.Done() with { ModelVersion = "another version" });
        (await AcceptedAsync("")).GetProperty("state").GetString().ShouldBe("queued", "it is not what this version says");
        await FinishAsync(SampleJobs.Done() with { ModelVersion = GatewayBench.Model.Version });
        var first = await AcceptedAsync("reuse=false");
        await FinishAsync(SampleJobs.Done() with { ModelVersion = GatewayBench.Model.Version });

        using var again = await SendAsync("annotate=true", wait: true);
        again.StatusCode.ShouldBe(HttpStatusCode.OK);
        var view = await again.Content.ReadFromJsonAsync<JsonElement>();
        view.GetProperty("state").GetString().ShouldBe("succeeded");
        view.GetProperty("cachedFrom").GetString().ShouldBe(first.GetProperty("id").GetString());
        (view.GetProperty("id").GetString() == first.GetProperty("id").GetString()).ShouldBeFalse();
        view.GetProperty("result").GetProperty("width").GetInt32().ShouldBe(810);

        (await AcceptedAsync("reuse=false")).GetProperty("state").GetString().ShouldBe("queued");
        (await AcceptedAsync("confidence=0.5")).GetProperty("state").GetString().ShouldBe("queued");
        (await AcceptedAsync("", bytes: 5000)).GetProperty("state").GetString().ShouldBe("queued");
    }

    [Fact]
    public async Task A_service_can_be_told_to_run_everything()
    {
        await using var strict = await GatewayBench.StartAsync(s => s with { Jobs = s.Jobs with { Reuse = false } });
        await AcceptedAsync("", on: strict);
        var started = await strict.Service.TakeAsync("w", [QueueNames.Of(GatewayBench.Model.Engine, GatewayBench.Model.Id)], TimeSpan.Zero, default);
        await strict.Service.FinishAsync(started!.Lease, SampleJobs.Done() with { ModelVersion = GatewayBench.Model.Version }, default);

        (await AcceptedAsync("", on: strict)).GetProperty("state").GetString().ShouldBe("queued");
    }

    [Fact]
    public async Task Dead_jobs_are_listed_by_reason_and_put_back_under_their_ids()
    {
        var id = (await AcceptedAsync("")).GetProperty("id").GetString()!;
        await DieAsync();

        (await ListDeadAsync("?error=worker_died")).ShouldBeEmpty();
        var dead = (await ListDeadAsync("?error=internal_error")).ShouldHaveSingleItem();
        dead.GetProperty("id").GetString().ShouldBe(id);
        dead.GetProperty("history").GetArrayLength().ShouldBe(new RetrySchedule().MaxAttempts);

        (await RedriveAsync("""{"error":"worker_died"}""")).ShouldBe(0);
        (await RedriveAsync($$"""{"ids":["{{id}}"]}""")).ShouldBe(1);
        (await RedriveAsync("""{"all":true}""")).ShouldBe(0);
        (await ListDeadAsync("")).ShouldBeEmpty();
        await FinishAsync(SampleJobs.Done());
        (await bench.Jobs.FindAsync(JobId.Parse(id), default))!.State.ShouldBe(JobState.Succeeded);
    }

    [Theory]
    [InlineData("{}", HttpStatusCode.BadRequest)]
    [InlineData("""{"all":true,"error":"x"}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"ids":["../x"]}""", HttpStatusCode.NotFound)]
    [InlineData("nonsense", HttpStatusCode.BadRequest)]
    public async Task A_redrive_that_does_not_say_what_is_refused(string body, HttpStatusCode status)
    {
        using var response = await PostRedriveAsync(body);
        response.StatusCode.ShouldBe(status);
    }

    private async Task DieAsync()
    {
        // Attempts are spaced by their delays, so they are taken from the store itself, at once.
        var row = (await bench.Jobs.ListAsync(new JobFilter { Limit = 1 }, default))[0];
        var request = new TakeRequest([row.Queue], [JobPriority.Normal], ["w"], Hold);
        while ((await bench.Jobs.FindAsync(row.Id, default))!.State != JobState.Dead)
        {
            if ((await bench.Jobs.TakeAsync(request, default)).Jobs is [var started])
                await bench.Jobs.FinishAsync(started.Lease, SampleJobs.Retry(), default);
            else
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        }
    }

    private async Task FinishAsync(JobOutcome outcome)
    {
        var started = await bench.Service.TakeAsync("w", [QueueNames.Of(GatewayBench.Model.Engine, GatewayBench.Model.Id)], GatewayBench.Safety, default);
        (await bench.Service.FinishAsync(started!.Lease, outcome, default)).ShouldBeTrue();
    }

    private async Task<List<JsonElement>> ListDeadAsync(string query)
    {
        var page = await bench.Client.GetFromJsonAsync<JsonElement>(new Uri($"/v1/dead{query}", UriKind.Relative));
        return [.. page.GetProperty("jobs").EnumerateArray()];
    }

    private async Task<int> RedriveAsync(string body)
    {
        using var response = await PostRedriveAsync(body);
        response.EnsureSuccessStatusCode();
        return (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("redriven").GetInt32();
    }

    private async Task<HttpResponseMessage> PostRedriveAsync(string body)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        return await bench.Client.PostAsync(new Uri("/v1/dead/redrive", UriKind.Relative), content);
    }

    private async Task<JsonElement> AcceptedAsync(string query, int? bytes = null, GatewayBench? on = null)
    {
        using var response = await SendAsync(query, bytes, on: on);
        response.StatusCode.ShouldBe(HttpStatusCode.Accepted, await response.Content.ReadAsStringAsync());
        return await response.Content.ReadFromJsonAsync<JsonElement>();
    }

    private async Task<HttpResponseMessage> SendAsync(string query, int? bytes = null, bool wait = false, GatewayBench? on = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri($"/v1/jobs?{query}", UriKind.Relative))
        {
            Content = GatewayBench.Body(bytes is { } length ? GatewayBench.Picture(bytes: length) : GatewayBench.Picture()),
        };
        if (wait)
            request.Headers.Add("Prefer", "wait=10");
        return await (on ?? bench).Client.SendAsync(request);
    }
}
