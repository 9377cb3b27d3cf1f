using Spotter.Worker;

namespace Spotter.Tests.Worker;

public sealed class JobSlotsTests : IDisposable
{
    private readonly JobSlots slots = new(4);

    public void Dispose() => slots.Dispose();

    [Fact]
    public async Task All_that_are_free_are_claimed_and_the_next_claim_waits_for_one()
    {
        (await slots.ClaimAsync(default)).ShouldBe(4);
        var waits = slots.ClaimAsync(default);
        waits.IsCompleted.ShouldBeFalse();

        slots.Release(2);

        (await waits).ShouldBe(2);
    }

    [Fact]
    public void A_slot_that_is_about_to_be_free_is_claimed_before_it_is()
    {
        slots.TryClaim(leaving: 0).ShouldBe(4);
        slots.TryClaim(leaving: 0).ShouldBe(0);
        slots.TryClaim(leaving: 3).ShouldBe(3);

        slots.Release(3);

        slots.TryClaim(leaving: 0).ShouldBe(0);
        slots.Release(1);
        slots.TryClaim(leaving: 0).ShouldBe(1);
    }

    [Fact]
    public async Task When_there_are_fewer_those_in_use_stay_and_when_more_whoever_waits_gets_one()
    {
        slots.TryClaim(leaving: 0).ShouldBe(4);
        slots.Most = 2;
        slots.Release(1);
        slots.TryClaim(leaving: 1).ShouldBe(0);
        var waits = slots.ClaimAsync(default);

        slots.Most = 5;

        (await waits).ShouldBe(2);
    }

    [Fact]
    public async Task Nobody_gets_a_slot_while_one_is_to_be_alone()
    {
        slots.TryClaim(leaving: 0).ShouldBe(4);
        var told = slots.Alone;
        slots.TryBeAlone().ShouldBeTrue();
        told.IsCancellationRequested.ShouldBeTrue();
        slots.TryBeAlone().ShouldBeFalse();
        var alone = slots.WaitAsync(left: 1, default);
        slots.Release(2);
        slots.TryClaim(leaving: 1).ShouldBe(0);
        alone.IsCompleted.ShouldBeFalse();
        slots.Release(1);
        await alone;
        var waits = slots.ClaimAsync(default);
        waits.IsCompleted.ShouldBeFalse();

        slots.EndAlone();

        (await waits).ShouldBe(3);
        slots.Alone.IsCancellationRequested.ShouldBeFalse();
    }

    [Fact]
    public async Task Whoever_waits_can_be_told_to_stop()
    {
        slots.TryClaim(leaving: 0).ShouldBe(4);
        using var stop = new CancellationTokenSource();
        var claim = slots.ClaimAsync(stop.Token);
        var empty = slots.WaitAsync(left: 0, stop.Token);

        await stop.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(claim);
        await Should.ThrowAsync<OperationCanceledException>(empty);
        slots.Release(4);
        slots.TryClaim(leaving: 0).ShouldBe(4);
    }
}
