using System.Text.Json.Nodes;

namespace Spotter.EndToEnd.Telegram;

/// <summary>A bot that all tests of the class talk with, each in a chat of its own.</summary>
public sealed class TelegramChats : IAsyncLifetime
{
    private static long next = 7_000_000;

    internal TelegramService Telegram { get; private set; } = null!;

    internal FakeBotApi Bot => Telegram.Bot;

    /// <summary>A chat that nobody has used.</summary>
    public static long NewChat() => Interlocked.Increment(ref next);

    public async Task InitializeAsync() => Telegram = await TelegramService.StartAsync();

    public async Task DisposeAsync() => await Telegram.DisposeAsync();
}

/// <summary>What people say to the bot, and what it answers; by long polling, as on a laptop.</summary>
public sealed class TelegramChatTests(TelegramChats chats) : IClassFixture<TelegramChats>
{
    private static readonly byte[] Square = Pictures.Png(200);

    private readonly long chat = TelegramChats.NewChat();

    private FakeBotApi Bot => chats.Bot;

    [Theory]
    [InlineData("Hello")]
    [InlineData("/start")]
    [InlineData("I need HELP please")]
    public async Task Who_asks_for_help_reads_of_seven_actions(string text)
    {
        Bot.Push(Bot.Message(chat, text));

        var help = (await Bot.AnswersAsync(chat)).ShouldHaveSingleItem().Text!;

        foreach (var action in (string[])["Blur", "Contour", "Rotate", "Salt and pepper", "Concat", "Segment", "Predict"])
            help.ShouldContain(action);
    }

    [Fact]
    public async Task Any_other_text_comes_back()
    {
        Bot.Push(Bot.Message(chat, "good *day* <b>you</b> _there_"));

        (await Bot.AnswersAsync(chat)).ShouldHaveSingleItem().Text.ShouldBe("Your original message: good *day* <b>you</b> _there_");
    }

    [Fact]
    public async Task Replies_are_quoted_each_time_and_not_when_they_should_not_be()
    {
        var said = Bot.Message(chat, "first");
        var replies = new List<int>();
        foreach (var text in (string[])["one", "Please don't quote me", "hello two", "three", "Don't quote me please", "four"])
        {
            var reply = Bot.Message(chat, text, m => m["reply_to_message"] = said.DeepClone());
            replies.Add(reply["message_id"]!.GetValue<int>());
            Bot.Push(reply);
        }

        var answers = await Bot.AnswersAsync(chat, 4);

        answers.Select(a => (a.Text, a.Answers)).ShouldBe([("one", replies[0]), ("hello two", replies[2]), ("three", replies[3]), ("four", replies[5])]);
    }

    [Theory]
    [InlineData("predict")]
    [InlineData(" PREDICT ")]
    [InlineData("Detect")]
    public async Task A_picture_to_predict_has_a_word_at_once_and_then_its_objects(string caption)
    {
        Bot.Push(Bot.Photo(chat, Square, caption));

        var answer = (await Bot.AnswersAsync(chat)).ShouldHaveSingleItem();

        answer.Text.ShouldBe("Detected Objects:\nSquare: 1\n");
        (answer.Kind, answer.Size).ShouldBe(("photo", (64, 64)));
        answer.Picture.ShouldNotBe(Square);
        var said = Bot.Calls.Where(c => c.Chat == chat).Select(c => c.Method).ToList();
        said.FindIndex(m => m == "sendMessage").ShouldBeLessThan(said.FindIndex(m => m == "editMessageMedia"));
        Bot.Calls.Single(c => c.Chat == chat && c.Method == "sendMessage").Text("text").ShouldBe("Processing, please wait...");
        said.Exists(method => method == "sendChatAction").ShouldBeTrue();
    }

    [Fact]
    public async Task A_confidence_and_a_model_can_be_said()
    {
        Bot.Push(Bot.Photo(chat, Square, "predict 90%"));
        Bot.Push(Bot.Photo(chat, Square, "predict patches 0,3"));
        Bot.Push(Bot.Photo(chat, Square, "predict unheard-of"));

        var answers = await Bot.AnswersAsync(chat, 3);

        answers.Select(a => a.Text).ShouldBe(
            ["No objects were found in this picture.", "Detected Objects:\nSquare: 1\n", "An error has occurred:\nThere is no model 'unheard-of'; there is 'patches'.\nPlease try again."]);
    }

    [Fact]
    public async Task Where_nothing_is_found_the_picture_comes_back_with_a_word()
    {
        Bot.Push(Bot.Photo(chat, Pictures.Png(10), "predict"));

        var answer = (await Bot.AnswersAsync(chat)).ShouldHaveSingleItem();

        (answer.Text, answer.Kind).ShouldBe(("No objects were found in this picture.", "photo"));
    }

    [Theory]
    [InlineData(null, "Please specify an action you'd like to execute on the image.\nIf you're unsure, please refer to 'help' for assistance.")]
    [InlineData("   ", "Please specify an action you'd like to execute on the image.\nIf you're unsure, please refer to 'help' for assistance.")]
    [InlineData("dance", "Invalid image action specified. Please refer to the 'help' for assistance.")]
    [InlineData("prediction_result", "Invalid image action specified. Please refer to the 'help' for assistance.")]
    [InlineData("concat", "You need to upload more than one image in order to concat.")]
    [InlineData("blur 0", "Blur level must be a positive, whole number.")]
    [InlineData("blur -3", "Blur level must be a positive, whole number.")]
    [InlineData("blur 1.5", "Blur level must be a positive, whole number.")]
    [InlineData("rotate 45", "Degrees may only be 90, 180 or 270.")]
    public async Task What_is_wrong_with_a_caption_is_said_in_its_chat(string? caption, string what)
    {
        Bot.Push(Bot.Photo(chat, Square, caption));

        (await Bot.AnswersAsync(chat)).ShouldHaveSingleItem().Text.ShouldBe($"An error has occurred:\n{what}\nPlease try again.");
    }

    [Fact]
    public async Task A_level_larger_than_the_picture_is_said_in_the_answer()
    {
        Bot.Push(Bot.Photo(chat, Square, "blur 65"));

        (await Bot.AnswersAsync(chat)).ShouldHaveSingleItem().Text.ShouldBe("An error has occurred:\nThe picture is 64 x 64 pixels, smaller than the square of 65 x 65 that each pixel of a blur is the mean of; send a larger picture, or a smaller level.\nPlease try again.");
    }

    [Theory]
    [InlineData("blur", 49, 25)]
    [InlineData("Blur 10", 55, 31)]
    [InlineData("CONTOUR", 63, 40)]
    [InlineData("rotate", 40, 64)]
    [InlineData("rotate anti-clockwise 180", 64, 40)]
    [InlineData("salt and pepper 0.1", 64, 40)]
    [InlineData("Segment", 64, 40)]
    public async Task Filters_answer_with_a_picture_and_no_words(string caption, int width, int height)
    {
        Bot.Push(Bot.Photo(chat, Pictures.Png(120, 64, 40), caption));

        var answer = (await Bot.AnswersAsync(chat)).ShouldHaveSingleItem();

        (answer.Text, answer.Kind, answer.Size).ShouldBe((null, "photo", (width, height)));
    }

    [Fact]
    public async Task A_picture_sent_as_a_file_and_an_edited_caption_count_too()
    {
        var file = Bot.Hold(Square);
        var document = Bot.Message(chat, change: m =>
        {
            m["document"] = new JsonObject { ["file_id"] = file, ["file_unique_id"] = "u", ["file_name"] = "../a.b.PNG", ["mime_type"] = "image/png", ["file_size"] = Square.Length };
            m["caption"] = "Rotate";
        });
        Bot.Push(document);
        (await Bot.AnswersAsync(chat)).ShouldHaveSingleItem().Kind.ShouldBe("photo");
        document["caption"] = "predict";
        document["edit_date"] = 1_750_000_100;

        Bot.Push(document, "edited_message");

        (await Bot.AnswersAsync(chat, 2))[1].Text.ShouldBe("Detected Objects:\nSquare: 1\n");
    }

    [Fact]
    public async Task What_is_no_picture_and_no_text_is_said_to_be_none_and_news_of_the_chat_are_no_message()
    {
        Bot.Push(Bot.Message(chat, change: m => m["new_chat_title"] = "Hens"));
        Bot.Push(Bot.Message(chat, change: m => m["sticker"] = new JsonObject
        {
            ["file_id"] = "s", ["file_unique_id"] = "s", ["type"] = "regular", ["width"] = 1, ["height"] = 1, ["is_animated"] = false, ["is_video"] = false,
        }));

        (await Bot.AnswersAsync(chat)).ShouldHaveSingleItem().Text.ShouldBe("An error has occurred:\nNone user message received\nPlease try again.");
    }

    [Theory]
    [InlineData("concat", 100, 40)]
    [InlineData("Concat vertical", 60, 80)]
    [InlineData("concat bottom-to-top", 60, 80)]
    public async Task An_album_is_joined_whichever_picture_has_the_caption(string caption, int width, int height)
    {
        Bot.Push(Bot.Photo(chat, Pictures.Png(10, 60, 40), album: "a"));
        Bot.Push(Bot.Photo(chat, Pictures.Png(200, caption.Contains("ver", StringComparison.Ordinal) || caption.Contains("top", StringComparison.Ordinal) ? 60 : 40, 40), caption, album: "a"));

        var answer = (await Bot.AnswersAsync(chat)).ShouldHaveSingleItem();

        (answer.Kind, answer.Size).ShouldBe(("photo", (width, height)));
    }

    [Fact]
    public async Task Albums_of_two_chats_that_come_mixed_stay_apart_and_keep_their_order()
    {
        var other = TelegramChats.NewChat();
        for (var i = 0; i < 4; i++)
        {
            Bot.Push(Bot.Photo(chat, Pictures.Png((byte)(50 * i), 20 + i, 30), i == 2 ? "concat left-to-right" : null, album: "same"));
            Bot.Push(Bot.Photo(other, Pictures.Png(100, 10, 30), i == 0 ? "concat" : null, album: "same"));
        }

        (await Bot.AnswersAsync(chat)).ShouldHaveSingleItem().Size.ShouldBe((20 + 21 + 22 + 23, 30));
        (await Bot.AnswersAsync(other)).ShouldHaveSingleItem().Size.ShouldBe((40, 30));
    }

    [Fact]
    public async Task An_album_to_predict_has_one_answer_with_all_of_its_pictures()
    {
        byte[][] pictures = [Pictures.Png(200), Pictures.Png(10), Pictures.Png(255)];
        foreach (var picture in pictures)
            Bot.Push(Bot.Photo(chat, picture, picture == pictures[1] ? "predict" : null, album: "b"));

        var answers = await Bot.AnswersAsync(chat, 3);

        answers.Select(a => a.Text).ShouldBe(["Detected Objects:\nSquare: 1\n", "No objects were found in this picture.", "Detected Objects:\nSquare: 1\n"]);
        answers.Select(a => a.Sent).Distinct().ShouldHaveSingleItem().Method.ShouldBe("sendMediaGroup");
        Bot.Calls.Count(c => c.Chat == chat && c.Method == "sendMessage").ShouldBe(1);
    }

    [Fact]
    public async Task An_album_that_asks_for_different_things_is_asked_which()
    {
        Bot.Push(Bot.Photo(chat, Square, "blur", album: "c"));
        Bot.Push(Bot.Photo(chat, Square, "Blur", album: "c"));
        Bot.Push(Bot.Photo(chat, Square, "contour", album: "c"));

        (await Bot.AnswersAsync(chat)).ShouldHaveSingleItem().Text!.ShouldContain("Which one is it?");
    }

    [Fact]
    public async Task Files_that_are_too_large_or_none_are_explained()
    {
        var huge = Bot.Hold([1], 21 << 20);
        Bot.Push(Bot.Message(chat, change: m =>
        {
            m["document"] = new JsonObject { ["file_id"] = huge, ["file_unique_id"] = "u", ["file_name"] = "a.jpg", ["mime_type"] = "image/jpeg", ["file_size"] = 21 << 20 };
            m["caption"] = "predict";
        }));
        Bot.Push(Bot.Photo(chat, "<html>login</html>"u8.ToArray(), "predict"));
        Bot.Push(Bot.Photo(chat, Pictures.Png(10)[..50], "predict"));

        var answers = await Bot.AnswersAsync(chat, 3);

        answers[0].Text!.ShouldContain("20 MB");
        answers.ShouldAllBe(a => a.Text!.StartsWith("An error has occurred:\n", StringComparison.Ordinal) && a.Picture == null);
    }

    [Fact]
    public async Task A_file_that_is_gone_is_explained_and_holds_nothing_up()
    {
        var lost = Bot.HoldLost();
        Bot.Push(Bot.Photo(chat, Square, "predict", change: m => m["photo"]![1]!["file_id"] = lost));
        Bot.Push(Bot.Photo(chat, Square, "predict"));

        var answers = await Bot.AnswersAsync(chat, 2);

        answers[0].Text!.ShouldStartWith("An error has occurred:\nWas unable to download image from Bot.");
        answers[1].Text.ShouldBe("Detected Objects:\nSquare: 1\n");
    }

    [Fact]
    public async Task An_album_with_a_picture_that_fails_has_the_others_and_a_word_about_it()
    {
        Bot.Push(Bot.Photo(chat, Square, "predict", album: "d"));
        Bot.Push(Bot.Photo(chat, Pictures.Png(10)[..^30], album: "d"));
        Bot.Push(Bot.Photo(chat, Pictures.Png(255), album: "d"));

        var answers = await Bot.AnswersAsync(chat, 3);

        answers.Count(a => a.Kind == "photo").ShouldBe(2);
        answers.Single(a => a.Kind is null).Text!.ShouldStartWith("Picture 2: An error has occurred:");
    }

    [Theory]
    [InlineData(6000, 6000, "document")]
    [InlineData(2100, 100, "document")]
    [InlineData(2000, 100, "photo")]
    public async Task What_Telegram_takes_for_no_photo_is_sent_as_a_file(int width, int height, string kind)
    {
        Bot.Push(Bot.Photo(chat, Pictures.Png(200, width, height, channels: 1), "segment"));

        (await Bot.AnswersAsync(chat)).ShouldHaveSingleItem().Kind.ShouldBe(kind);
    }

    [Fact]
    public async Task In_a_topic_the_answer_goes_into_the_topic()
    {
        Bot.Push(Bot.Photo(chat, Square, "dance", change: m =>
        {
            m["message_thread_id"] = 55;
            m["is_topic_message"] = true;
        }));
        Bot.Push(Bot.Message(chat, "and me", m =>
        {
            m["message_thread_id"] = 56;
            m["is_topic_message"] = true;
        }));

        (await Bot.AnswersAsync(chat, 2)).Select(a => a.Sent.Number("message_thread_id")).ShouldBe([55, 56]);
    }

    [Fact]
    public async Task A_group_that_has_moved_is_answered_where_it_is_now()
    {
        var moved = TelegramChats.NewChat();
        var before = Bot.Intercept;
        Bot.Intercept = call => call.Chat == chat
            ? FakeBotApi.Refusal(400, "Bad Request: group chat was upgraded to a supergroup chat", new JsonObject { ["migrate_to_chat_id"] = moved })
            : before(call);
        Bot.Push(Bot.Photo(chat, Square, "predict"));

        (await Bot.AnswersAsync(moved)).ShouldHaveSingleItem().Text.ShouldBe("Detected Objects:\nSquare: 1\n");
    }

    [Fact]
    public async Task A_press_of_a_button_works_on_the_picture_above_it()
    {
        var photo = Bot.Photo(chat, Square);
        Bot.Push(photo);
        var asked = (await Bot.AnswersAsync(chat)).ShouldHaveSingleItem();
        var buttons = asked.Sent.Text("reply_markup")!;
        buttons.ShouldContain("do:predict");
        var under = new JsonObject
        {
            ["message_id"] = asked.Id, ["date"] = 1, ["chat"] = photo["chat"]!.DeepClone(), ["text"] = asked.Text, ["reply_to_message"] = photo.DeepClone(),
        };

        Bot.Push(new JsonObject { ["id"] = "press", ["from"] = photo["from"]!.DeepClone(), ["message"] = under, ["chat_instance"] = "1", ["data"] = "do:rotate 180" }, "callback_query");

        (await Bot.AnswersAsync(chat, 2))[1].Kind.ShouldBe("photo");
        Bot.Calls.ShouldContain(c => c.Method == "answerCallbackQuery" && c.Text("callback_query_id") == "press");
        Bot.Push(Bot.Photo(chat, Square));
        (await Bot.AnswersAsync(chat, 3))[2].Sent.Text("reply_markup")!.ShouldContain("do:rotate 180");
    }

    [Fact]
    public async Task Models_and_the_queue_are_told_and_there_is_nothing_to_cancel()
    {
        foreach (var text in (string[])["/models", "/queue@spotter_test_bot", "/cancel"])
            Bot.Push(Bot.Message(chat, text));

        var answers = await Bot.AnswersAsync(chat, 3);

        answers[0].Text!.ShouldContain("patches (detect), used when none is named");
        answers[1].Text!.ShouldContain("None of them is yours.");
        answers[2].Text.ShouldBe("There is nothing to cancel.");
    }

    [Fact]
    public async Task Nothing_that_is_said_or_logged_holds_the_token()
    {
        Bot.Push(Bot.Photo(chat, Square, "predict"));
        await Bot.AnswersAsync(chat);

        chats.Telegram.Log.ShouldNotContain(FakeBotApi.Token);
        chats.Telegram.Log.ShouldNotContain(FakeBotApi.Token.Split(':')[1]);
        chats.Telegram.Service.Output.ShouldAllBe(line => !line.Contains("ThatMustNotLeak"));
    }
}
