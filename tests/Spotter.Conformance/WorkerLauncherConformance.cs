using System.Collections.Concurrent;
using Spotter.Scaling;

namespace Spotter.Conformance;

/// <summary>What every <see cref="IWorkerLauncher"/> does, whatever its workers are. A new fleet adds a subclass and nothing else.</summary>
public abstract class WorkerLauncherConformance : IAsyncLifetime
{
    private static readonly TimeSpan Safety = TimeSpan.FromSeconds(60);

    private readonly ConcurrentQueue<WorkerExit> exits = new();

    protected ManualClock Clock { get; } = new();

    /// <summary>The launcher, with no workers.</summary>
    protected abstract IWorkerLauncher Launcher { get; }

    /// <summary>From now on no worker can be started.</summary>
    protected abstract void RunOut();

    /// <summary>Lets a worker end by itself, with status 9.</summary>
    protected abstract void Crash(string worker);

    public Task InitializeAsync()
    {
        Launcher.Exited = exits.Enqueue;
        return Task.CompletedTask;
    }

    public abstract Task DisposeAsync();

    [Fact]
    public async Task There_is_nobody_before_one_is_started() => (await NamesAsync()).ShouldBeEmpty();

    [Fact]
    public async Task Those_started_are_listed_at_once_each_under_a_name_and_with_its_age()
    {
        (await Launcher.StartAsync(2, default)).ShouldBe(2);
        Clock.Advance(TimeSpan.FromSeconds(3));
        (await Launcher.StartAsync(1, default)).ShouldBe(1);

        var workers = await Launcher.ListAsync(default);
        workers.Select(w => w.Name).Distinct(StringComparer.Ordinal).Count().ShouldBe(3);
        workers.Select(w => w.Age.TotalSeconds).Order().ShouldBe([0, 3, 3]);
    }

    [Fact]
    public async Task Listing_changes_nothing_however_old_they_are()
    {
        await Launcher.StartAsync(1, default);
        var before = await NamesAsync();
        Clock.Advance(TimeSpan.FromDays(1));

        for (var i = 0; i < 3; i++)
            (await NamesAsync()).ShouldBe(before);

        exits.ShouldBeEmpty();
    }

    [Fact]
    public async Task One_that_is_stopped_ends_and_the_others_stay()
    {
        await Launcher.StartAsync(2, default);
        var names = await NamesAsync();

        await Launcher.StopAsync(names[0], default);

        await GoneAsync(names[0]);
        (await NamesAsync()).ShouldHaveSingleItem().ShouldBe(names[1]);
    }

    [Fact]
    public async Task Stopping_one_that_is_gone_or_never_was_changes_nothing()
    {
        await Launcher.StartAsync(2, default);
        var names = await NamesAsync();
        await Launcher.StopAsync(names[0], default);
        await GoneAsync(names[0]);

        await Launcher.StopAsync(names[0], default);
        await Launcher.StopAsync("nobody", default);

        (await NamesAsync()).ShouldHaveSingleItem().ShouldBe(names[1]);
    }

    [FactThatNeeds(Ability.Ends)]
    public async Task An_end_that_was_ordered_is_reported_once()
    {
        await Launcher.StartAsync(1, default);
        var name = (await NamesAsync())[0];
        await Launcher.StopAsync(name, default);
        await GoneAsync(name);

        await Launcher.StopAsync(name, default);
        await Launcher.StopAsync("nobody", default);

        exits.ShouldHaveSingleItem().Worker.ShouldBe(name);
    }

    [FactThatNeeds(Ability.Ends)]
    public async Task One_that_ends_by_itself_is_reported_before_it_is_missing_from_the_list()
    {
        await Launcher.StartAsync(1, default);
        var name = (await NamesAsync())[0];
        var listed = new TaskCompletionSource<IReadOnlyList<string>>(TaskCreationOptions.RunContinuationsAsynchronously);
        Launcher.Exited = exit =>
        {
            exits.Enqueue(exit);
            listed.TrySetResult([.. Launcher.ListAsync(default).GetAwaiter().GetResult().Select(w => w.Name)]);
        };

        Crash(name);

        (await listed.Task.WaitAsync(Safety)).ShouldHaveSingleItem().ShouldBe(name);
        await GoneAsync(name);
        var exit = exits.ShouldHaveSingleItem();
        (exit.Worker, exit.Status).ShouldBe((name, 9));
    }

    [Fact]
    public async Task When_no_more_can_be_started_it_says_how_many_were()
    {
        await Launcher.StartAsync(1, default);
        RunOut();

        (await Launcher.StartAsync(2, default)).ShouldBe(0);

        (await NamesAsync()).Count.ShouldBe(1);
    }

    [Fact]
    public async Task No_name_is_used_twice()
    {
        await Launcher.StartAsync(1, default);
        var first = (await NamesAsync())[0];
        await Launcher.StopAsync(first, default);
        await GoneAsync(first);

        await Launcher.StartAsync(1, default);

        (await NamesAsync()).ShouldHaveSingleItem().ShouldNotBe(first, StringComparer.Ordinal);
    }

    private async Task<IReadOnlyList<string>> NamesAsync() => [.. (await Launcher.ListAsync(default)).Select(w => w.Name).Order(StringComparer.Ordinal)];

    private async Task GoneAsync(string worker)
    {
        using var safety = new CancellationTokenSource(Safety);
        while ((await NamesAsync()).Contains(worker, StringComparer.Ordinal))
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, safety.Token);
    }
}
