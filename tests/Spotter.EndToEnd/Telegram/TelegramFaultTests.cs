using System.Diagnostics;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Xunit.Abstractions;

namespace Spotter.EndToEnd.Telegram;

/// <summary>The bot when things break: a killed gateway, a Telegram that is away or asks to wait, updates that come many times.</summary>
public sealed class TelegramFaultTests(ITestOutputHelper output)
{
    private const long Chat = 42;
    private const string Found = "Detected Objects:\nSquare: 1\n";

    private static readonly byte[] Square = Pictures.Png(200);

    [Theory]
    [InlineData("message-taken")]
    [InlineData("telegram-placeholder-noted")]
    [InlineData("telegram-submitted")]
    [InlineData("message-handled")]
    [InlineData("delivery-taken")]
    [InlineData("delivery-sent")]
    public async Task Killed_at_any_step_the_bot_gives_one_answer_in_the_place_of_one_placeholder(string step)
    {
        await using var telegram = await TelegramService.StartAsync(starts: false);
        var once = telegram.Shared("failed");
        var service = await telegram.StartServiceAsync(new Dictionary<string, string>(StringComparer.Ordinal) { ["SPOTTER_FAILPOINT"] = $"{step}=kill", ["SPOTTER_FAILPOINT_FILE"] = once });
        telegram.Bot.Push(telegram.Bot.Photo(Chat, Square, "predict"));
        await service.ExitAsync();

        await telegram.StartServiceAsync(Quick);
        var answers = await telegram.Bot.AnswersAsync(Chat);

        answers.ShouldHaveSingleItem().Text.ShouldBe(Found);
        telegram.Bot.Calls.Count(c => c is { Chat: Chat, Method: "sendMessage" }).ShouldBe(1);
        using var api = new SpotterApi(telegram.Service.Address);
        (await api.ListAsync()).ShouldHaveSingleItem().GetProperty("attempts").GetInt32().ShouldBe(1);
    }

    [Fact]
    public async Task An_album_whose_parts_come_over_several_pages_with_a_kill_in_between_has_one_answer()
    {
        await using var telegram = await TelegramService.StartAsync(starts: false, albumWait: "4");
        var service = await telegram.StartServiceAsync(Quick);
        var parts = Enumerable.Range(0, 4).Select(i => telegram.Bot.Update(telegram.Bot.Photo(Chat, Pictures.Png(100, 10 + i, 30), i == 3 ? "concat left-to-right" : null, album: "a"))).ToList();
        telegram.Bot.Push(parts.Take(2));
        await Eventually.BeAsync("the first parts are confirmed", () => telegram.Bot.Waiting == 0, TimeSpan.FromSeconds(30));
        await service.KillAsync();

        await telegram.StartServiceAsync(Quick);
        telegram.Bot.Push(parts.Skip(2).Concat(parts));

        var answer = (await telegram.Bot.AnswersAsync(Chat)).ShouldHaveSingleItem();
        answer.Size.ShouldBe((10 + 11 + 12 + 13, 30));
    }

    [PostgresFact]
    public async Task An_album_whose_parts_come_to_different_gateways_has_one_answer_and_one_gateway_fetches()
    {
        using var cluster = PostgresCluster.Start();
        await using var telegram = await TelegramService.StartAsync(starts: false);
        string[] shared = ["--backend", "postgres", "--blobs", $"folder:{telegram.Shared("blobs")}"];
        var settings = new Dictionary<string, string>(Quick, StringComparer.Ordinal) { ["SPOTTER__POSTGRES__URL"] = cluster.Url };
        await telegram.StartServiceAsync(settings, "first", shared);
        await telegram.StartServiceAsync(settings, "second", shared);
        // One of them at a time: the other's call would be refused.
        telegram.Bot.Push(telegram.Bot.Message(Chat + 1, "hi"));
        await telegram.Bot.AnswersAsync(Chat + 1);

        var set = await SpotterProgram.RunAsync("telegram", "set", "--telegram-token-file", telegram.TokenFile, "--telegram-api", telegram.Bot.Address.ToString(), "--telegram-public-url", "https://spotter.example");
        set.Status.ShouldBe(0, set.Errors);
        telegram.Bot.Webhook!["url"]!.GetValue<string>().ShouldBe("https://spotter.example/telegram/webhook");
        var secret = telegram.Bot.Webhook!["secret_token"]!.GetValue<string>();
        var gateways = telegram.Services;
        var updates = Enumerable.Range(0, 4).Select(i => telegram.Bot.Update(telegram.Bot.Photo(Chat, Pictures.Png(100, 20, 30), i == 2 ? "concat" : null, album: "a"))).ToList();
        var answers = await Task.WhenAll(updates.SelectMany((update, i) => new[] { PostAsync(gateways[i % 2], update, secret), PostAsync(gateways[(i + 1) % 2], update, secret) }));

        answers.ShouldAllBe(a => a.Status == HttpStatusCode.OK);
        (await telegram.Bot.AnswersAsync(Chat)).ShouldHaveSingleItem().Size.ShouldBe((80, 30));
        telegram.Log.ShouldNotContain(FakeBotApi.Token.Split(':')[1]);
    }

    [Fact]
    public async Task A_webhook_takes_what_shows_the_secret_once_and_answers_before_it_is_dealt_with()
    {
        await using var telegram = await TelegramService.StartAsync(["--telegram-public-url", "http://spotter.example:8443/"]);
        await Eventually.BeAsync("the webhook is set", () => telegram.Bot.Webhook is not null);
        var hook = telegram.Bot.Webhook!;
        hook["url"]!.GetValue<string>().ShouldBe("http://spotter.example:8443/telegram/webhook");
        hook["allowed_updates"]!.GetValue<string>().ShouldBe("""["message","edited_message","callback_query"]""");
        var secret = hook["secret_token"]!.GetValue<string>();
        var update = telegram.Bot.Update(telegram.Bot.Photo(Chat, Square, "predict"));

        (await PostAsync(telegram.Service, update, secret: null)).ShouldBe((HttpStatusCode.Unauthorized, "This address takes updates from Telegram only."));
        (await PostAsync(telegram.Service, update, secret: secret[..^1])).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await PostAsync(telegram.Service, new JsonObject { ["update_id"] = 1, ["poll"] = new JsonObject() }, secret)).ShouldBe((HttpStatusCode.BadRequest, "No message"));
        telegram.Bot.Calls.ShouldAllBe(c => c.Chat == 0);
        var answers = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => PostAsync(telegram.Service, update, secret)));
        answers.ShouldAllBe(a => a.Status == HttpStatusCode.OK && a.Body == "Ok");
        (await telegram.Bot.AnswersAsync(Chat)).ShouldHaveSingleItem().Text.ShouldBe(Found);
        (await PostAsync(telegram.Service, update, secret)).Status.ShouldBe(HttpStatusCode.OK);
        telegram.Bot.Push(telegram.Bot.Message(Chat, "not fetched"));
        (await PostAsync(telegram.Service, telegram.Bot.Update(telegram.Bot.Message(Chat, "last")), secret)).Status.ShouldBe(HttpStatusCode.OK);
        (await telegram.Bot.AnswersAsync(Chat, 2)).Select(a => a.Text).ShouldBe([Found, "Your original message: last"]);
    }

    [Fact]
    public async Task Two_thousand_updates_that_come_at_once_are_taken_and_answered_once_each()
    {
        const int Updates = 2000;
        await using var telegram = await TelegramService.StartAsync(["--telegram-public-url", "http://spotter.example:8443/"]);
        await Eventually.BeAsync("the webhook is set", () => telegram.Bot.Webhook is not null);
        var secret = telegram.Bot.Webhook!["secret_token"]!.GetValue<string>();
        var updates = Enumerable.Range(0, Updates).Select(i => telegram.Bot.Update(telegram.Bot.Message(10_000 + (i % 500), $"text {i}")).ToJsonString()).ToList();
        using var http = new HttpClient();
        var refused = 0;
        var clock = Stopwatch.StartNew();
        await Parallel.ForEachAsync(updates, new ParallelOptions { MaxDegreeOfParallelism = 64 }, async (update, cancel) =>
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(telegram.Service.Address, "/telegram/webhook")) { Content = new StringContent(update, Encoding.UTF8, "application/json") };
            request.Headers.Add("X-Telegram-Bot-Api-Secret-Token", secret);
            using var answer = await http.SendAsync(request, cancel);
            if (answer.StatusCode != HttpStatusCode.OK)
                Interlocked.Increment(ref refused);
        });
        output.WriteLine($"{Updates / clock.Elapsed.TotalSeconds:0} updates a second taken in");

        refused.ShouldBe(0);
        await Eventually.BeAsync("all are answered", () => telegram.Bot.Calls.Count(c => c.Method == "sendMessage") >= Updates, TimeSpan.FromSeconds(120));
        telegram.Bot.Calls.Where(c => c.Method == "sendMessage").Select(c => c.Text("text")!).Order(StringComparer.Ordinal)
            .ShouldBe(Enumerable.Range(0, Updates).Select(i => $"Your original message: text {i}").Order(StringComparer.Ordinal));
        output.WriteLine($"{Updates / clock.Elapsed.TotalSeconds:0} a second taken in and answered");
    }

    [Fact]
    public async Task What_Telegram_asks_to_wait_for_is_waited_for_by_all_of_the_chat_and_after_a_restart()
    {
        await using var telegram = await TelegramService.StartAsync(starts: false);
        const int Seconds = 6;
        var allowedAt = long.MaxValue;
        var early = 0;
        var asked = 0;
        telegram.Bot.Intercept = call =>
        {
            if (call.Chat != Chat)
                return null;
            if (Interlocked.Increment(ref asked) == 1)
            {
                allowedAt = Stopwatch.GetTimestamp() + (Seconds * Stopwatch.Frequency);
                return FakeBotApi.Refusal(429, $"Too Many Requests: retry after {Seconds}", new JsonObject { ["retry_after"] = Seconds });
            }
            if (Stopwatch.GetTimestamp() < allowedAt)
                Interlocked.Increment(ref early);
            return null;
        };
        var service = await telegram.StartServiceAsync(Quick);
        telegram.Bot.Push(telegram.Bot.Message(Chat, "one"));
        telegram.Bot.Push(telegram.Bot.Photo(Chat, Square, "predict"));
        await Eventually.BeAsync("it was asked to wait", () => Volatile.Read(ref asked) == 1);
        telegram.Bot.Push(telegram.Bot.Message(Chat + 1, "others"));
        (await telegram.Bot.AnswersAsync(Chat + 1)).ShouldHaveSingleItem();
        (await service.TerminateAsync()).ShouldBe(0);

        await telegram.StartServiceAsync(Quick);

        (await telegram.Bot.AnswersAsync(Chat, 2)).Select(a => a.Text).ShouldBe(["Your original message: one", Found]);
        early.ShouldBe(0);
    }

    [Fact]
    public async Task While_Telegram_is_away_nothing_is_lost_and_answers_come_when_it_is_back()
    {
        await using var telegram = await TelegramService.StartAsync(starts: false);
        var isAway = false;
        telegram.Bot.Intercept = call => Volatile.Read(ref isAway) && call.Method != "getUpdates" ? FakeBotApi.Refusal(502, "Bad Gateway") : null;
        var service = await telegram.StartServiceAsync(Quick);
        telegram.Bot.Push(telegram.Bot.Photo(Chat, Square, "predict"));
        await telegram.Bot.AnswersAsync(Chat);
        Volatile.Write(ref isAway, true);
        telegram.Bot.Push(telegram.Bot.Photo(Chat, Square, "rotate"));
        await Eventually.BeAsync("it was tried in vain", () => telegram.Bot.Calls.Count(c => c is { Chat: Chat, Method: "sendMessage" }) >= 2, TimeSpan.FromSeconds(30));
        await service.KillAsync();
        Volatile.Write(ref isAway, false);

        await telegram.StartServiceAsync(Quick);

        (await telegram.Bot.AnswersAsync(Chat, 2)).Select(a => a.Kind).ShouldBe(["photo", "photo"]);
    }

    [Fact]
    public async Task A_placeholder_that_was_deleted_gets_its_answer_anew_and_who_blocked_the_bot_gets_none()
    {
        await using var telegram = await TelegramService.StartAsync();
        telegram.Bot.Intercept = call => call switch
        {
            { Chat: Chat, Method: "editMessageMedia" } => FakeBotApi.Refusal(400, "Bad Request: message to edit not found"),
            { Chat: Chat + 1 } => FakeBotApi.Refusal(403, "Forbidden: bot was blocked by the user"),
            _ => null,
        };
        telegram.Bot.Push(telegram.Bot.Photo(Chat + 1, Square, "predict"));
        telegram.Bot.Push(telegram.Bot.Photo(Chat, Square, "predict"));

        (await telegram.Bot.AnswersAsync(Chat)).ShouldHaveSingleItem().Sent.Method.ShouldBe("sendPhoto");
        using var api = new SpotterApi(telegram.Service.Address);
        (await api.ListAsync()).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Updates_of_a_later_Bot_API_neither_end_the_service_nor_keep_others_from_coming()
    {
        await using var telegram = await TelegramService.StartAsync();
        telegram.Bot.Push(telegram.Bot.Message(Chat, "new", m => m["entities"] = new JsonArray(new JsonObject { ["type"] = "of_a_later_api", ["offset"] = 0, ["length"] = 3 })));
        telegram.Bot.Push(telegram.Bot.Message(Chat, "unreadable", m => m["forward_origin"] = new JsonObject { ["type"] = "of_a_later_api", ["date"] = 1_750_000_000 }));
        telegram.Bot.Push(telegram.Bot.Message(Chat, "last"));

        (await telegram.Bot.AnswersAsync(Chat, 2)).Select(a => a.Text).ShouldBe(["Your original message: new", "Your original message: last"]);

        telegram.Log.ShouldContain("can't be read, so it is left out");
    }

    [Fact]
    public async Task What_a_chat_refuses_for_good_holds_nothing_of_it_up_and_is_logged()
    {
        await using var telegram = await TelegramService.StartAsync();
        telegram.Bot.Intercept = call => call.Text("text") == "Your original message: one" ? FakeBotApi.Refusal(400, "Bad Request: message thread not found") : null;
        telegram.Bot.Push(telegram.Bot.Message(Chat, "one"));
        telegram.Bot.Push(telegram.Bot.Message(Chat, "two"));

        (await telegram.Bot.AnswersAsync(Chat)).ShouldHaveSingleItem().Text.ShouldBe("Your original message: two");

        telegram.Bot.Calls.Count(c => c.Text("text") == "Your original message: one").ShouldBe(1);
        telegram.Log.ShouldContain("is given up: Telegram refuses it: Bad Request: message thread not found");
    }

    [Fact]
    public async Task A_Bot_API_server_of_ones_own_says_where_files_lie_and_leads_nowhere_else()
    {
        await using var telegram = await TelegramService.StartAsync();
        string Lie(params string[] path)
        {
            var file = Path.Combine([telegram.Shared("server"), .. path]);
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllBytes(file, Square);
            return file;
        }
        var places = new Dictionary<string, string>(StringComparer.Ordinal);
        telegram.Bot.Intercept = call => call.Method != "getFile" ? null : (200, new JsonObject
        {
            ["ok"] = true, ["result"] = new JsonObject { ["file_id"] = "f", ["file_unique_id"] = "u", ["file_path"] = places[call.Text("file_id")!] },
        });
        void Push(string place)
        {
            var photo = telegram.Bot.Photo(Chat, Square, "predict");
            places[photo["photo"]![1]!["file_id"]!.GetValue<string>()] = place;
            telegram.Bot.Push(photo);
        }
        Push(Lie(FakeBotApi.Token, "photos", "file_1.png"));
        Push(Lie("elsewhere.png"));
        Push(Path.Combine(telegram.Shared("server"), FakeBotApi.Token, "..", "elsewhere.png"));
        Push(Path.Combine(telegram.Shared("server"), FakeBotApi.Token, "photos", "none.png"));

        var answers = await telegram.Bot.AnswersAsync(Chat, 4);

        answers[0].Text.ShouldBe(Found);
        answers[1].Text!.ShouldContain("outside of the bot's folder");
        answers[2].Text!.ShouldContain("outside of the bot's folder");
        answers[3].Text!.ShouldContain("in a folder that Spotter can't read");
        answers.ShouldAllBe(a => !a.Text!.Contains(FakeBotApi.Token));
    }

    [Fact]
    public async Task Only_the_chats_that_are_named_are_served()
    {
        await using var telegram = await TelegramService.StartAsync(["--telegram-chat", "42"]);
        telegram.Bot.Push(telegram.Bot.Photo(-77, Square, "predict"));
        telegram.Bot.Push(telegram.Bot.Photo(Chat, Square, "predict"));

        (await telegram.Bot.AnswersAsync(-77)).ShouldHaveSingleItem().Text!.ShouldContain("Its number is -77.");
        (await telegram.Bot.AnswersAsync(Chat)).ShouldHaveSingleItem().Text.ShouldBe(Found);
    }

    [Fact]
    public async Task Load_is_tried_with_updates_that_no_Telegram_sent()
    {
        await using var telegram = await TelegramService.StartAsync();
        var update = telegram.Bot.Update(telegram.Bot.Message(Chat, "load"));
        using var http = new HttpClient();

        for (var i = 0; i < 3; i++)
        {
            using var content = new StringContent(update.ToJsonString(), Encoding.UTF8, "application/json");
            using var answer = await http.PostAsync(new Uri(telegram.Service.Address, "/loadTest/"), content);
            (answer.StatusCode, await answer.Content.ReadAsStringAsync()).ShouldBe((HttpStatusCode.OK, "Ok"));
        }

        (await telegram.Bot.AnswersAsync(Chat, 3)).Count.ShouldBe(3);
    }

    [Fact]
    public async Task A_token_that_is_refused_ends_the_service_with_a_sentence_that_does_not_hold_it()
    {
        await using var telegram = await TelegramService.StartAsync(starts: false);
        const string Wrong = "4711:Wr0ngTokenThatMustNotLeak";
        await File.WriteAllTextAsync(telegram.TokenFile, Wrong);

        var ended = await SpotterProgram.RunAsync(
            ["serve", "--port", "0", "--data", telegram.Shared("data"), "--telegram-token-file", telegram.TokenFile, "--telegram-api", telegram.Bot.Address.ToString()]);

        ended.Status.ShouldBe(1);
        ended.Errors.ShouldContain("refuses the Telegram token; correct it");
        ended.Errors.ShouldNotContain("ThatMustNotLeak");
    }

    [Fact]
    public async Task Status_set_and_remove_tell_and_change_where_updates_go()
    {
        await using var telegram = await TelegramService.StartAsync(starts: false);
        string[] bot = ["--telegram-token-file", telegram.TokenFile, "--telegram-api", telegram.Bot.Address.ToString()];

        var before = await SpotterProgram.RunAsync(["telegram", "status", .. bot]);
        using (var http = new HttpClient())
            (await http.GetStringAsync(new Uri(telegram.Bot.Address, $"/bot{FakeBotApi.Token}/setWebhook?url=https://old.example/{FakeBotApi.Token}/"))).ShouldContain("true");
        var old = await SpotterProgram.RunAsync(["telegram", "status", .. bot]);
        var set = await SpotterProgram.RunAsync(["telegram", "set", .. bot, "--telegram-public-url", "https://a.example"]);
        var after = await SpotterProgram.RunAsync(["telegram", "status", "--json", .. bot]);
        var removed = await SpotterProgram.RunAsync(["telegram", "remove", .. bot]);
        var none = await SpotterProgram.RunAsync(["telegram", "status", "--data", telegram.Shared("none")]);

        before.Output.ShouldBe("@spotter_test_bot: updates are fetched by the service\n0 waiting\n");
        old.Output.ShouldBe("@spotter_test_bot: updates are sent to https://old.example/<token>/\n0 waiting\n");
        (set.Status, removed.Status, telegram.Bot.Webhook).ShouldBe((0, 0, null));
        JsonNode.Parse(after.Output)!["url"]!.GetValue<string>().ShouldBe("https://a.example/telegram/webhook");
        none.Status.ShouldBe(1);
        none.Errors.ShouldContain("There is no Telegram token");
    }

    // So that what was under way when a process was killed is taken up soon.
    private static readonly Dictionary<string, string> Quick = new(StringComparer.Ordinal)
    {
        ["SPOTTER__LEASE__DURATIONSECONDS"] = "4",
        ["SPOTTER__LEASE__HEARTBEATSECONDS"] = "1",
        ["SPOTTER__TELEGRAM__LEASESECONDS"] = "4",
    };

    private static async Task<(HttpStatusCode Status, string Body)> PostAsync(SpotterProcess service, JsonObject update, string? secret)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(service.Address, "/telegram/webhook")) { Content = new StringContent(update.ToJsonString(), Encoding.UTF8, "application/json") };
        if (secret is not null)
            request.Headers.Add("X-Telegram-Bot-Api-Secret-Token", secret);
        using var answer = await http.SendAsync(request);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }
}
