using Spotter.Backends.Aws;
using Spotter.Gateway;
using Spotter.Gateway.LegacyMessages;
using Spotter.Jobs;

namespace Spotter.Tests.Gateway.LegacyMessages;

public sealed class LegacyShapesTests
{
    private static readonly LegacyTarget Target = new("m-1", -100, "a.b.jpg", "\"e\"");

    [Fact]
    public void A_failure_is_told_a_bot_in_words() =>
        BotResult.Failed(Target, 404, "It isn't \"there\".\n").ShouldBe(
            """{"message":{"prediction_id":"m-1","chat":{"id":"-100"},"photo":true,"caption":"prediction_result","status_code":404,"text":"It isn't \"there\".\n"}}""");

    [Fact]
    public void A_result_is_told_a_bot_with_the_id_that_it_looks_up()
    {
        var row = new LegacyRow("m-1", -100, "images/a.b.jpg", "images/a.b.jpg", [new LegacyLabel("person", 0.5, 0.25, 0.1, 0.2)], 1767268800.5);

        BotResult.Succeeded(Target, row, new PictureResult(1, 1, [], Summary: new Dictionary<string, int>(StringComparer.Ordinal) { ["person"] = 2, ["car"] = 1 })).ShouldBe(
            """{"message":{"prediction_id":"m-1","chat":{"id":"-100"},"photo":true,"caption":"prediction_result","status_code":200,"text":"""
            + """{"prediction_id":"m-1","original_img_path":"images/a.b.jpg","predicted_img_path":"images/a.b.jpg","labels":[{"class":"person","cx":0.5,"cy":0.25,"width":0.1,"height":0.2}],"time":1767268800.5,"summary":"person: 2\ncar: 1\n"}}}""");
    }

    [Fact]
    public void A_web_tier_is_told_a_label() => TierResponse.Write("r<1>", "tabby cat").ShouldBe("""{"request_id":"r<1>","classifier_output":"tabby cat"}""");

    [Fact]
    public void A_row_has_six_attributes_of_the_types_of_old()
    {
        var item = LegacyRows.ItemOf(new LegacyRow("m-1", -100, "images/a", "images/b", [new LegacyLabel("person", 0.5, 0.25, 0.1, 1e-6)], 1767268800.5));

        item.Keys.Order(StringComparer.Ordinal).ShouldBe(["chatId", "labels", "originalImgPath", "predictedImgPath", "predictionId", "time"]);
        (item["predictionId"].S, item["chatId"].N, item["originalImgPath"].S, item["predictedImgPath"].S, item["time"].N).ShouldBe(("m-1", "-100", "images/a", "images/b", "1767268800.5"));
        var label = item["labels"].L.ShouldHaveSingleItem().M;
        (label["class"].S, label["cx"].N, label["cy"].N, label["width"].N, label["height"].N).ShouldBe(("person", "0.5", "0.25", "0.1", "1E-06"));
    }

    [Theory]
    [InlineData("a.jpg", "a")]
    [InlineData("a.b.jpg", "a.b")]
    [InlineData("a", "a")]
    [InlineData(".jpg", ".jpg")]
    [InlineData("f.d/a", "f.d/a")]
    [InlineData("f/.a", "f/.a")]
    public void A_stem_is_all_but_the_last_extension(string name, string stem) => LegacyName.StemOf(name).ShouldBe(stem);

    [Theory]
    [InlineData("a.jpg", true)]
    [InlineData("photos/$(x) é'.jpg", true)]
    [InlineData("", false)]
    [InlineData("/a", false)]
    [InlineData("a/../b", false)]
    [InlineData("./a", false)]
    [InlineData("a\\b", false)]
    [InlineData("a\n", false)]
    [InlineData("original/a", false)]
    [InlineData("originals/a", true)]
    public void A_name_is_read_in_one_way_only(string name, bool isPicture) => LegacyName.IsPicture(name).ShouldBe(isPicture);

    [Fact]
    public void A_name_has_no_more_bytes_than_a_key_has_room_for()
    {
        LegacyName.IsPicture(new string('é', 350)).ShouldBeTrue();
        LegacyName.IsPicture(new string('é', 351)).ShouldBeFalse();
    }

    [Theory]
    [InlineData("{", null)]
    [InlineData("[]", null)]
    [InlineData("""{"imgName":"a.jpg"}""", null)]
    [InlineData("""{"chatId":true,"imgName":"a.jpg"}""", null)]
    [InlineData("""{"chatId":"1.5","imgName":"a.jpg"}""", null)]
    [InlineData("""{"chatId":"\ud800","imgName":"a.jpg"}""", null)]
    [InlineData("""{"chatId":"5"}""", "")]
    [InlineData("""{"chatId":5,"imgName":"../a.jpg"}""", "")]
    [InlineData("""{"chatId":5,"imgName":"\ud800"}""", "")]
    [InlineData("""{"chatId":5,"imgName":"a.jpg"}""", "a.jpg")]
    [InlineData("""{"chatId": "5", "imgName": "a.jpg", "more": [1]}""", "a.jpg")]
    public void A_job_of_a_bot_is_read(string body, string? picture)
    {
        var read = LegacyRequest.OfBot(new LegacyMessage("m", body, "r"), ["chatId"], ["imgName"]);

        var target = read switch { LegacyRequest.Picture asked => asked.Target, LegacyRequest.Refused refused => refused.Target, _ => null };
        target?.Picture.ShouldBe(picture);
        (target is null).ShouldBe(picture is null);
        (read is LegacyRequest.Picture).ShouldBe(picture is { Length: > 0 });
        if (target is not null)
            target.ShouldBe(new LegacyTarget("m", 5, picture!));
    }

    [Fact]
    public void A_target_survives_being_stored() => LegacyTarget.Read(Target.Write()).ShouldBe(Target);
}
