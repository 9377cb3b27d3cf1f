using System.Net;
using System.Text.Json;

namespace Spotter.Tests.Gateway;

/// <summary>Uploads past the gateway, where there is no bucket for them.</summary>
public sealed class UploadEndpointTests
{
    [Theory]
    [InlineData("/v1/uploads")]
    [InlineData("/v1/uploads/00000000000000000000000000000000")]
    public async Task Without_a_bucket_the_refusal_says_what_to_set(string path)
    {
        await using var bench = await GatewayBench.StartAsync();

        using var answer = await bench.Client.PostAsync(new Uri(path, UriKind.Relative), new StringContent("""{"contentType":"image/png"}""", new System.Net.Http.Headers.MediaTypeHeaderValue("application/json")));

        answer.StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
        using var problem = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        problem.RootElement.GetProperty("code").GetString().ShouldBe("unsupported_option");
        problem.RootElement.GetProperty("detail").GetString()!.ShouldContain("--blobs s3://BUCKET");
    }
}
