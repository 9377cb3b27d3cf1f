using Spotter.Cli.Watch;

namespace Spotter.Tests.Cli.Watch;

public sealed class FrameSlotTests
{
    [Fact]
    public async Task A_newer_picture_takes_the_place_of_the_one_that_waits()
    {
        var slot = new FrameSlot(keepsNewest: true);
        foreach (var name in (string[])["a", "b", "c"])
            await slot.PutAsync(Named(name), default);

        (await slot.TakeAsync(default))!.Name.ShouldBe("c");
        slot.Dropped.ShouldBe(2);
    }

    [Fact]
    public async Task Where_all_count_the_source_waits()
    {
        var slot = new FrameSlot(keepsNewest: false);
        await slot.PutAsync(Named("a"), default);
        var second = slot.PutAsync(Named("b"), default).AsTask();

        second.IsCompleted.ShouldBeFalse();
        (await slot.TakeAsync(default))!.Name.ShouldBe("a");
        await second;
        (await slot.TakeAsync(default))!.Name.ShouldBe("b");
        slot.Dropped.ShouldBe(0);
    }

    [Fact]
    public async Task What_waits_when_it_is_closed_is_still_taken()
    {
        var slot = new FrameSlot(keepsNewest: true);
        await slot.PutAsync(Named("a"), default);
        slot.Close();

        (await slot.TakeAsync(default))!.Name.ShouldBe("a");
        (await slot.TakeAsync(default)).ShouldBeNull();
    }

    [Fact]
    public async Task A_newer_one_may_be_sent_instead_and_the_old_one_counts_as_dropped()
    {
        var slot = new FrameSlot(keepsNewest: true);
        var old = Named("old");

        slot.NewerThan(old).ShouldBeSameAs(old);
        await slot.PutAsync(Named("new"), default);
        slot.NewerThan(old).Name.ShouldBe("new");
        slot.Dropped.ShouldBe(1);
    }

    private static Frame Named(string name) => new(name, ReadOnlyMemory<byte>.Empty, default);
}
