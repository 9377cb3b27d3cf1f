using Spotter.Backends;
using Spotter.Backends.Opening;
using Spotter.Core;
using Spotter.Core.Settings;
using Spotter.Jobs;

namespace Spotter.Tests.Jobs;

/// <summary>Jobs for two models go to workers that have both, and to nobody else.</summary>
public sealed class PairTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly TemporaryFolder folder = new();
    private Backend backend = null!;
    private readonly CancellationTokenSource stop = new();
    private JobService service = null!;
    private Task running = Task.CompletedTask;

    public Task InitializeAsync()
    {
        backend = BackendFactory.Open(GivenSettings.Reader(), folder.Path, new RetrySchedule(), RandomSource.System, TimeProvider.System);
        service = JobBench.Service(backend, TimeProvider.System);
        running = service.RunAsync(_ => { }, () => { }, stop.Token);
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await stop.CancelAsync();
        await running;
        await service.DisposeAsync();
        stop.Dispose();
        await backend.DisposeAsync();
        folder.Dispose();
    }

    [Theory]
    [InlineData("detect", null, null, "detect")]
    [InlineData("detect", "a", null, "detect/a")]
    [InlineData("detect", "a b", "c:d", "detect/a b/c:d")]
    public void A_queue_says_what_it_is_for(string engine, string? model, string? then, string queue)
    {
        QueueNames.Of(engine, model, then).ShouldBe(queue);
        (QueueNames.EngineOf(queue), QueueNames.ModelOf(queue), QueueNames.ThenOf(queue)).ShouldBe((engine, model, then));
        QueueNames.ModelsOf(queue).ShouldBe(((string?[])[model, then]).OfType<string>());
    }

    [Fact]
    public async Task A_worker_that_waits_gets_it_once_it_comes_if_it_has_both_models()
    {
        var lacking = TakeAsync("lacking", Patience, ["detect/a", "detect/c"]);
        var having = TakeAsync("having", Patience, ["detect/a", "classify/b"]);

        var pair = await AddAsync(Pair("a", "b"));
        (await having.WaitAsync(Patience))!.Job.Id.ShouldBe(pair);
        lacking.IsCompleted.ShouldBeFalse();

        // Which still is given what it can do.
        var plain = await AddAsync(SampleJobs.New(model: "a"));
        (await lacking.WaitAsync(Patience))!.Job.Id.ShouldBe(plain);
    }

    [Fact]
    public async Task One_that_is_there_already_is_found_by_a_gateway_that_starts()
    {
        var pair = await AddAsync(Pair("a", "b"));
        await using var later = JobBench.Service(backend, TimeProvider.System);
        (await later.TakeAsync("w", ["detect/a", "classify/b"], pairs: true, TimeSpan.Zero, default)).ShouldBeNull("nobody has told it of such jobs");

        await later.Backlog.ReadAsync(default);

        (await later.TakeAsync("w", ["classify/b"], pairs: true, TimeSpan.Zero, default)).ShouldBeNull();
        (await later.TakeAsync("w", ["detect/a"], pairs: true, TimeSpan.Zero, default)).ShouldBeNull();
        (await later.TakeAsync("w", ["detect/b", "classify/a"], pairs: true, TimeSpan.Zero, default)).ShouldBeNull("these are the other way round");
        (await later.TakeAsync("old", ["detect/a", "classify/b"], pairs: false, TimeSpan.Zero, default)).ShouldBeNull("it would run the first model only");
        (await later.TakeAsync("w", ["detect/a", "classify/b"], pairs: true, TimeSpan.Zero, default))!.Job.Id.ShouldBe(pair);
    }

    [Fact]
    public async Task A_model_may_look_at_what_it_has_found_itself()
    {
        var pair = await AddAsync(Pair("a", "a"));

        (await TakeAsync("w", TimeSpan.FromSeconds(5), ["detect/a"]))!.Job.Id.ShouldBe(pair);
    }

    [Fact]
    public void Jobs_for_two_models_wait_for_a_worker_with_both_and_say_so()
    {
        var roster = new WorkerRoster(TimeProvider.System);
        var catalogue = new ModelCatalogue([new ModelInfo("a", "detect", "yolov8", 64, 64, []), new ModelInfo("b", "classify", "classifier", 64, 64, [])]);
        var queues = new UnservedQueues(catalogue, roster);
        roster.Join("one", 1, [new WorkerModel("a", "1")]);
        queues.ReasonFor("detect/a/b").ShouldBe("No worker has the model 'b' yet; the job waits until one has.");
        queues.ReasonFor("detect/a/gone")!.ShouldContain("The model 'gone' is not here any more");

        roster.Join("two", 1, [new WorkerModel("b", "1")]);
        queues.ReasonFor("detect/a/b").ShouldBe("No worker has both models, 'a' and 'b', yet; the job waits until one has.");
        roster.HasFreeLane("none", ["a", "b"]).ShouldBeFalse();

        catalogue.AreTogether = static (_, _) => false;
        (queues.MayBeServed("detect/a/b"), queues.MayBeServed("detect/a")).ShouldBe((false, true));
        queues.ReasonFor("detect/a/b")!.ShouldEndWith("Where there are pools, put both into one.");

        roster.Join("both", 1, [new WorkerModel("a", "1"), new WorkerModel("b", "1")]);
        (queues.MayBeServed("detect/a/b"), queues.ReasonFor("detect/a/b")).ShouldBe((true, null));
        roster.HasFreeLane("none", ["a", "b"]).ShouldBeTrue();
    }

    private Task<StartedJob?> TakeAsync(string worker, TimeSpan wait, IReadOnlyList<string> queues) => service.TakeAsync(worker, queues, pairs: true, wait, default);

    private async Task<JobId> AddAsync(NewJob job)
    {
        await backend.Jobs.AddAsync([job], default);
        return job.Id;
    }

    private static NewJob Pair(string model, string then) => SampleJobs.New(model: model).Having(s => s with { Then = then });
}
