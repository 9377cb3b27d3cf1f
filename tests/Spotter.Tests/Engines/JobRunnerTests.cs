using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging.Abstractions;
using Spotter.Core;
using Spotter.Core.Images;
using Spotter.Engines;
using Spotter.Engines.Running;
using Spotter.Jobs;

namespace Spotter.Tests.Engines;

/// <summary>However an engine ends, it is one of three outcomes.</summary>
public sealed class JobRunnerTests : IDisposable
{
    private static readonly byte[] Content = [1, 2, 3];

    private readonly LoadedModels models = new();
    private readonly CancellationTokenSource cancel = new();
    private readonly MemoryBudget memory = new(1000);

    public void Dispose()
    {
        models.Dispose();
        cancel.Dispose();
    }

    [Fact]
    public void A_job_that_ran_out_of_memory_beside_others_is_tried_again_alone()
    {
        var retry = Run(_ => TakeAll()).ShouldBeOfType<JobOutcome.Retry>();

        (retry.SpendAttempt, retry.TakesWorker).ShouldBe((true, true));
    }

    [Fact]
    public void A_job_that_ran_out_of_memory_alone_is_too_complex() =>
        Run(_ => TakeAll(), isolated: true).ShouldBeOfType<JobOutcome.Reject>().Error.Code.ShouldBe(ErrorCodes.ImageTooComplex);

    [Fact]
    public void Pixels_that_find_no_memory_are_no_fault_of_the_picture_either()
    {
        static EngineResult Full(EngineJob job)
        {
            try
            {
                return TakeAll();
            }
            catch (OutOfMemoryException full)
            {
                throw new SpotterException(ErrorCodes.ImageTooComplex, "There is not enough memory.", full);
            }
        }

        Run(Full).ShouldBeOfType<JobOutcome.Retry>().TakesWorker.ShouldBeTrue();
        Run(Full, isolated: true).ShouldBeOfType<JobOutcome.Reject>().Error.Code.ShouldBe(ErrorCodes.ImageTooComplex);
        Run(_ => throw new SpotterException(ErrorCodes.ImageTooComplex, "5000 scans.")).ShouldBeOfType<JobOutcome.Reject>();
    }

    [Theory]
    [InlineData(ErrorCodes.UnknownModel)]
    [InlineData(ErrorCodes.DiskFull)]
    [InlineData(ErrorCodes.StoreUnavailable)]
    public void What_only_this_worker_lacks_costs_no_attempt(string code) =>
        Run(_ => throw new SpotterException(code, "not here")).ShouldBeOfType<JobOutcome.Retry>().SpendAttempt.ShouldBeFalse();

    [Fact]
    public void A_fault_of_ours_costs_an_attempt_and_is_told_to_nobody()
    {
        var retry = Run(_ => throw new InvalidOperationException("a detail of ours")).ShouldBeOfType<JobOutcome.Retry>();

        (retry.SpendAttempt, retry.TakesWorker, retry.Error.Code).ShouldBe((true, false, ErrorCodes.Internal));
        retry.Error.Detail.ShouldNotContain("a detail of ours");
    }

    [Fact]
    public void An_engine_that_nobody_wants_to_end_may_stop_and_costs_nothing()
    {
        var outcome = Run(_ =>
        {
            cancel.Cancel();
            throw new OperationCanceledException();
        });

        outcome.ShouldBeOfType<JobOutcome.Retry>().SpendAttempt.ShouldBeFalse();
    }

    [Fact]
    public void An_engine_that_this_worker_has_not_costs_no_attempt() =>
        Runner(null).Run([Input(Job("new"), Content)])[0].Outcome.ShouldBeOfType<JobOutcome.Retry>().SpendAttempt.ShouldBeFalse();

    [Fact]
    public void Progress_reaches_who_asked_for_the_run()
    {
        var told = new Told();
        var engine = new FakeEngine((_, progress) =>
        {
            progress.Report(0.5);
            return Done();
        });

        Runner(engine).Run([new JobInput(Job("fake"), [new EngineInput(Content)], told, default)])[0].Outcome.ShouldBeOfType<JobOutcome.Done>();

        told.Values.ShouldBe([0.5]);
    }

    [Fact]
    public void An_input_in_a_file_is_checked_as_well()
    {
        using var folder = new TemporaryFolder();
        var (good, bad) = (Path.Combine(folder.Path, "good"), Path.Combine(folder.Path, "bad"));
        File.WriteAllBytes(good, Content);
        File.WriteAllBytes(bad, [3, 2, 1]);
        string? seen = null;
        var runner = Runner(new FakeEngine((job, _) =>
        {
            seen = job.Inputs[0].File;
            return Done();
        }));

        runner.Run([new JobInput(Job("fake"), [new EngineInput(good, Sha(good))], new Told(), default)])[0].Outcome.ShouldBeOfType<JobOutcome.Done>();
        seen.ShouldBe(good);
        runner.Run([new JobInput(Job("fake"), [new EngineInput(bad, Sha(bad))], new Told(), default)])[0].Outcome.ShouldBeOfType<JobOutcome.Reject>().Error.Code.ShouldBe(ErrorCodes.BlobCorrupt);
    }

    [Fact]
    public void A_job_that_can_never_fit_into_the_memory_is_refused_and_takes_nothing()
    {
        var runner = Runner(new FakeEngine((_, _) => throw new InvalidOperationException("It ran.")) { Memory = 1001 });
        var job = Input(Job("fake"), Content);

        using var room = runner.Enter([job], default);
        memory.Taken.ShouldBe(0);
        var refused = runner.Run([job])[0].Outcome.ShouldBeOfType<JobOutcome.Reject>().Error;

        refused.Code.ShouldBe(ErrorCodes.ImageTooComplex);
        refused.Detail.ShouldContain("MiB of memory");
    }

    [Fact]
    public async Task A_job_that_does_not_fit_beside_the_others_waits_until_it_does()
    {
        var runner = Runner(new FakeEngine((_, _) => Done()) { Memory = 600 });
        var first = runner.Enter([Input(Job("fake"), Content)], default);
        memory.Taken.ShouldBe(600);

        var second = Task.Run(() => runner.Enter([Input(Job("fake"), Content)], default));
        using (var unwanted = new CancellationTokenSource())
        {
            var third = Task.Run(() => runner.Enter([Input(Job("fake"), Content)], unwanted.Token));
            await unwanted.CancelAsync();
            (await third).ShouldBeNull();
        }
        second.IsCompleted.ShouldBeFalse();
        first!.Dispose();
        using (await second)
            memory.Taken.ShouldBe(600);
        memory.Taken.ShouldBe(0);
    }

    [Fact]
    public void Jobs_that_run_together_take_their_memory_together_at_most_all()
    {
        var runner = Runner(new FakeEngine((_, _) => Done()) { Memory = 400 });
        var jobs = Enumerable.Range(0, 3).Select(_ => Input(Job("fake"), Content)).ToList();

        using (runner.Enter(jobs[..2], default))
            memory.Taken.ShouldBe(800);
        using (runner.Enter(jobs, default))
            memory.Taken.ShouldBe(1000);
    }

    private JobOutcome Run(Func<EngineJob, EngineResult> run, bool isolated = false) =>
        Runner(new FakeEngine((job, _) => run(job))).Run([Input(Job("fake", isolated), Content)])[0].Outcome;

    private JobRunner Runner(IEngine? engine) =>
        new(new EngineHost(models, new ImageLimits(), RandomSource.System), memory, NullLogger<JobRunner>.Instance, name => engine?.Name == name ? engine : null);

    private static string Sha(string file) => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file)));

    private JobInput Input(Job job, byte[] content) => new(job, [new EngineInput(content)], new Told(), cancel.Token);

    /// <summary>More than any machine has.</summary>
    private static unsafe EngineResult TakeAll()
    {
        NativeMemory.Free(NativeMemory.Alloc(nuint.MaxValue));
        return Done();
    }

    private static EngineResult Done() => new(RawJson.EmptyObject, new JobTimings());

    private static Job Job(string engine, bool isolated = false) => new()
    {
        Id = JobId.New(RandomSource.System, TimeProvider.System),
        Spec = new JobSpec { Engine = engine, Inputs = [new InputRef("in/a", "image/png", Content.Length, Convert.ToHexStringLower(SHA256.HashData(Content)))] },
        State = JobState.Running,
        Created = default,
        Isolated = isolated,
    };

    private sealed class Told : IProgress<double>
    {
        public List<double> Values { get; } = [];

        public void Report(double value) => Values.Add(value);
    }

    private sealed class FakeEngine(Func<EngineJob, IProgress<double>, EngineResult> run) : IEngine
    {
        public long Memory { get; init; }

        public long MemoryOf(EngineJob job) => Memory;

        public string Name => "fake";

        public bool NeedsModel => false;

        public EngineLimits Limits { get; } = new();

        public bool Takes(ModelInfo model) => false;

        public EngineResult Run(EngineJob job, IProgress<double> progress, CancellationToken cancel) => run(job, progress);
    }
}
