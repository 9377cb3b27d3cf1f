using System.Globalization;
using System.Text.Json;

namespace Spotter.EndToEnd.Aws;

/// <summary>A service in the place of an earlier bot's workers: <c>--compat s2</c>. The bot knows nothing of it.</summary>
public sealed class BotMessagesTests : IAsyncLifetime
{
    private readonly TemporaryFolder folder = new();
    private MotoServer moto = null!;
    private AwsProxy proxy = null!;
    private OldBot bot = null!;

    public async Task InitializeAsync()
    {
        if (MotoServer.Missing is not null)
            return;
        moto = await MotoServer.StartAsync();
        proxy = await AwsProxy.StartAsync(moto.Address);
        bot = await OldBot.StartAsync(moto);
    }

    public async Task DisposeAsync()
    {
        if (moto is not null)
        {
            await proxy.DisposeAsync();
            await moto.DisposeAsync();
        }
        folder.Dispose();
    }

    [MotoFact]
    public async Task A_picture_and_a_message_give_a_row_a_picture_and_a_result()
    {
        await using var service = await ServeAsync();
        var picture = Pictures.Png(200);

        var id = await bot.AskAsync("-1001234567890", "a.b.jpg", picture);

        var result = await bot.HearAsync();
        var row = (await bot.RowsAsync()).ShouldHaveSingleItem();
        var time = TextOf(row, "time", "N");
        const string Square = """{"class":"square","cx":0.25,"cy":0.25,"width":0.25,"height":0.25}""";
        const string Oblong = """{"class":"oblong","cx":0.6875,"cy":0.625,"width":0.375,"height":0.5}""";
        result.ShouldBe(
            $$"""{"message":{"prediction_id":"{{id}}","chat":{"id":"-1001234567890"},"photo":true,"caption":"prediction_result","status_code":200,"text":"""
            + $$"""{"prediction_id":"{{id}}","original_img_path":"images/a.b.jpg","predicted_img_path":"images/a.b.jpg","labels":[{{Square}},{{Oblong}}],"time":{{time}},"summary":"square: 1\noblong: 1\n"}""" + "}}");
        row.EnumerateObject().Select(a => a.Name).Order(StringComparer.Ordinal).ShouldBe(["chatId", "labels", "originalImgPath", "predictedImgPath", "predictionId", "time"]);
        TextOf(row, "predictionId", "S").ShouldBe(id);
        TextOf(row, "chatId", "N").ShouldBe("-1001234567890");
        TextOf(row, "predictedImgPath", "S").ShouldBe("images/a.b.jpg");
        double.Parse(time, CultureInfo.InvariantCulture).ShouldBeGreaterThan(1_700_000_000);
        ClassesOf(row).ShouldBe(["square", "oblong"]);
        // The bot sends into the chat what lies where the row says that the original is.
        var sent = (await bot.PictureAsync(TextOf(row, "originalImgPath", "S"))).ShouldNotBeNull();
        sent.ShouldNotBe(picture);
        (await bot.PictureAsync("images/original/a.b.jpg")).ShouldBe(picture);

        // The same once more, by another message: the annotated picture that lies there by now is not looked at.
        await bot.SendAsync("""{"chatId": "-1001234567890", "imgName": "a.b.jpg"}""");

        TextObjectOf(await bot.HearAsync()).GetProperty("labels").GetRawText().ShouldBe($"[{Square},{Oblong}]");
        (await bot.PictureAsync("images/original/a.b.jpg")).ShouldBe(picture);
        await bot.EmptyAsync();
        (await service.TerminateAsync()).ShouldBe(0, service.Log);
    }

    [MotoFact]
    public async Task A_picture_of_a_name_that_had_another_one_keeps_both_originals()
    {
        await using var service = await ServeAsync();
        var pictures = (byte[][])[Pictures.Png(180), Pictures.Png(220)];
        var ids = new List<string>();
        foreach (var picture in pictures)
        {
            ids.Add(await bot.AskAsync("7", "photo.jpg", picture));
            TextObjectOf(await bot.HearAsync()).GetProperty("prediction_id").GetString().ShouldBe(ids[^1]);
        }

        (await bot.PictureAsync("images/original/photo.jpg")).ShouldBe(pictures[0]);
        (await bot.PictureAsync($"images/original/{ids[1]}-photo.jpg")).ShouldBe(pictures[1]);

        // The name once more: the original of what lies there by now is looked at.
        using var api = new SpotterApi(service.Address);
        await bot.SendAsync("""{"chatId": "7", "imgName": "photo.jpg"}""");
        await bot.HearAsync();
        var last = SpotterApi.IdOf((await api.ListAsync())[0]);
        (await api.GetAsync($"/v1/jobs/{last}/original")).Bytes.ShouldBe(pictures[1]);
    }

    [MotoFact]
    public async Task A_message_that_comes_again_makes_one_job_one_row_and_one_result()
    {
        var deletions = 0;
        // What deletes the message is lost until it has come a second time and more.
        proxy.Fault = call => call is { Operation: "DeleteMessage", Target: OldBot.Requests } && Interlocked.Increment(ref deletions) <= 8 ? AwsFault.CutBefore : null;
        await using var service = await ServeAsync();
        using var api = new SpotterApi(service.Address);

        var id = await bot.AskAsync("7", "photo.jpg", Pictures.Png(180));

        await bot.EmptyAsync();
        deletions.ShouldBeGreaterThan(8);
        TextObjectOf(await bot.HearAsync()).GetProperty("prediction_id").GetString().ShouldBe(id);
        (await bot.TryHearAsync()).ShouldBeNull();
        (await bot.RowsAsync()).ShouldHaveSingleItem();
        (await api.ListAsync()).Count.ShouldBe(1);
        (await bot.PictureAsync("images/original/photo.jpg")).ShouldBe(Pictures.Png(180));
    }

    [MotoFact]
    public async Task What_cannot_be_done_is_said_and_stops_nothing()
    {
        await using var service = await ServeAsync();
        var none = await bot.SendAsync("""{"chatId":"1","imgName":"missing.jpg"}""");
        Expect(await bot.HearAsync(), none, "1", 404, "not where its message says");

        var broken = await bot.AskAsync("2", "broken.jpg", "no picture at all"u8.ToArray());
        Expect(await bot.HearAsync(), broken, "2", 415, "");
        (await bot.PictureAsync("images/broken.jpg")).ShouldBe("no picture at all"u8.ToArray());

        var cut = await bot.AskAsync("3", "cut.png", Pictures.Png(200)[..60]);
        Expect(await bot.HearAsync(), cut, "3", 422, "");

        foreach (var name in (string[])["../../etc/passwd", "original/a.jpg", "a//b.jpg", "a\\u0000.jpg"])
        {
            var hostile = await bot.SendAsync($$"""{"chatId":"4","imgName":"{{name}}"}""");
            Expect(await bot.HearAsync(), hostile, "4", 400, "name");
        }
        var dropped = new List<string>();
        foreach (var body in (string[])["{", "[1]", "null", """{"imgName":"a.jpg"}""", """{"chatId":"no number","imgName":"a.jpg"}""", """{"chatId":"\ud800","imgName":"a.jpg"}"""])
            dropped.Add(await bot.SendAsync(body));

        await bot.EmptyAsync();
        foreach (var message in dropped)
            service.Log.ShouldContain($"The message {message} is dropped");
        // After all of that a shell's words are a name like any other.
        var id = await bot.AskAsync("5", "$(reboot);'.jpg", Pictures.Png(200));
        TextObjectOf(await bot.HearAsync()).GetProperty("prediction_id").GetString().ShouldBe(id);
        (await bot.TryHearAsync()).ShouldBeNull();
        (await bot.RowsAsync()).Count.ShouldBe(1);
        (await service.TerminateAsync()).ShouldBe(0, service.Log);
    }

    [MotoFact]
    public async Task Nothing_found_is_no_error()
    {
        await using var service = await ServeAsync(oblong: 0.01f);

        await bot.AskAsync("9", "dark.png", Pictures.Png(0));

        var text = TextObjectOf(await bot.HearAsync());
        text.GetProperty("labels").GetArrayLength().ShouldBe(0);
        text.GetProperty("summary").GetString().ShouldBe("No objects were found in this picture.");
        ClassesOf((await bot.RowsAsync()).ShouldHaveSingleItem()).ShouldBeEmpty();
        (await bot.PictureAsync("images/dark.png")).ShouldNotBeNull();
    }

    private Task<SpotterProcess> ServeAsync(float oblong = 0.6f) => SpotterProcess.StartAsync(
        folder.File("data"), PatchModel.Write(folder.File("patches.onnx"), oblong: oblong),
        [
            "--compat", "s2", "--messages-request-queue", OldBot.Requests, "--messages-result-queue", OldBot.Results, "--messages-bucket", OldBot.Bucket, "--messages-table", OldBot.Table,
            "--messages-endpoint", proxy.Address.ToString(), "--max-workers", "1", "--lanes", "2",
        ],
        new Dictionary<string, string>(MotoServer.Credentials, StringComparer.Ordinal) { ["AWS_REGION"] = "eu-central-1" });

    private static void Expect(string result, string id, string chat, int status, string words)
    {
        var message = JsonDocument.Parse(result).RootElement.GetProperty("message");
        message.GetProperty("prediction_id").GetString().ShouldBe(id);
        message.GetProperty("chat").GetProperty("id").GetString().ShouldBe(chat);
        message.GetProperty("status_code").GetInt32().ShouldBe(status, result);
        message.GetProperty("text").GetString().ShouldNotBeNull().ShouldContain(words);
    }

    /// <summary>What the bot reads of a good result.</summary>
    private static JsonElement TextObjectOf(string result)
    {
        var message = JsonDocument.Parse(result).RootElement.GetProperty("message");
        message.GetProperty("status_code").GetInt32().ShouldBe(200, result);
        return message.GetProperty("text");
    }

    private static string TextOf(JsonElement row, string attribute, string type) => row.GetProperty(attribute).GetProperty(type).GetString()!;

    private static List<string> ClassesOf(JsonElement row) =>
        [.. row.GetProperty("labels").GetProperty("L").EnumerateArray().Select(l => TextOf(l.GetProperty("M"), "class", "S"))];
}
