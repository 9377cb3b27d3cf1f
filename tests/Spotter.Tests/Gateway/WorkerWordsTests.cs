using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Spotter.Jobs;

namespace Spotter.Tests.Gateway;

/// <summary>A worker that is somebody else's by now, and has the token: what it says is checked like what any stranger says.</summary>
public sealed class WorkerWordsTests : IAsyncLifetime
{
    private GatewayBench bench = null!;

    public async Task InitializeAsync()
    {
        bench = await GatewayBench.StartAsync();
        bench.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", GatewayBench.Token);
        foreach (var worker in (string[])["good", "evil"])
            (await SendAsync(HttpMethod.Put, worker, "", """{"lanes":4,"models":[{"id":"tiny","version":"v1"}]}""")).Status.ShouldBe(HttpStatusCode.OK);
    }

    public async Task DisposeAsync() => await bench.DisposeAsync();

    [Fact]
    public async Task Pictures_are_given_to_who_runs_their_job_and_to_nobody_else()
    {
        var (lease, input) = await TakeAsync("good");
        var (others, _) = await TakeAsync("evil");

        (await InputAsync("good", lease.Job, input)).ShouldBe(HttpStatusCode.OK);
        (await InputAsync("evil", lease.Job, input)).ShouldBe(HttpStatusCode.Conflict);
        (await InputAsync("evil", others.Job, input)).ShouldBe(HttpStatusCode.Conflict);
        (await InputAsync("good", lease.Job, "in/../../spotter.db")).ShouldBe(HttpStatusCode.Conflict);

        (await FinishAsync("good", lease, Done())).ShouldBe(HttpStatusCode.NoContent);
        (await InputAsync("good", lease.Job, input)).ShouldBe(HttpStatusCode.Conflict);
    }

    [Fact]
    public async Task Nobody_ends_or_extends_the_lease_of_another()
    {
        var (lease, _) = await TakeAsync("good");

        (await FinishAsync("evil", lease, Done())).ShouldBe(HttpStatusCode.Conflict);
        (await FinishAsync("evil", lease with { Worker = "evil" }, Done())).ShouldBe(HttpStatusCode.Conflict);
        (await SendAsync(HttpMethod.Post, "evil", "/heartbeat", $$"""{"leases":[{{Json(lease)}}]}""")).Status.ShouldBe(HttpStatusCode.Conflict);
        var beat = await SendAsync(HttpMethod.Post, "evil", "/heartbeat", $$"""{"leases":[{{Json(lease with { Worker = "evil" })}}]}""");
        beat.Text.ShouldContain($"\"lost\":[\"{lease.Job}\"]");

        (await bench.Jobs.FindAsync(lease.Job, default))!.State.ShouldBe(JobState.Running);
        (await FinishAsync("good", lease, Done())).ShouldBe(HttpStatusCode.NoContent);
    }

    [Fact]
    public async Task Only_outputs_that_no_job_has_are_taken()
    {
        var (lease, input) = await TakeAsync("good");
        var mine = await OutputAsync("good");
        (await FinishAsync("good", lease, Done(mine))).ShouldBe(HttpStatusCode.NoContent);
        var (others, _) = await TakeAsync("evil");

        (await FinishAsync("evil", others, Done(input))).ShouldBe(HttpStatusCode.BadRequest);
        (await FinishAsync("evil", others, Done("in/00/0123456789ab"))).ShouldBe(HttpStatusCode.BadRequest);
        (await FinishAsync("evil", others, Done("out/../../keys.json"))).ShouldBe(HttpStatusCode.BadRequest);
        (await FinishAsync("evil", others, Done(mine))).ShouldBe(HttpStatusCode.Conflict);
        (await FinishAsync("evil", others, Done(outputs: $$"""[{"name":"a","mediaType":"text/plain","bytes":1,"key":"{{mine}}"}]"""))).ShouldBe(HttpStatusCode.Conflict);
        (await FinishAsync("evil", others, Done(outputs: $$"""[{"name":"a","mediaType":"text/plain","bytes":1,"key":"{{input}}"}]"""))).ShouldBe(HttpStatusCode.BadRequest);

        (await FinishAsync("evil", others, Done(await OutputAsync("evil")))).ShouldBe(HttpStatusCode.NoContent);
    }

    [Fact]
    public async Task Who_does_not_say_how_many_jobs_it_has_room_for_gets_one()
    {
        await bench.SubmitAsync();
        await bench.SubmitAsync();

        var answer = await SendAsync(HttpMethod.Post, "good", "/exchange", """{"finished":[],"take":{"queues":["detect/tiny"],"waitSeconds":10}}""");

        answer.Status.ShouldBe(HttpStatusCode.OK, answer.Text);
        System.Text.Json.JsonSerializer.Deserialize(answer.Text, SpotterJson.Default.WorkerExchanged)!.Jobs.Count.ShouldBe(1);
    }

    public static TheoryData<string, string> Lies()
    {
        var lies = new TheoryData<string, string>();
        foreach (var (call, body) in WorkerLies.All)
            lies.Add(call, body);
        return lies;
    }

    [Theory]
    [MemberData(nameof(Lies))]
    public async Task What_cannot_be_is_the_workers_fault_and_changes_nothing(string call, string body)
    {
        var (lease, _) = await TakeAsync("evil");

        var answer = await SendAsync(call.Length == 0 ? HttpMethod.Put : HttpMethod.Post, "evil", call, body.Replace("LEASE", Json(lease), StringComparison.Ordinal));

        answer.Status.ShouldBe(HttpStatusCode.BadRequest, answer.Text);
        (await bench.Jobs.FindAsync(lease.Job, default))!.State.ShouldBe(JobState.Running);
        (await FinishAsync("evil", lease, Done())).ShouldBe(HttpStatusCode.NoContent);
    }

    private static string Done(string? output = null, string outputs = "[]") =>
        $$"""{"kind":"done","result":{},"timings":{},"output":{{(output is null ? "null" : $"\"{output}\"")}},"outputs":{{outputs}}}""";

    private static string Json(Lease lease) => System.Text.Json.JsonSerializer.Serialize(lease, SpotterJson.Default.Lease);

    private async Task<(Lease Lease, string Input)> TakeAsync(string worker)
    {
        await bench.SubmitAsync();
        var answer = await SendAsync(HttpMethod.Post, worker, "/take", """{"queues":["detect/tiny"],"waitSeconds":10}""");
        var started = System.Text.Json.JsonSerializer.Deserialize(answer.Text, SpotterJson.Default.StartedJob)!;
        return (started.Lease, started.Job.Spec.Inputs[0].Key);
    }

    private async Task<string> OutputAsync(string worker)
    {
        using var content = new ByteArrayContent([1, 2, 3]);
        using var answer = await bench.Client.PutAsync(new Uri($"/v1/workers/{worker}/output", UriKind.Relative), content);
        return System.Text.Json.JsonSerializer.Deserialize(await answer.Content.ReadAsStringAsync(), SpotterJson.Default.WorkerOutput)!.Key;
    }

    private async Task<HttpStatusCode> InputAsync(string worker, JobId job, string key)
    {
        using var answer = await bench.Client.GetAsync(new Uri($"/v1/workers/{worker}/input?job={job}&key={Uri.EscapeDataString(key)}", UriKind.Relative));
        return answer.StatusCode;
    }

    private async Task<HttpStatusCode> FinishAsync(string worker, Lease lease, string outcome) =>
        (await SendAsync(HttpMethod.Post, worker, "/finish", $$"""{"lease":{{Json(lease)}},"outcome":{{outcome}}}""")).Status;

    private async Task<(HttpStatusCode Status, string Text)> SendAsync(HttpMethod method, string worker, string call, string body)
    {
        using var request = new HttpRequestMessage(method, $"/v1/workers/{worker}{call}") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        using var answer = await bench.Client.SendAsync(request);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }
}
