using ModelContextProtocol.Protocol;
using Spotter.EndToEnd.Api;

namespace Spotter.EndToEnd.Mcp;

/// <summary><c>spotter mcp</c>: the same tools for an assistant that starts a program.</summary>
public sealed class McpCommandTests(KeyService service) : IClassFixture<KeyService>, IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task A_file_of_this_machine_comes_back_drawn()
    {
        var file = folder.File("patch.png");
        await File.WriteAllBytesAsync(file, Pictures.Png(210));
        await using var assistant = await StartAsync();

        var submit = (await assistant.Client.ListToolsAsync()).First(t => t.Name == "submit_picture").ProtocolTool.InputSchema;
        submit.GetProperty("properties").TryGetProperty("path", out _).ShouldBeTrue();
        submit.TryGetProperty("required", out _).ShouldBeFalse();
        var result = await assistant.CallAsync("submit_picture", ("path", file));

        var job = Assistant.JsonOf(result);
        job.GetProperty("state").GetString().ShouldBe("succeeded");
        job.GetProperty("name").GetString().ShouldBe("patch.png");
        result.Content.OfType<ImageContentBlock>().ShouldHaveSingleItem().MimeType.ShouldBe("image/jpeg");
        (await service.Red.GetAsync($"/v1/jobs/{SpotterApi.IdOf(job)}/original")).Bytes.ShouldBe(await File.ReadAllBytesAsync(file));
    }

    [Fact]
    public async Task Only_pictures_leave_the_machine_and_not_too_large_ones()
    {
        var secret = folder.File("secret.png");
        await File.WriteAllTextAsync(secret, "a secret");
        var large = folder.File("large.png");
        await File.WriteAllBytesAsync(large, [.. Pictures.Png(211), .. new byte[9 << 20]]);
        var good = folder.File("good.png");
        await File.WriteAllBytesAsync(good, Pictures.Png(212));
        await using var assistant = await StartAsync();

        (await assistant.FailAsync("submit_picture", ("path", secret))).ShouldEndWith("(unsupported_image)");
        (await assistant.FailAsync("submit_picture", ("path", large))).ShouldEndWith("(body_too_large)");
        (await assistant.FailAsync("submit_picture", ("path", folder.File("nothing.png")))).ShouldEndWith("(not_found)");
        (await assistant.FailAsync("submit_picture", ("path", good), ("image", "AAAA"))).ShouldEndWith("(invalid_request)");
        (await assistant.FailAsync("submit_picture", ("path", 5))).ShouldEndWith("(invalid_request)");
        // What the service refuses comes through as it says it.
        (await assistant.FailAsync("submit_picture", ("path", good), ("confidence", "2"))).ShouldEndWith("(threshold_out_of_range)");
        (await assistant.AskAsync("list_models")).GetProperty("models").GetArrayLength().ShouldBe(1);
    }

    [Fact]
    public async Task Without_a_good_key_or_a_service_it_says_so_and_ends()
    {
        var refused = await SpotterProgram.RunAsync("mcp", "--url", service.Process.Address.ToString());
        refused.Status.ShouldBe(1);
        refused.Output.ShouldBeEmpty();
        refused.Errors.ShouldContain("--key-file");

        var nowhere = await SpotterProgram.RunAsync("mcp", "--url", "http://127.0.0.1:1");
        nowhere.Status.ShouldBe(1);
        nowhere.Errors.ShouldContain("can't be reached");
    }

    private async Task<Assistant> StartAsync()
    {
        var key = folder.File("key");
        await File.WriteAllTextAsync(key, service.RedKey);
        return await Assistant.StartAsync("--url", service.Process.Address.ToString(), "--key-file", key);
    }
}
