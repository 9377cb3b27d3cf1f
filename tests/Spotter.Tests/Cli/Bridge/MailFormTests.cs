using Spotter.Cli.Bridge;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Tests.Cli.Bridge;

public sealed class MailFormTests
{
    [Fact]
    public void Requests_are_those_of_the_bot_and_of_the_web_tier()
    {
        MailForm.S2.Write("7", "a.jpg").ShouldBe("""{"chatId":"7","imgName":"a.jpg"}""");
        MailForm.S3.Write("7", "a.jpg").ShouldBe("""{"filename":"a.jpg","request_id":"7"}""");
        RowRequest.Write("a.jpg").ShouldBe("""{"img_name":"a.jpg","chat_id":1,"imgName":"a.jpg","chatId":1}""");
    }

    [Fact]
    public void A_result_of_a_bot_has_objects_none_or_a_reason()
    {
        var (id, answer) = MailForm.S2.Read(
            """{"message":{"prediction_id":"p","chat":{"id":"7"},"photo":true,"caption":"prediction_result","status_code":200,"text":{"labels":[{"class":"car","cx":0.5,"cy":0.25,"width":0.1,"height":1}],"time":1.5}}}""")!.Value;
        id.ShouldBe("7");
        answer.ShouldBeOfType<OldAnswer.Found>().Labels.ShouldBe([new LegacyLabel("car", 0.5, 0.25, 0.1, 1)]);

        AnswerOf(404, "\"Prediction: p/a.jpg. Prediction result not found\"").ShouldBeOfType<OldAnswer.Found>().Labels.ShouldBeEmpty();
        AnswerOf(500, "\"no\"").ShouldBe(new OldAnswer.Failed("500: no"));
        foreach (var odd in (string[])["\"text\"", "{}", "{\"labels\":[null]}", "{\"labels\":[{\"class\":\"car\"}]}", "{\"labels\":[{\"class\":1}]}", "null"])
            AnswerOf(200, odd).ShouldBeOfType<OldAnswer.Failed>(odd);
    }

    [Fact]
    public void A_response_of_an_app_tier_is_a_class_without_the_end_of_its_line()
    {
        MailForm.S3.Read("""{"request_id":"7","classifier_output":"tabby cat\n"}""").ShouldBe(("7", new OldAnswer.Classified("tabby cat")));
        MailForm.S3.Read("""{"request_id":"7","classifier_output":"error: too large"}""").ShouldBe(("7", new OldAnswer.Failed("too large")));
        MailForm.S3.Read("""{"request_id":"7","classifier_output":"\n"}""")!.Value.Answer.ShouldBeOfType<OldAnswer.Failed>();
    }

    [Theory]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"message":{"chat":{}},"request_id":5}""")]
    public void What_is_no_answer_is_nobodys(string body)
    {
        MailForm.S2.Read(body).ShouldBeNull();
        MailForm.S3.Read(body).ShouldBeNull();
    }

    [Fact]
    public void Boxes_become_pixels_within_the_picture_and_labels_can_be_chosen()
    {
        var found = new OldAnswer.Found([new("car", 0.5, 0.5, 0.5, 0.5), new("dog", 1, 1, 1, 1)]);

        var all = BridgeResult.Of(found, 100, 50, ["person", "car"], wanted: null);

        all.Detections!.Select(d => (d.Label, d.ClassId, d.Confidence, d.Box.X1, d.Box.Y1, d.Box.X2, d.Box.Y2)).ShouldBe([("car", 1, 1.0, 25.0, 12.5, 75.0, 37.5), ("dog", 2, 1.0, 50.0, 25.0, 100.0, 50.0)]);
        BridgeResult.Of(found, 100, 50, ["person", "car"], ["car"]).Detections!.ShouldHaveSingleItem().Label.ShouldBe("car");
        Should.Throw<SpotterException>(() => BridgeResult.Of(new OldAnswer.Found([new("car", double.NaN, 0, 0, 0)]), 1, 1, [], null)).Code.ShouldBe(ErrorCodes.ModelOutputInvalid);
        Should.Throw<SpotterException>(() => BridgeResult.Of(new OldAnswer.Failed("500: \nno"), 1, 1, [], null)).Code.ShouldBe(ErrorCodes.Internal);
    }

    private static OldAnswer AnswerOf(int status, string text) =>
        MailForm.S2.Read("""{"message":{"chat":{"id":"7"},"status_code":STATUS,"text":TEXT}}""".Replace("STATUS", $"{status}", StringComparison.Ordinal).Replace("TEXT", text, StringComparison.Ordinal))!.Value.Answer;
}
