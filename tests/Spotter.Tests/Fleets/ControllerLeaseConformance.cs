using Spotter.Scaling;
using Spotter.Tests.Jobs;

namespace Spotter.Tests.Fleets;

/// <summary>What every <see cref="IControllerLease"/> does. A new adapter adds a subclass and nothing else.</summary>
public abstract class ControllerLeaseConformance : IAsyncLifetime
{
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(15);

    private IControllerLease lease = null!;

    protected ManualClock Clock { get; } = new();

    public async Task InitializeAsync() => lease = await OpenAsync();

    public async Task DisposeAsync() => await CloseAsync();

    /// <summary>Opens it, with nobody scaling anything.</summary>
    protected abstract Task<IControllerLease> OpenAsync();

    /// <summary>Closes and deletes it.</summary>
    protected abstract Task CloseAsync();

    [Fact]
    public async Task The_first_has_it_and_others_are_told_who()
    {
        (await HoldAsync("a")).ShouldBe("a");

        (await HoldAsync("b")).ShouldBe("a");
        (await HoldAsync("a")).ShouldBe("a");
    }

    [Fact]
    public async Task Whoever_renews_keeps_it_and_whoever_does_not_loses_it()
    {
        await HoldAsync("a");
        Clock.Advance(TimeSpan.FromSeconds(14));
        (await HoldAsync("a")).ShouldBe("a");
        Clock.Advance(TimeSpan.FromSeconds(14));
        (await HoldAsync("b")).ShouldBe("a");

        Clock.Advance(TimeSpan.FromSeconds(1));

        (await HoldAsync("b")).ShouldBe("b");
        (await HoldAsync("a")).ShouldBe("b");
    }

    [Fact]
    public async Task One_that_is_given_back_can_be_taken_at_once()
    {
        await HoldAsync("a");
        await lease.ReleaseAsync("pool", "a", default);

        (await HoldAsync("b")).ShouldBe("b");
    }

    [Fact]
    public async Task Nobody_gives_back_what_another_has()
    {
        await HoldAsync("a");
        await lease.ReleaseAsync("pool", "b", default);
        await lease.ReleaseAsync("no such pool", "b", default);

        (await HoldAsync("b")).ShouldBe("a");
    }

    [Fact]
    public async Task Each_pool_has_its_own()
    {
        (await HoldAsync("a")).ShouldBe("a");
        (await HoldAsync("b", "other")).ShouldBe("b");

        (await HoldAsync("a")).ShouldBe("a");
    }

    [Fact]
    public async Task Of_many_that_want_it_at_once_one_has_it()
    {
        var active = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Task.Run(() => HoldAsync($"c{i}"))));

        active.Distinct(StringComparer.Ordinal).ShouldHaveSingleItem();
    }

    private Task<string> HoldAsync(string holder, string pool = "pool") => lease.HoldAsync(pool, holder, Duration, default);
}

public sealed class LocalControllerLeaseTests : ControllerLeaseConformance
{
    private readonly LocalFixture fixture = new();

    protected override Task<IControllerLease> OpenAsync() => Task.FromResult(fixture.Open(Clock).Controllers);

    protected override async Task CloseAsync() => await fixture.DisposeAsync();
}

[NeedsPostgres]
[Collection(PostgresServer.Name)]
public sealed class PostgresControllerLeaseTests(PostgresServer server) : ControllerLeaseConformance
{
    private readonly PostgresFixture fixture = new(server);

    protected override Task<IControllerLease> OpenAsync() => Task.FromResult(fixture.Open(Clock).Controllers);

    protected override async Task CloseAsync() => await fixture.DisposeAsync();
}

[NeedsPostgres]
[Collection(PostgresServer.Name)]
public sealed class PostgresControllersTests(PostgresServer server) : IAsyncDisposable
{
    private readonly PostgresFixture fixture = new(server);

    [Fact]
    public async Task A_gateway_with_a_wrong_clock_takes_it_from_nobody()
    {
        var wrong = new ManualClock(new DateTimeOffset(2199, 1, 1, 0, 0, 0, TimeSpan.Zero));
        var first = fixture.Open(TimeProvider.System, serverTime: true).Controllers;
        var second = fixture.Open(wrong, serverTime: true).Controllers;

        (await first.HoldAsync("pool", "a", TimeSpan.FromMinutes(5), default)).ShouldBe("a");
        (await second.HoldAsync("pool", "b", TimeSpan.FromMinutes(5), default)).ShouldBe("a");
    }

    public ValueTask DisposeAsync() => fixture.DisposeAsync();
}
