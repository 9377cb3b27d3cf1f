using System.Globalization;
using FsCheck;
using FsCheck.Fluent;
using Spotter.Core;
using Spotter.Gateway.Telegram;
using Spotter.Jobs;

namespace Spotter.Tests.Telegram;

public sealed class WordsTests
{
    [Fact]
    public void Objects_are_counted_in_the_order_in_which_they_come() =>
        Words.Found(Done("""{"detections":[{"label":"person"},{"label":"traffic light"},{"label":"person"}]}""")).ShouldBe("Detected Objects:\nPerson: 2\nTraffic light: 1\n");

    [Theory]
    [InlineData("""{"detections":[]}""")]
    [InlineData("""{"width":3}""")]
    [InlineData("""{"detections":null,"labels":[]}""")]
    public void Nothing_found_is_said_politely(string result) => Words.Found(Done(result)).ShouldBe("No objects were found in this picture.");

    [Fact]
    public void What_a_picture_shows_is_said_with_how_certain_it_is() =>
        Words.Found(Done("""{"labels":[{"label":"pizza","confidence":0.9991},{"label":"","confidence":0.0005}]}""")).ShouldBe("Classification result:\nPizza: 99.9 %\n?: 0.1 %\n");

    [Fact]
    public void Labels_that_look_like_markup_or_turn_the_text_are_only_text() =>
        Words.Found(Done("""{"detections":[{"label":"_b*o<ld\u202egnp"},{"label":"\u0000\n"}]}""")).ShouldBe("Detected Objects:\n_b*o<ldgnp: 1\n?: 1\n");

    [Theory]
    [InlineData("abc", 3, "abc")]
    [InlineData("abcd", 3, "ab…")]
    [InlineData("a👩‍👩‍👧b", 5, "a…")]
    [InlineData("ae\u0301x", 3, "a…")]
    public void A_text_is_cut_between_characters_as_people_see_them(string text, int longest, string cut) => Words.Cut(text, longest).ShouldBe(cut);

    [Fact]
    public void However_a_text_is_cut_it_fits_and_is_still_text() =>
        Prop.ForAll(ArbMap.Default.ArbFor<string>().Filter(s => s is not null), ArbMap.Default.ArbFor<byte>(), (text, longest) =>
        {
            var whole = string.Concat(text.EnumerateRunes());
            var cut = Words.Cut(whole, Math.Max(1, (int)longest));
            return cut.Length <= Math.Max(1, (int)longest) && cut.EnumerateRunes().All(r => r.Value != 0xFFFD || whole.Contains('\uFFFD', StringComparison.Ordinal))
                && StringInfo.GetTextElementEnumerator(cut) is not null;
        }).QuickCheckThrowOnFailure();

    private static Job Done(string result) => new()
    {
        Id = JobId.New(RandomSource.Seeded(1), TimeProvider.System),
        Spec = new JobSpec { Engine = "detect", Inputs = [] },
        State = JobState.Succeeded,
        Created = DateTimeOffset.UnixEpoch,
        Result = RawJson.OfText(result),
    };
}
