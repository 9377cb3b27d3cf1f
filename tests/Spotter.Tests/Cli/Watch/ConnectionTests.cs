using Spotter.Cli.Watch;
using Spotter.Core;

namespace Spotter.Tests.Cli.Watch;

public sealed class ConnectionTests
{
    private readonly ManualClock clock = new();
    private readonly List<string> said = [];

    [Fact]
    public void Waits_double_up_to_a_bound_and_are_never_quite_the_same()
    {
        var backoff = new Backoff(RandomSource.Seeded(1));
        var bound = Backoff.First;
        for (var i = 0; i < 20; i++)
        {
            backoff.Next().ShouldBeInRange(bound / 2, bound);
            bound = bound * 2 < Backoff.Longest ? bound * 2 : Backoff.Longest;
        }
        bound.ShouldBe(Backoff.Longest);
        backoff.Reset();
        backoff.Next().ShouldBeInRange(Backoff.First / 2, Backoff.First);
        new Backoff(RandomSource.Seeded(2)).Next().ShouldNotBe(new Backoff(RandomSource.Seeded(3)).Next());
    }

    [Fact]
    public async Task That_it_is_away_is_said_once_and_that_it_is_back_once()
    {
        var (connection, changes) = (New(), 0);
        connection.OnChange = () => changes++;
        connection.Works();
        said.ShouldBeEmpty();

        for (var i = 0; i < 5; i++)
            await FailAsync(connection, $"reason {i}");
        said.ShouldBe(["the camera can't be used (reason 0); it is tried again until it can."]);
        connection.IsAway.ShouldBeTrue();

        connection.Works();
        connection.Works();
        said[1..].ShouldBe(["the camera is back."]);
        connection.IsAway.ShouldBeFalse();
        changes.ShouldBe(2);

        await FailAsync(connection, "again");
        said.Count.ShouldBe(3);
    }

    [Fact]
    public async Task It_waits_as_long_as_it_is_asked_to()
    {
        var failed = New().FailedAsync("busy", default, TimeSpan.FromSeconds(7));

        await clock.WaitForTimersAsync();
        clock.UntilNextTimer.ShouldBe(TimeSpan.FromSeconds(7));
        clock.Advance(TimeSpan.FromSeconds(7));
        await failed;
    }

    private Connection New() => new("the camera", new Backoff(RandomSource.Seeded(1)), said.Add, clock);

    private async Task FailAsync(Connection connection, string why)
    {
        var failed = connection.FailedAsync(why, default);
        await clock.WaitForTimersAsync();
        clock.Advance(Backoff.Longest);
        await failed;
    }
}
