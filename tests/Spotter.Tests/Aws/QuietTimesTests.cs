using Spotter.Backends.Aws;

namespace Spotter.Tests.Aws;

public sealed class QuietTimesTests
{
    private static readonly DateTimeOffset Now = new ManualClock().GetUtcNow();

    private readonly QuietTimes quiet = new();

    [Fact]
    public void A_list_is_asked_again_when_the_next_is_due_and_after_20_seconds_at_the_latest()
    {
        quiet.IsQuiet("a", Now, out var asOf).ShouldBeFalse();
        quiet.Rest("a", Now, Now.AddSeconds(3), asOf);
        quiet.Rest("b", Now, Now.AddHours(1), asOf);
        quiet.Rest("c", Now, null, asOf);

        (IsQuiet("a", 2.9), IsQuiet("a", 3)).ShouldBe((true, false));
        (IsQuiet("b", 19.9), IsQuiet("b", 20)).ShouldBe((true, false));
        (IsQuiet("c", 19.9), IsQuiet("c", 20)).ShouldBe((true, false));
        IsQuiet("d", 0).ShouldBeFalse();
    }

    [Fact]
    public void What_changed_is_asked_for_and_an_older_answer_has_no_effect()
    {
        quiet.IsQuiet("a", Now, out var asOf);
        quiet.Rest("a", Now, null, asOf);
        quiet.Reset();
        IsQuiet("a", 0).ShouldBeFalse();

        quiet.Rest("a", Now, null, asOf);

        IsQuiet("a", 0).ShouldBeFalse();
    }

    private bool IsQuiet(string list, double seconds) => quiet.IsQuiet(list, Now.AddSeconds(seconds), out _);
}
