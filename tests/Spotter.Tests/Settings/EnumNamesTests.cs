using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Tests.Settings;

public sealed class EnumNamesTests
{
    [Theory]
    [InlineData("queued", JobState.Queued)]
    [InlineData("Succeeded", JobState.Succeeded)]
    public void One_name_is_a_value(string text, JobState state)
    {
        EnumNames.TryParse<JobState>(text, out var parsed).ShouldBeTrue();
        parsed.ShouldBe(state);
    }

    [Theory]
    [InlineData("queued,succeeded")]
    [InlineData("queued, running")]
    [InlineData(" queued")]
    [InlineData("queued\n")]
    [InlineData("2")]
    [InlineData("+2")]
    [InlineData("")]
    [InlineData(null)]
    public void Numbers_and_several_names_are_none(string? text) => EnumNames.TryParse<JobState>(text, out _).ShouldBeFalse();
}
