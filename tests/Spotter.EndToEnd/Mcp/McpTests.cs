using System.Net;
using System.Text.Json;
using ModelContextProtocol.Protocol;
using Spotter.EndToEnd.Api;

namespace Spotter.EndToEnd.Mcp;

/// <summary>The tools for assistants at <c>/mcp</c>.</summary>
public sealed class McpTests(KeyService service) : IClassFixture<KeyService>
{
    private static string Picture { get; } = Convert.ToBase64String(Pictures.Png(200, 128, 64));

    [Fact]
    public async Task The_tools_say_what_they_do_and_take()
    {
        await using var red = await ConnectAsync(service.RedKey);

        var tools = (await red.Client.ListToolsAsync()).Select(t => t.ProtocolTool).ToList();

        tools.Select(t => t.Name).Order(StringComparer.Ordinal).ShouldBe(
            ["cancel_job", "get_job", "inspect_model", "list_jobs", "list_models", "queue_state", "submit_picture", "wait_for_job"]);
        tools.ShouldAllBe(t => t.Description!.Length > 20);
        var submit = tools.First(t => t.Name == "submit_picture").InputSchema;
        submit.GetProperty("required").EnumerateArray().ShouldHaveSingleItem().GetString().ShouldBe("image");
        submit.GetProperty("properties").GetProperty("confidence").GetProperty("description").GetString()!.ShouldContain("from 0 to 1");
        submit.GetProperty("properties").TryGetProperty("path", out _).ShouldBeFalse("files of the service's machine are not for assistants");
    }

    [Fact]
    public async Task A_picture_comes_back_with_counts_boxes_and_drawn()
    {
        await using var red = await ConnectAsync(service.RedKey);

        var result = await red.CallAsync("submit_picture", ("image", Picture), ("name", "patch.png"), ("confidence", "0.3"));

        var job = Assistant.JsonOf(result);
        job.GetProperty("state").GetString().ShouldBe("succeeded");
        job.GetProperty("name").GetString().ShouldBe("patch.png");
        var known = (await service.Red.JobAsync(SpotterApi.IdOf(job))).GetProperty("result");
        var detections = known.GetProperty("detections");
        detections.GetArrayLength().ShouldBeGreaterThan(0);
        job.GetProperty("counts").GetRawText().ShouldBe(known.GetProperty("summary").GetRawText());
        job.GetProperty("objects")[0].GetProperty("box").GetProperty("x1").GetDouble().ShouldBe(detections[0].GetProperty("box").GetProperty("x1").GetDouble());
        var drawn = ImageOf(result);
        drawn.MimeType.ShouldBe("image/jpeg");
        drawn.DecodedData.ToArray().ShouldBe((await service.Red.GetAsync($"/v1/jobs/{SpotterApi.IdOf(job)}/image")).Bytes);
    }

    [Fact]
    public async Task A_job_that_nobody_waited_for_is_found_again()
    {
        await using var red = await ConnectAsync(service.RedKey);

        var submitted = await red.CallAsync("submit_picture", ("image", "data:image/png;base64," + Convert.ToBase64String(Pictures.Png(201))), ("wait_seconds", 0));
        var id = SpotterApi.IdOf(Assistant.JsonOf(submitted));
        var waited = await red.CallAsync("wait_for_job", ("id", id));

        Assistant.JsonOf(waited).GetProperty("state").GetString().ShouldBe("succeeded");
        ImageOf(waited).MimeType.ShouldBe("image/jpeg");
        var again = await red.CallAsync("get_job", ("id", id));
        Assistant.JsonOf(again).GetProperty("objects").GetRawText().ShouldBe(Assistant.JsonOf(waited).GetProperty("objects").GetRawText());
        again.Content.Count.ShouldBe(1, "no picture was asked for");
        (await red.AskAsync("list_jobs", ("state", "succeeded"), ("limit", 100))).GetProperty("jobs").EnumerateArray().Select(SpotterApi.IdOf).ShouldContain(i => i == id);
    }

    [Fact]
    public async Task A_filter_gives_the_picture_that_it_made()
    {
        await using var red = await ConnectAsync(service.RedKey);
        var result = await red.CallAsync("submit_picture", ("image", Picture), ("engine", "filter"), ("caption", "rotate clockwise 90"));
        Assistant.JsonOf(result).GetProperty("engine").GetString().ShouldBe("filter");
        ImageOf(result).DecodedData.ToArray().ShouldBe((await service.Red.GetAsync($"/v1/jobs/{SpotterApi.IdOf(Assistant.JsonOf(result))}/image")).Bytes);
    }

    [Fact]
    public async Task Models_and_the_queue_are_told()
    {
        await using var reader = await ConnectAsync(service.ReaderKey);

        var model = (await reader.AskAsync("list_models")).GetProperty("models").EnumerateArray().ShouldHaveSingleItem();
        model.GetProperty("id").GetString().ShouldBe("patches");
        var details = await reader.AskAsync("inspect_model", ("model", "patches"));
        details.GetProperty("engine").GetString().ShouldBe("detect");
        details.GetProperty("labels").GetArrayLength().ShouldBe(model.GetProperty("labelCount").GetInt32());
        (await reader.AskAsync("queue_state")).GetProperty("maxWorkers").GetInt32().ShouldBe(1);
    }

    [Fact]
    public async Task A_job_can_be_cancelled()
    {
        await using var red = await ConnectAsync(service.RedKey);
        var id = SpotterApi.IdOf((await service.Red.SubmitAsync([Part.Field("delay", "3600"), Part.Image(Pictures.Png(202))])).Json);

        (await red.AskAsync("cancel_job", ("id", id))).GetProperty("state").GetString().ShouldBe("cancelled");

        var done = SpotterApi.IdOf(await service.Red.RunAsync(Pictures.Png(205)));
        (await red.FailAsync("cancel_job", ("id", done))).ShouldEndWith("(already_finished)");
    }

    [Theory]
    [InlineData("submit_picture", "image", "%%%", "(invalid_request)")]
    [InlineData("submit_picture", "image", "", "(empty_body)")]
    [InlineData("submit_picture", "image", "aGVsbG8gd29ybGQ=", "(unsupported_image)")]
    [InlineData("submit_picture", "url", "http://127.0.0.1/a.png", "(invalid_request)")]
    [InlineData("submit_picture", "path", "/etc/hostname", "(invalid_request)")]
    [InlineData("get_job", "id", "zzz", "(not_found)")]
    [InlineData("get_job", "id", 5, "(invalid_request)")]
    [InlineData("wait_for_job", "wait_seconds", 100_000, "(invalid_request)")]
    [InlineData("list_jobs", "state", "gone", "(invalid_request)")]
    [InlineData("inspect_model", "model", "nothing", "(unknown_model)")]
    [InlineData("list_jobs", "limit", 0, "(invalid_request)")]
    public async Task What_is_wrong_is_said_in_a_sentence(string tool, string argument, object value, string code)
    {
        await using var red = await ConnectAsync(service.RedKey);
        var told = await red.FailAsync(tool, (argument, value));
        told.ShouldEndWith(code);
        told.ShouldNotContain("Exception");
    }

    [Fact]
    public async Task A_wrong_option_is_refused_as_everywhere()
    {
        await using var red = await ConnectAsync(service.RedKey);
        (await red.FailAsync("submit_picture", ("image", Picture), ("confidence", "2"))).ShouldEndWith("(threshold_out_of_range)");
        (await red.FailAsync("submit_picture", ("image", Picture), ("model", "nothing"))).ShouldContain("'patches'");
    }

    [Fact]
    public async Task A_key_is_good_for_its_scopes_only()
    {
        var id = SpotterApi.IdOf(await service.Red.RunAsync(Pictures.Png(203)));
        await using var reader = await ConnectAsync(service.ReaderKey);
        await using var sender = await ConnectAsync(service.SenderKey);

        (await reader.FailAsync("submit_picture", ("image", Picture))).ShouldContain("scope 'submit'");
        (await reader.FailAsync("cancel_job", ("id", id))).ShouldEndWith("(forbidden)");
        (await reader.AskAsync("get_job", ("id", id))).GetProperty("id").GetString().ShouldBe(id);
        foreach (var tool in (string[])["get_job", "wait_for_job"])
            (await sender.FailAsync(tool, ("id", id))).ShouldContain("scope 'read'");
        (await sender.FailAsync("list_jobs")).ShouldEndWith("(forbidden)");
        (await sender.FailAsync("queue_state")).ShouldEndWith("(forbidden)");
        var sent = await sender.CallAsync("submit_picture", ("image", Picture));
        Assistant.JsonOf(sent).GetProperty("counts").EnumerateObject().ShouldNotBeEmpty();
        sent.Content.OfType<ImageContentBlock>().ShouldBeEmpty();
    }

    [Fact]
    public async Task Another_tenants_job_is_not_there()
    {
        var id = SpotterApi.IdOf(await service.Red.RunAsync(Pictures.Png(204)));
        await using var blue = await ConnectAsync(service.BlueKey);

        foreach (var tool in (string[])["get_job", "wait_for_job", "cancel_job"])
        {
            var told = await blue.FailAsync(tool, ("id", id));
            told.ShouldEndWith("(not_found)");
            told.ShouldBe((await blue.FailAsync(tool, ("id", new string('0', 32)))).Replace(new string('0', 32), id, StringComparison.Ordinal));
        }
        (await blue.AskAsync("list_jobs", ("limit", 100))).GetProperty("jobs").EnumerateArray().Select(SpotterApi.IdOf).ShouldNotContain(i => i == id);
    }

    [Fact]
    public async Task Without_a_key_or_from_another_site_there_is_nothing()
    {
        using var nobody = new SpotterApi(service.Process.Address);
        (await nobody.SendAsync(Call())).ShouldBeProblem(401, "unauthorized");

        var foreign = Call();
        foreign.Headers.Add("Origin", "http://elsewhere.example");
        (await service.Red.SendAsync(foreign)).ShouldBeProblem(403, "foreign_site");
        (await service.Red.SendAsync(Call())).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_call_has_a_bound()
    {
        var large = Call(new string('A', 13 << 20));
        (await service.Red.SendAsync(large)).ShouldBeProblem(413, "body_too_large");

        await using var red = await ConnectAsync(service.RedKey);
        (await red.FailAsync("submit_picture", ("image", Convert.ToBase64String(new byte[(8 << 20) + (900 << 10)])))).ShouldEndWith("(body_too_large)");
        // What is well below it goes through.
        byte[] heavy = [.. Pictures.Png(206), .. new byte[6 << 20]];
        (await red.AskAsync("submit_picture", ("image", Convert.ToBase64String(heavy)))).GetProperty("state").GetString().ShouldBe("succeeded");
    }

    [Fact]
    public async Task Each_picture_costs_its_client_a_submission()
    {
        using var eager = new SpotterApi(service.Process.Address, await service.AddKeyAsync("eager-assistant", "green"));
        await Eventually.SeeAsync("the key is good", () => eager.GetAsync("/v1/models"), answer => answer.Status == HttpStatusCode.OK);

        // More submissions than a client has at once, and far fewer calls of other kinds than it has.
        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(id => eager.SendAsync(Call("", id))));

        answers.Count(a => a.Text.Contains("rate_limited", StringComparison.Ordinal)).ShouldBeInRange(1, 199);
    }

    private Task<Assistant> ConnectAsync(string key) => Assistant.ConnectAsync(service.Process.Address, key);

    private static ImageContentBlock ImageOf(CallToolResult result) => result.Content.OfType<ImageContentBlock>().ShouldHaveSingleItem();

    private static HttpRequestMessage Call(string image = "", int id = 1)
    {
        var json = JsonSerializer.Serialize(new { jsonrpc = "2.0", id, method = "tools/call", @params = new { name = "submit_picture", arguments = new { image } } });
        var request = new HttpRequestMessage(HttpMethod.Post, "/mcp") { Content = new StringContent(json, System.Text.Encoding.UTF8, "application/json") };
        request.Headers.Accept.ParseAdd("application/json, text/event-stream");
        return request;
    }
}
