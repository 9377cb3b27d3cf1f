using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Tests.Jobs;

/// <summary>What every <see cref="IJobQueue"/> does. A new adapter adds a subclass and nothing else.</summary>
public abstract class JobQueueConformance : IAsyncLifetime
{
    private const string Engine = "detect";
    private const string OtherEngine = "classify";
    private static readonly TimeSpan NoWait = TimeSpan.Zero;
    private static readonly TimeSpan LongWait = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private IJobQueue Queue { get; set; } = null!;

    /// <summary>How long ids are hidden; short for a technology that only knows real time.</summary>
    protected virtual TimeSpan Hold => TimeSpan.FromSeconds(30);

    public async Task InitializeAsync() => Queue = await OpenAsync();

    public async Task DisposeAsync() => await CloseAsync();

    /// <summary>Opens an empty queue.</summary>
    protected abstract Task<IJobQueue> OpenAsync();

    /// <summary>Closes and deletes it.</summary>
    protected abstract Task CloseAsync();

    /// <summary>Lets time pass for the queue.</summary>
    protected abstract Task PassAsync(TimeSpan time);

    [Fact]
    public async Task An_empty_queue_gives_nothing() => (await TakeAsync()).ShouldBeNull();

    [Fact]
    public async Task An_id_comes_out_as_it_went_in()
    {
        var id = await EnqueueAsync();

        var delivery = await TakeAsync();

        delivery.ShouldNotBeNull();
        (delivery.Job, delivery.Queue).ShouldBe((id, Engine));
        delivery.Receipt.ShouldNotBeNullOrEmpty();
    }

    [Fact]
    public async Task Each_id_is_taken_once_however_many_take()
    {
        var ids = new HashSet<JobId>();
        for (var i = 0; i < 100; i++)
            ids.Add(await EnqueueAsync());

        var taken = await Task.WhenAll(Enumerable.Range(0, 150).Select(_ => Task.Run(() => TakeAsync())));

        taken.Count(t => t is not null).ShouldBe(100);
        taken.Where(t => t is not null).Select(t => t!.Job).ShouldBe(ids, ignoreOrder: true);
    }

    [Fact]
    public async Task Ids_come_in_the_order_in_which_they_were_put_in()
    {
        var ids = new List<JobId>();
        for (var i = 0; i < 20; i++)
            ids.Add(await EnqueueAsync());

        foreach (var id in ids)
            (await TakeAsync())!.Job.ShouldBe(id);
    }

    [Fact]
    public async Task An_id_that_is_held_is_hidden()
    {
        await EnqueueAsync();
        (await TakeAsync()).ShouldNotBeNull();

        (await TakeAsync()).ShouldBeNull();
        await PassAsync(Hold / 2);
        (await TakeAsync()).ShouldBeNull();
    }

    [Fact]
    public async Task A_lost_delivery_passes_on()
    {
        var id = await EnqueueAsync();
        var first = await TakeAsync();
        await PassAsync(Hold);

        var second = await TakeAsync();

        second!.Job.ShouldBe(id);
        second.ShouldNotBe(first);
    }

    [Fact]
    public async Task A_delivery_that_is_extended_stays_hidden()
    {
        await EnqueueAsync();
        var delivery = (await TakeAsync())!;
        for (var i = 0; i < 4; i++)
        {
            await PassAsync(Hold / 2);
            await Queue.ExtendAsync(delivery, Hold, default);
            (await TakeAsync()).ShouldBeNull();
        }
        await PassAsync(Hold);
        (await TakeAsync()).ShouldNotBeNull();
    }

    [Fact]
    public async Task A_completed_id_never_returns()
    {
        await EnqueueAsync();
        await Queue.CompleteAsync((await TakeAsync())!, default);

        await PassAsync(Hold * 2);

        (await TakeAsync()).ShouldBeNull();
        (await Queue.DepthAsync(Engine, default)).ShouldBe(new QueueDepth(0, 0));
    }

    [Fact]
    public async Task Whoever_lost_a_delivery_can_do_nothing_to_the_next_one()
    {
        var id = await EnqueueAsync();
        var lost = (await TakeAsync())!;
        await PassAsync(Hold);
        var current = (await TakeAsync())!;

        await Queue.CompleteAsync(lost, default);
        await Queue.ReturnAsync(lost, TimeSpan.Zero, default);
        await Queue.ExtendAsync(lost, Hold * 10, default);

        (await TakeAsync()).ShouldBeNull("the current delivery is still held");
        await PassAsync(Hold);
        (await TakeAsync())!.Job.ShouldBe(id, "and lasts as long as it was to last");
        current.Job.ShouldBe(id);
    }

    [Fact]
    public async Task Completing_twice_does_no_harm_to_the_id_when_it_comes_back()
    {
        var id = await EnqueueAsync();
        var delivery = (await TakeAsync())!;
        await Queue.CompleteAsync(delivery, default);
        await Queue.EnqueueAsync(id, Engine, JobPriority.Normal, TimeSpan.Zero, default);

        await Queue.CompleteAsync(delivery, default);

        (await TakeAsync())!.Job.ShouldBe(id);
    }

    [Fact]
    public async Task A_returned_id_waits_for_its_delay()
    {
        var id = await EnqueueAsync();
        await Queue.ReturnAsync((await TakeAsync())!, Hold * 2, default);

        (await TakeAsync()).ShouldBeNull();
        await PassAsync(Hold);
        (await TakeAsync()).ShouldBeNull();
        await PassAsync(Hold);
        (await TakeAsync())!.Job.ShouldBe(id);
    }

    [Fact]
    public async Task An_id_put_in_for_later_comes_later()
    {
        var later = await EnqueueAsync(delay: Hold);
        var now = await EnqueueAsync();

        (await TakeAsync())!.Job.ShouldBe(now);
        (await TakeAsync()).ShouldBeNull();
        await PassAsync(Hold);
        (await TakeAsync())!.Job.ShouldBe(later);
    }

    [Fact]
    public async Task An_id_put_in_again_while_it_is_held_is_to_be_had_again()
    {
        var id = await EnqueueAsync();
        await TakeAsync();

        await Queue.EnqueueAsync(id, Engine, JobPriority.Normal, TimeSpan.Zero, default);

        (await TakeAsync())!.Job.ShouldBe(id);
    }

    [Fact]
    public async Task Engines_have_queues_of_their_own()
    {
        var detect = await EnqueueAsync();
        var classify = await EnqueueAsync(OtherEngine);

        (await TakeAsync(OtherEngine))!.Job.ShouldBe(classify);
        (await TakeAsync(OtherEngine)).ShouldBeNull();
        (await Queue.DepthAsync(OtherEngine, default)).ShouldBe(new QueueDepth(0, 1));
        (await Queue.DepthAsync(Engine, default)).ShouldBe(new QueueDepth(1, 0));
        (await TakeAsync(OtherEngine, Engine))!.Job.ShouldBe(detect);
    }

    [Fact]
    public async Task Models_have_queues_of_their_own()
    {
        var (mine, others) = (QueueNames.Of(Engine, "yolox_nano"), QueueNames.Of(Engine, "a model, with a name: of its own"));
        var first = await EnqueueAsync(others);
        var second = await EnqueueAsync(mine);

        (await TakeAsync(mine, Engine))!.Job.ShouldBe(second);
        (await TakeAsync(mine, Engine)).ShouldBeNull("what is left is for a model that this worker lacks");
        var delivery = (await TakeAsync(others, mine)).ShouldNotBeNull();
        (delivery.Job, delivery.Queue).ShouldBe((first, others));
    }

    [Fact]
    public async Task Whoever_serves_several_engines_gets_ids_of_each()
    {
        var ids = new[] { await EnqueueAsync(), await EnqueueAsync(OtherEngine), await EnqueueAsync() };

        var taken = new List<JobId>();
        for (var i = 0; i < ids.Length; i++)
            taken.Add((await TakeAsync(Engine, OtherEngine))!.Job);

        taken.ShouldBe(ids, ignoreOrder: true);
    }

    [Fact]
    public async Task The_depth_counts_what_waits_and_what_is_out()
    {
        (await Queue.DepthAsync(Engine, default)).ShouldBe(new QueueDepth(0, 0));
        for (var i = 0; i < 3; i++)
            await EnqueueAsync();
        await EnqueueAsync(delay: Hold * 3);
        (await Queue.DepthAsync(Engine, default)).ShouldBe(new QueueDepth(4, 0));

        var first = (await TakeAsync())!;
        await TakeAsync();
        (await Queue.DepthAsync(Engine, default)).ShouldBe(new QueueDepth(2, 2));

        await Queue.CompleteAsync(first, default);
        (await Queue.DepthAsync(Engine, default)).ShouldBe(new QueueDepth(2, 1));

        await PassAsync(Hold);
        (await Queue.DepthAsync(Engine, default)).ShouldBe(new QueueDepth(3, 0));
    }

    [Fact]
    public async Task Whoever_waits_gets_the_next_id()
    {
        var waiting = TakeAsync(LongWait);
        var id = await EnqueueAsync();

        (await waiting.WaitAsync(Patience))!.Job.ShouldBe(id);
    }

    [Fact]
    public async Task Of_many_who_wait_each_id_goes_to_one()
    {
        var waiting = Enumerable.Range(0, 20).Select(_ => TakeAsync(LongWait)).ToList();
        var ids = new List<JobId>();
        for (var i = 0; i < 20; i++)
            ids.Add(await EnqueueAsync());

        var taken = await Task.WhenAll(waiting).WaitAsync(Patience);

        taken.Select(t => t!.Job).ShouldBe(ids, ignoreOrder: true);
    }

    [Fact]
    public async Task Whoever_waits_for_another_engine_goes_on_waiting()
    {
        using var stop = new CancellationTokenSource();
        var other = Queue.TakeAsync([OtherEngine], Hold, LongWait, stop.Token);
        var mine = TakeAsync(LongWait);

        var id = await EnqueueAsync();

        (await mine.WaitAsync(Patience))!.Job.ShouldBe(id);
        other.IsCompleted.ShouldBeFalse();
        await stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => other);
    }

    [Fact]
    public async Task Whoever_waits_gets_an_id_whose_time_comes()
    {
        var held = await EnqueueAsync();
        var first = (await TakeAsync())!;
        var delayed = await EnqueueAsync(delay: Hold / 2);
        var waiting = new[] { TakeAsync(Hold * 20), TakeAsync(Hold * 20) };

        var taken = await PassUntilAsync(Task.WhenAll(waiting), Hold / 2);

        taken.Select(t => t!.Job).ShouldBe([held, delayed], ignoreOrder: true);
        taken.ShouldNotContain(first);
    }

    [Fact]
    public async Task Waiting_ends_with_nothing()
    {
        var waiting = TakeAsync(TimeSpan.FromSeconds(1));

        (await PassUntilAsync(waiting, TimeSpan.FromSeconds(1))).ShouldBeNull();
    }

    [Fact]
    public async Task Cancelling_ends_the_wait_and_loses_no_id()
    {
        using var stop = new CancellationTokenSource();
        var waiting = Queue.TakeAsync([Engine], Hold, LongWait, stop.Token);
        await stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => waiting);

        var id = await EnqueueAsync();
        (await TakeAsync())!.Job.ShouldBe(id);
    }

    [Fact]
    public async Task An_id_is_not_lost_to_someone_who_cancels_as_it_comes()
    {
        for (var round = 0; round < 50; round++)
        {
            using var stop = new CancellationTokenSource();
            var waiting = Queue.TakeAsync([Engine], Hold, LongWait, stop.Token);
            var cancelling = Task.Run(stop.Cancel);
            var id = await EnqueueAsync();
            await cancelling;

            Delivery? delivery;
            try
            {
                delivery = await waiting;
            }
            catch (OperationCanceledException)
            {
                delivery = await TakeAsync();
            }
            delivery!.Job.ShouldBe(id);
            await Queue.CompleteAsync(delivery, default);
        }
    }

    [Fact]
    public async Task Urgent_ids_go_first_and_none_starves()
    {
        var low = await EnqueueAsync(priority: JobPriority.Low);
        var normal = await EnqueueAsync();
        var high = new List<JobId>();
        for (var i = 0; i < 3 * PriorityTurns.Cycle; i++)
            high.Add(await EnqueueAsync(priority: JobPriority.High));

        var taken = new List<JobId>();
        while (await TakeAsync() is { } delivery)
            taken.Add(delivery.Job);

        taken.Take(3).ShouldBe(high.Take(3));
        taken.Where(high.Contains).ShouldBe(high, "within a level the oldest goes first");
        taken.IndexOf(normal).ShouldBeLessThan(PriorityTurns.Cycle);
        taken.IndexOf(low).ShouldBeLessThan(PriorityTurns.Cycle);
        taken.Count.ShouldBe(high.Count + 2);
    }

    [Fact]
    public async Task Levels_come_before_queues()
    {
        var first = await EnqueueAsync(Engine, priority: JobPriority.Low);
        var second = await EnqueueAsync(OtherEngine, priority: JobPriority.High);

        (await TakeAsync(Engine, OtherEngine))!.Job.ShouldBe(second);
        (await TakeAsync(Engine, OtherEngine))!.Job.ShouldBe(first);
    }

    [Fact]
    public async Task A_receipt_that_means_nothing_has_no_effect()
    {
        var id = await EnqueueAsync();
        var made = new Delivery(id, Engine, "made up");

        await Queue.CompleteAsync(made, default);
        await Queue.ReturnAsync(made, Hold, default);
        await Queue.ExtendAsync(made, Hold, default);

        (await TakeAsync())!.Job.ShouldBe(id);
    }

    private async Task<JobId> EnqueueAsync(string engine = Engine, TimeSpan delay = default, JobPriority priority = JobPriority.Normal)
    {
        var id = JobId.New(RandomSource.System);
        await Queue.EnqueueAsync(id, engine, priority, delay, default);
        return id;
    }

    private Task<Delivery?> TakeAsync(params string[] engines) =>
        Queue.TakeAsync(engines.Length == 0 ? [Engine] : engines, Hold, NoWait, default);

    private Task<Delivery?> TakeAsync(TimeSpan wait) => Queue.TakeAsync([Engine], Hold, wait, default);

    private async Task<T> PassUntilAsync<T>(Task<T> task, TimeSpan step)
    {
        while (!task.IsCompleted)
        {
            await PassAsync(step);
            await Task.WhenAny(task, Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System));
        }
        return await task;
    }
}
