using Spotter.Jobs;

namespace Spotter.Tests.Jobs;

public sealed class LeaseSettingsTests
{
    [Theory]
    [InlineData(30, 5, 25)]
    [InlineData(600, 60, 420)]
    // One that is never to be left as it is.
    [InlineData(10, 8, 10)]
    [InlineData(4, 1, 4)]
    public void Half_of_a_lease_that_is_left_as_it_is_is_there_at_the_next_sign_of_life_even_if_that_is_late(double duration, double heartbeat, double enough)
    {
        var settings = new LeaseSettings { Duration = TimeSpan.FromSeconds(duration), Heartbeat = TimeSpan.FromSeconds(heartbeat) };

        settings.Enough.ShouldBe(TimeSpan.FromSeconds(enough));
    }
}
