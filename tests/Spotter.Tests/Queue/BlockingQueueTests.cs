using Spotter.Core;

namespace Spotter.Tests.Queue;

public sealed class BlockingQueueTests
{
    private static readonly TimeSpan Safety = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task What_comes_first_goes_first_and_after_the_last_there_is_no_more()
    {
        var queue = new BlockingQueue<int>();
        queue.TryAdd(1).ShouldBeTrue();
        queue.TryAdd(2).ShouldBeTrue();
        queue.Count.ShouldBe(2);
        queue.Complete();

        queue.TryAdd(3).ShouldBeFalse();
        queue.Take(out var one).ShouldBeTrue();
        queue.TryTake(out var two).ShouldBeTrue();
        (one, two).ShouldBe((1, 2));
        queue.TryTake(out _).ShouldBeFalse();
        // Whoever would sleep here would sleep for ever.
        (await Task.Run(() => queue.Take(out _) || queue.Wait(Timeout.InfiniteTimeSpan)).WaitAsync(Safety)).ShouldBeFalse();
    }

    [Fact]
    public async Task Those_who_sleep_are_woken_each_for_one_and_all_at_the_end()
    {
        var queue = new BlockingQueue<int>();
        var taken = Enumerable.Range(0, 4).Select(_ => Task.Factory.StartNew(() =>
        {
            List<int> mine = [];
            while (queue.Take(out var item))
                mine.Add(item);
            return mine;
        }, default, TaskCreationOptions.LongRunning, TaskScheduler.Default)).ToList();

        await Task.WhenAll(Enumerable.Range(0, 4).Select(thread => Task.Run(() =>
        {
            foreach (var number in Enumerable.Range(thread * 1000, 1000))
                queue.TryAdd(number).ShouldBeTrue();
        })));
        queue.Complete();

        var all = await Task.WhenAll(taken).WaitAsync(Safety);
        all.SelectMany(mine => mine).Order().ShouldBe(Enumerable.Range(0, 4000));
        // Those that one thread added come to each taker in their order.
        foreach (var mine in all)
            mine.GroupBy(n => n / 1000).ShouldAllBe(g => g.SequenceEqual(g.Order()));
    }

    [Fact]
    public async Task A_wait_ends_with_its_time_or_when_something_comes()
    {
        var queue = new BlockingQueue<int>();
        queue.Wait(TimeSpan.Zero).ShouldBeFalse();
        queue.Wait(TimeSpan.FromMilliseconds(5)).ShouldBeFalse();

        var waiting = Task.Factory.StartNew(() => queue.Wait(Safety), default, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        queue.TryAdd(1);

        (await waiting.WaitAsync(Safety)).ShouldBeTrue();
        queue.Count.ShouldBe(1, "a wait takes nothing");
    }
}
