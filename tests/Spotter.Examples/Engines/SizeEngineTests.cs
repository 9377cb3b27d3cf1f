using System.Net.Http.Headers;
using System.Text.Json;

namespace Spotter.Examples.Engines;

/// <summary>The engine from the request to the result, as a client sees it.</summary>
public sealed class SizeEngineTests : IAsyncLifetime
{
    private Deployment deployment = null!;

    public async Task InitializeAsync() => deployment = await Deployment.StartAsync();

    public async Task DisposeAsync() => await deployment.DisposeAsync();

    [Fact]
    public async Task A_worker_runs_it_and_its_result_is_the_jobs()
    {
        using var job = await SubmitAsync();

        job.RootElement.GetProperty("state").GetString().ShouldBe("succeeded");
        var result = job.RootElement.GetProperty("result");
        (result.GetProperty("width").GetInt32(), result.GetProperty("height").GetInt32()).ShouldBe((320, 200));
    }

    [Fact]
    public async Task Its_result_is_also_there_in_words()
    {
        using var job = await SubmitAsync();

        var id = job.RootElement.GetProperty("id").GetString();
        (await deployment.Client.GetStringAsync(new Uri($"v1/jobs/{id}/output", UriKind.Relative))).ShouldBe($"{id},320 x 200");
    }

    [Fact]
    public async Task The_description_of_the_api_says_what_is_in_its_result()
    {
        using var document = JsonDocument.Parse(await deployment.Client.GetStringAsync(new Uri("openapi/v1.json", UriKind.Relative)));

        document.RootElement.GetProperty("components").GetProperty("schemas").GetProperty("JobResult").GetProperty("anyOf").EnumerateArray()
            .Single(schema => schema.GetProperty("description").GetString() == "Of `size`.").GetProperty("properties").EnumerateObject().Select(p => p.Name).ShouldBe(["width", "height", "megapixels"]);
    }

    [Fact]
    public void Its_jobs_have_a_queue_that_workers_serve_without_a_model() =>
        Deployment.Engines.QueuesOf([]).ShouldContain(queue => queue == "size");

    private async Task<JsonDocument> SubmitAsync()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("v1/jobs?engine=size", UriKind.Relative))
        {
            Content = new ByteArrayContent(Deployment.Picture(320, 200)) { Headers = { ContentType = new MediaTypeHeaderValue("image/png") } },
        };
        request.Headers.Add("Prefer", "wait=60");
        using var response = await deployment.Client.SendAsync(request);
        return JsonDocument.Parse(await response.Content.ReadAsStringAsync());
    }
}
