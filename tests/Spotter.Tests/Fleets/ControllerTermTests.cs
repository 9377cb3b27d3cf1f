using Spotter.Core;
using Spotter.Scaling;

namespace Spotter.Tests.Fleets;

public sealed class ControllerTermTests
{
    private readonly ManualClock clock = new();
    private readonly SwitchedLease lease;
    private readonly ControllerTerm first;
    private readonly ControllerTerm second;
    private string pool = "pool";

    public ControllerTermTests()
    {
        lease = new SwitchedLease(clock);
        first = new ControllerTerm(lease, () => pool, "first", clock);
        second = new ControllerTerm(lease, () => pool, "second", clock);
    }

    [Fact]
    public async Task One_is_active_and_the_other_stands_by_and_knows_for_whom()
    {
        (await first.RenewAsync(default)).ShouldBe(ControllerRole.Active);
        (await second.RenewAsync(default)).ShouldBe(ControllerRole.Standby);
        second.Other.ShouldBe("first");
    }

    [Fact]
    public async Task It_is_renewed_every_five_seconds_and_not_at_each_tick()
    {
        for (var tick = 0; tick < 60; tick++)
        {
            (await first.RenewAsync(default)).ShouldBe(ControllerRole.Active);
            clock.Advance(TimeSpan.FromSeconds(1));
        }
        lease.Asked.ShouldBe(12);
    }

    [Fact]
    public async Task Within_twenty_seconds_of_a_crash_the_other_takes_over()
    {
        await first.RenewAsync(default);
        await second.RenewAsync(default);

        var waited = 0;
        for (; await second.RenewAsync(default) != ControllerRole.Active; waited++)
            clock.Advance(TimeSpan.FromSeconds(1));

        waited.ShouldBeInRange(15, 20);
        (await first.RenewAsync(default)).ShouldBe(ControllerRole.Standby);
    }

    [Fact]
    public async Task At_no_moment_are_two_active_whatever_the_store_does()
    {
        var random = RandomSource.Seeded(5);
        for (var i = 0; i < 5_000; i++)
        {
            lease.Fails = random.NextDouble() < 0.3;
            var stalls = random.NextDouble() < 0.3;
            var roles = new List<ControllerRole> { await second.RenewAsync(default) };
            if (!stalls)
                roles.Add(await first.RenewAsync(default));
            roles.Count(r => r == ControllerRole.Active).ShouldBeLessThanOrEqualTo(1);
            clock.Advance(TimeSpan.FromSeconds(random.NextDouble() * 8));
        }
    }

    [Fact]
    public async Task While_the_store_fails_it_goes_on_until_its_time_is_over_and_then_does_not_know()
    {
        await first.RenewAsync(default);
        lease.Fails = true;
        clock.Advance(TimeSpan.FromSeconds(14));
        (await first.RenewAsync(default)).ShouldBe(ControllerRole.Active);

        clock.Advance(TimeSpan.FromSeconds(1));
        (await first.RenewAsync(default)).ShouldBe(ControllerRole.Unknown);

        lease.Fails = false;
        clock.Advance(TimeSpan.FromSeconds(5));
        (await first.RenewAsync(default)).ShouldBe(ControllerRole.Active);
    }

    [Fact]
    public async Task Given_back_the_other_takes_over_at_its_next_try()
    {
        await first.RenewAsync(default);
        await second.RenewAsync(default);
        await first.ReleaseAsync(default);

        clock.Advance(TimeSpan.FromSeconds(5));
        (await second.RenewAsync(default)).ShouldBe(ControllerRole.Active);
    }

    [Fact]
    public async Task One_that_turns_to_another_pool_leaves_the_first_to_others_at_once()
    {
        await first.RenewAsync(default);
        pool = "other";
        (await first.RenewAsync(default)).ShouldBe(ControllerRole.Active);

        (await lease.HoldAsync("pool", "third", TimeSpan.FromSeconds(15), default)).ShouldBe("third");
        (await lease.HoldAsync("other", "third", TimeSpan.FromSeconds(15), default)).ShouldBe("first");
    }

    private sealed class SwitchedLease(ManualClock clock) : IControllerLease
    {
        private readonly IControllerLease inner = new Spotter.Backends.Local.LocalControllerLease(clock);

        public bool Fails { get; set; }

        public int Asked { get; private set; }

        public Task<string> HoldAsync(string pool, string holder, TimeSpan duration, CancellationToken cancel)
        {
            Asked++;
            return Fails ? throw new SpotterException(ErrorCodes.StoreUnavailable, "It is away.") : inner.HoldAsync(pool, holder, duration, cancel);
        }

        public Task ReleaseAsync(string pool, string holder, CancellationToken cancel) => inner.ReleaseAsync(pool, holder, cancel);
    }
}
