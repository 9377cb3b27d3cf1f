using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Spotter.EndToEnd.Aws;

/// <summary>A service in the place of other earlier services' workers: <c>--compat s3</c>, <c>s1</c> and <c>s0</c>.</summary>
public sealed class OldServicesTests : IAsyncLifetime
{
    private readonly TemporaryFolder folder = new();
    private MotoServer moto = null!;
    private OldBot old = null!;

    public async Task InitializeAsync()
    {
        if (MotoServer.Missing is not null)
            return;
        moto = await MotoServer.StartAsync();
        old = await OldBot.StartAsync(moto);
    }

    public async Task DisposeAsync()
    {
        if (moto is not null)
            await moto.DisposeAsync();
        folder.Dispose();
    }

    [MotoFact]
    public async Task A_web_tier_gets_its_own_answer_to_each_request_and_a_text_for_each_file()
    {
        await using var service = await ServeAsync(
            PatchModel.WriteClassifier(folder.File("colours.onnx")),
            ["--compat", "s3", "--messages-result-queue", OldBot.Results, "--messages-output-bucket", OldBot.Outputs]);
        var asked = new Dictionary<string, string>(StringComparer.Ordinal) { ["r1"] = "red.png", ["r2"] = "blue.b.png" };
        await old.PutAsync("red.png", Pictures.Colour(255, 0, 0));
        await old.PutAsync("blue.b.png", Pictures.Colour(0, 0, 255));

        foreach (var (id, name) in asked)
            await old.SendAsync(new JsonObject { ["filename"] = name, ["request_id"] = id }.ToJsonString());

        var answers = new SortedDictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < asked.Count; i++)
        {
            var answer = await old.HearAsync();
            var read = JsonDocument.Parse(answer).RootElement;
            var (id, label) = (read.GetProperty("request_id").GetString()!, read.GetProperty("classifier_output").GetString()!);
            answer.ShouldBe($$"""{"request_id":"{{id}}","classifier_output":"{{label}}"}""");
            answers[id] = label;
        }
        answers["r1"].Equals(answers["r2"], StringComparison.Ordinal).ShouldBeFalse();
        (await old.OutputAsync("red")).ShouldBe($"red,{answers["r1"]}");
        (await old.OutputAsync("blue.b")).ShouldBe($"blue.b,{answers["r2"]}");

        // Another file of the same stem leaves the first one's text alone, and the same file again writes over its own.
        await old.PutAsync("red.gif", Pictures.Colour(0, 0, 255));
        await old.SendAsync("""{"filename":"red.gif","request_id":"r3"}""");
        JsonDocument.Parse(await old.HearAsync()).RootElement.GetProperty("classifier_output").GetString().ShouldBe(answers["r2"]);
        await old.SendAsync("""{"filename":"red.png","request_id":"r4"}""");
        await old.HearAsync();
        (await old.OutputAsync("red")).ShouldBe($"red,{answers["r1"]}");
        (await old.OutputAsync("red.gif")).ShouldBe($"red,{answers["r2"]}");

        foreach (var (name, id) in (IEnumerable<(string, string)>)[("missing.png", "r5"), ("../red.png", "r6"), ("$(reboot).png", "r7")])
        {
            await old.SendAsync(new JsonObject { ["filename"] = name, ["request_id"] = id }.ToJsonString());
            var answer = JsonDocument.Parse(await old.HearAsync()).RootElement;
            answer.GetProperty("request_id").GetString().ShouldBe(id);
            answer.GetProperty("classifier_output").GetString()!.ShouldStartWith("error: ");
        }
        var dropped = await old.SendAsync("""{"filename":"red.png"}""");
        await old.EmptyAsync();
        service.Log.ShouldContain($"The message {dropped} is dropped");
        (await service.TerminateAsync()).ShouldBe(0, service.Log);
    }

    [MotoFact]
    public async Task A_bot_that_is_called_is_called_once_there_is_a_row()
    {
        await using var bot = await CalledBot.StartAsync(old);
        await using var service = await ServeAsync(
            PatchModel.Write(folder.File("patches.onnx")), ["--compat", "s1", "--messages-table", OldBot.Table, "--messages-bot", bot.Address, "--callback-allow", bot.Address["http://".Length..]]);
        await old.PutAsync("images/photo.jpg", Pictures.Png(200));

        var id = await old.SendAsync("""{"img_name":"photo.jpg","chat_id":4711}""");
        var missing = await old.SendAsync("""{"img_name":"missing.jpg","chat_id":4712}""");

        await Eventually.BeAsync("both are called", () => bot.Calls.Count >= 2, TimeSpan.FromSeconds(60));
        await old.EmptyAsync();
        bot.Calls.Select(c => c.Id).Order(StringComparer.Ordinal).ShouldBe(new[] { id, missing }.Order(StringComparer.Ordinal));
        bot.Calls.ShouldAllBe(c => c.Method == "POST" && c.HasRow);
        var rows = (await old.RowsAsync()).ToDictionary(r => r.GetProperty("predictionId").GetProperty("S").GetString()!, StringComparer.Ordinal);
        rows[id].GetProperty("chatId").GetProperty("N").GetString().ShouldBe("4711");
        rows[id].GetProperty("labels").GetProperty("L").GetArrayLength().ShouldBe(2);
        rows[id].TryGetProperty("error", out _).ShouldBeFalse();
        rows[missing].GetProperty("error").GetProperty("S").GetString().ShouldNotBeNull().ShouldContain("not where its message says");
        (await service.TerminateAsync()).ShouldBe(0, service.Log);
    }

    [MotoFact]
    public async Task A_bot_whose_message_is_a_text_finds_its_picture_under_the_id_of_the_message()
    {
        await using var service = await ServeAsync(PatchModel.Write(folder.File("patches.onnx")), ["--compat", "s0", "--messages-table", OldBot.Table]);
        var picture = Pictures.Png(200);
        await old.PutAsync("data/images/a.b.jpg", picture);

        var id = await old.SendAsync("a.b.jpg", chat: "-100");
        var byKey = await old.SendAsync("data/images/a.b.jpg", chat: "7");
        var missing = await old.SendAsync("missing.jpg", chat: "8");
        var nobody = await old.SendAsync("a.b.jpg");
        await old.EmptyAsync();
        var rows = (await Eventually.SeeAsync("all that were asked for have rows", old.RowsAsync, all => all.Count == 3, TimeSpan.FromSeconds(60)))
            .ToDictionary(r => r.GetProperty("predictionId").GetProperty("S").GetString()!, StringComparer.Ordinal);

        rows.Keys.Order(StringComparer.Ordinal).ShouldBe(new[] { id, byKey, missing }.Order(StringComparer.Ordinal));
        rows[id].GetProperty("chatId").GetProperty("N").GetString().ShouldBe("-100");
        rows[id].GetProperty("originalImgPath").GetProperty("S").GetString().ShouldBe("data/images/a.b.jpg");
        rows[id].GetProperty("predictedImgPath").GetProperty("S").GetString().ShouldBe($"static/data/{id}/a.b.jpg");
        rows[id].GetProperty("labels").GetProperty("L").GetArrayLength().ShouldBe(2);
        rows[missing].GetProperty("error").GetProperty("S").GetString().ShouldNotBeNull().ShouldContain("not where its message says");
        // The original stays, and what was drawn lies elsewhere.
        (await old.PictureAsync("data/images/a.b.jpg")).ShouldBe(picture);
        foreach (var drawn in (string[])[id, byKey])
            (await old.PictureAsync($"static/data/{drawn}/a.b.jpg")).ShouldNotBeNull().ShouldNotBe(picture);
        service.Log.ShouldContain($"The message {nobody} is dropped: its 'chat_id' is missing");
        (await service.TerminateAsync()).ShouldBe(0, service.Log);
    }

    [MotoTheory]
    [InlineData("--messages-request-queue", "none", "There is no SQS queue 'none'; make it, or correct its name or region")]
    [InlineData("--messages-result-queue", "none", "There is no SQS queue 'none'; make it, or correct its name or region")]
    [InlineData("--messages-bucket", "none-such", "There is no S3 bucket 'none-such'; make it, or correct its name or region")]
    [InlineData("--messages-table", "none", "There is no DynamoDB table 'none'; make it, or correct its name or region")]
    public async Task What_is_not_there_is_refused_at_start_and_seen_by_the_doctor(string flag, string name, string words)
    {
        string[] parts = [.. BotWith(flag, name)];
        var (status, _, errors) = await SpotterProgram.RunWithAsync(Environment, ["serve", "--port", "0", "--data", folder.File("data"), "--model", PatchModel.Write(folder.File("patches.onnx")), .. parts]);
        status.ShouldBe(1, errors);
        errors.ShouldContain($"spotter: {words}");

        var doctor = await SpotterProgram.RunWithAsync(Environment, ["doctor", "--json", "--data", folder.File("data"), .. parts]);
        var findings = doctor.Output.Split('\n').Where(line => line.Contains("earlier service's", StringComparison.Ordinal)).Select(line => JsonDocument.Parse(line).RootElement).ToList();
        findings.Count.ShouldBe(4, doctor.Output);
        var wrong = findings.Where(f => f.GetProperty("health").GetString() != "ok").ToList();
        wrong.ShouldHaveSingleItem().GetProperty("detail").GetString().ShouldNotBeNull().ShouldStartWith(words);
        (await old.RowsAsync()).ShouldBeEmpty("looking changes nothing");
    }

    [MotoFact]
    public async Task What_nobody_can_answer_is_left_for_the_dead_letter_queue_where_there_is_one()
    {
        var dead = (await moto.CallAsync("AmazonSQS.CreateQueue", new JsonObject { ["QueueName"] = "dead" })).GetProperty("QueueUrl").GetString()!;
        await moto.CallAsync("AmazonSQS.SetQueueAttributes", new JsonObject
        {
            ["QueueUrl"] = old.UrlOf(OldBot.Requests),
            ["Attributes"] = new JsonObject { ["RedrivePolicy"] = """{"deadLetterTargetArn":"arn:aws:sqs:eu-central-1:123456789012:dead","maxReceiveCount":2}""" },
        });
        await using var service = await ServeAsync(PatchModel.Write(folder.File("patches.onnx")), ["--compat", "s2", "--messages-result-queue", OldBot.Results, "--messages-table", OldBot.Table]);

        var poison = await old.SendAsync("{");

        var moved = await Eventually.SeeAsync("it is in the dead-letter queue", async () =>
        {
            var answer = await moto.CallAsync("AmazonSQS.ReceiveMessage", new JsonObject { ["QueueUrl"] = dead });
            return answer.TryGetProperty("Messages", out var messages) ? messages.GetRawText() : "";
        }, text => text.Length > 0 && text.Contains("MessageId", StringComparison.Ordinal), TimeSpan.FromSeconds(60));
        moved.ShouldContain(poison);
        service.Log.ShouldContain($"The message {poison} is left for its dead-letter queue");
        (await service.TerminateAsync()).ShouldBe(0, service.Log);
    }

    private static IReadOnlyDictionary<string, string> Environment => new Dictionary<string, string>(MotoServer.Credentials, StringComparer.Ordinal) { ["AWS_REGION"] = "eu-central-1" };

    private IEnumerable<string> BotWith(string flag, string value)
    {
        var parts = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["--messages-request-queue"] = OldBot.Requests, ["--messages-bucket"] = OldBot.Bucket, ["--messages-endpoint"] = moto.Address.ToString(),
            ["--compat"] = "s2", ["--messages-result-queue"] = OldBot.Results, ["--messages-table"] = OldBot.Table,
        };
        parts[flag] = value;
        return parts.SelectMany(p => (string[])[p.Key, p.Value]);
    }

    private Task<SpotterProcess> ServeAsync(string model, string[] more) => SpotterProcess.StartAsync(
        folder.File("data"), model,
        ["--messages-request-queue", OldBot.Requests, "--messages-bucket", OldBot.Bucket, "--messages-endpoint", moto.Address.ToString(), "--max-workers", "1", "--lanes", "2", .. more],
        Environment);

    /// <summary>A bot whose <c>/results</c> takes POST, as later ones did, and looks up the row.</summary>
    private sealed class CalledBot : IAsyncDisposable
    {
        private readonly WebApplication web;

        private CalledBot(OldBot rows)
        {
            var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
            builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
            web = builder.Build();
            web.Run(async http =>
            {
                if (http.Request.Method != "POST" || http.Request.Path != "/results")
                {
                    http.Response.StatusCode = (int)HttpStatusCode.MethodNotAllowed;
                    return;
                }
                var id = http.Request.Query["predictionId"].ToString();
                var hasRow = (await rows.RowsAsync()).Exists(r => r.GetProperty("predictionId").GetProperty("S").GetString() == id);
                Calls.Enqueue((id, http.Request.Method, hasRow));
                await http.Response.WriteAsync("Ok");
            });
        }

        public ConcurrentQueue<(string Id, string Method, bool HasRow)> Calls { get; } = new();

        public string Address => web.Urls.First();

        public static async Task<CalledBot> StartAsync(OldBot rows)
        {
            var bot = new CalledBot(rows);
            await bot.web.StartAsync();
            return bot;
        }

        public ValueTask DisposeAsync() => web.DisposeAsync();
    }
}
