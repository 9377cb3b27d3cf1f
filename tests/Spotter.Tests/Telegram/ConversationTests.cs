using System.Text;
using Spotter.Gateway.Telegram;

namespace Spotter.Tests.Telegram;

public sealed class ConversationTests
{
    [Theory]
    [InlineData("hello there", "help")]
    [InlineData("/start", "help")]
    [InlineData("/help@my_bot", "help")]
    [InlineData("restart", "help")]
    [InlineData("abc", "Your original message: abc")]
    public void Texts(string text, string said)
    {
        var says = Decide($$"""{"message":{{Message($"\"text\":\"{text}\"")}}}""").ShouldBeOfType<BotReply.Says>();

        says.ShouldBe(new BotReply.Says(said == "help" ? Words.Help : said));
    }

    [Theory]
    [InlineData("/models", typeof(BotReply.Models))]
    [InlineData("/Queue", typeof(BotReply.Queue))]
    [InlineData("/cancel now", typeof(BotReply.Cancel))]
    [InlineData("/cancel@my_bot", typeof(BotReply.Cancel))]
    public void Commands_go_before_all_else(string text, Type reply)
    {
        Decide($$"""{"message":{{Message($"\"text\":\"{text}\"")}}}""").ShouldBeOfType(reply);
        Decide($$"""{"message":{{Message($"\"text\":\"{text}\",\"reply_to_message\":{Message("\"text\":\"x\"")}")}}}""").ShouldBeOfType(reply);
    }

    [Theory]
    [InlineData("new_chat_title", "\"Hens\"")]
    [InlineData("migrate_to_chat_id", "-100")]
    [InlineData("left_chat_member", """{"id":1,"is_bot":false,"first_name":"A"}""")]
    public void News_of_a_chat_are_no_message_to_the_bot(string name, string value) =>
        Decide($$"""{"message":{{Message($"\"{name}\":{value}")}}}""").ShouldBeOfType<BotReply.Silence>();

    [Fact]
    public void A_place_on_the_map_that_moves_is_no_message_each_time()
    {
        const string Place = "\"location\":{\"latitude\":1,\"longitude\":2,\"live_period\":900}";

        Decide($$"""{"message":{{Message(Place)}}}""").ShouldBe(new BotReply.Says(Words.Error(Words.NoText)));
        Decide($$"""{"edited_message":{{Message(Place)}}}""").ShouldBeOfType<BotReply.Silence>();
        Decide($$"""{"edited_message":{{Message("\"text\":\"abc\"")}}}""").ShouldBe(new BotReply.Says("Your original message: abc"));
    }

    [Fact]
    public void An_echo_that_would_be_too_long_is_cut()
    {
        var says = Decide($$"""{"message":{{Message($"\"text\":\"{new string('x', 4096)}\"")}}}""").ShouldBeOfType<BotReply.Says>();

        says.Text.Length.ShouldBe(Words.LongestText);
    }

    [Fact]
    public void A_picture_that_comes_after_its_album_was_joined_is_told_so_and_with_a_filter_it_is_done_alone()
    {
        string Part(string? caption) => $$"""{"message":{{Message($"\"photo\":[{Size}],\"media_group_id\":\"g\"{(caption is null ? "" : $",\"caption\":\"{caption}\"")}")}}}""";

        Conversation.Decide([Read(Part(null))], [Read(Part("concat")), Read(Part(null))]).ShouldBeOfType<BotReply.Says>().Text.ShouldContain("after its album had been answered");
        Conversation.Decide([Read(Part(null))], [Read(Part("blur 3"))]).ShouldBeOfType<BotReply.Works>().Action.Words.ShouldBe("blur 3");
    }

    [Theory]
    [InlineData("predict", true)]
    [InlineData("  DETECT  ", true)]
    [InlineData("predict yolox 0.4", true)]
    [InlineData("prediction_result", false)]
    [InlineData("please predict", false)]
    [InlineData("", false)]
    [InlineData(null, false)]
    public void What_a_caption_asks_for(string? caption, bool isPrediction) => PictureAction.Of(caption).IsPrediction.ShouldBe(isPrediction);

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("""{"update_id":1}""")]
    [InlineData("""{"update_id":1,"message":null}""")]
    [InlineData("""{"update_id":1,"message":5}""")]
    [InlineData("""{"update_id":1,"message":{"message_id":1,"date":0}}""")]
    [InlineData("""{"update_id":1,"poll":{"id":"1"}}""")]
    [InlineData("""{"update_id":1,"callback_query":{"id":"1","from":{"id":1,"is_bot":false,"first_name":"A"},"chat_instance":"c","data":"do:blur","message":{"message_id":1,"date":0}}}""")]
    [InlineData("""{"update_id":99999999999999999999,"message":{}}""")]
    [InlineData("""{"update_id":1,"message":{"message_id":1,"date":0,"chat":{"id":1,"type":"private"},"text":"\ud83d"}}""")]
    [InlineData("""{"update_id":1,"message":{"message_id":1,"date":"x","chat":{"id":1,"type":"private"}}}""")]
    public void What_is_no_update_with_a_message_is_none(string body) =>
        (IncomingMessage.Parse(Encoding.UTF8.GetBytes(body)) is { } update ? IncomingMessage.Of(update) : null).ShouldBeNull();

    [Theory]
    [InlineData("[]")]
    [InlineData("[null]")]
    public void A_photo_without_a_size_is_no_picture(string sizes) =>
        IncomingMessage.PictureOf(Read($$"""{"update_id":1,"message":{{Message($"\"photo\":{sizes}")}}}""").Message).ShouldBeNull();

    [Fact]
    public void An_update_of_endless_depth_is_none() =>
        IncomingMessage.Parse(Encoding.UTF8.GetBytes($$"""{"update_id":1,"message":{{string.Concat(Enumerable.Repeat("{\"reply_to_message\":", 5000))}}""")).ShouldBeNull();

    private const string Size = """{"file_id":"f","file_unique_id":"u","width":1,"height":1}""";

    private static string Message(string rest) => $$"""{"message_id":1,"date":1,"chat":{"id":1,"type":"private"},{{rest}}}""";

    private static IncomingMessage Read(string update) => IncomingMessage.Of(IncomingMessage.Parse(Encoding.UTF8.GetBytes(update)).ShouldNotBeNull()).ShouldNotBeNull();

    private static BotReply Decide(string update) => Conversation.Decide([Read(update)], []);
}
