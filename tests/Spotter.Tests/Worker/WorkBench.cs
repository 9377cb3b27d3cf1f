using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Threading.Channels;
using Microsoft.Extensions.Logging.Abstractions;
using Spotter.Backends;
using Spotter.Core;
using Spotter.Engines.Annotate;
using Spotter.Jobs;
using Spotter.Tests.Jobs;
using Spotter.Vision;
using Spotter.Worker;

namespace Spotter.Tests.Worker;

/// <summary>
/// A work loop on the real store, queue and blobs, under a clock that stands still. Instead of a model, the test
/// decides when each run ends.
/// </summary>
internal sealed class WorkBench : IAsyncDisposable
{
    public static readonly TimeSpan Safety = TimeSpan.FromSeconds(60);
    public static readonly TimeSpan Hold = TimeSpan.FromSeconds(30);

    private readonly LocalFixture fixture = new();
    private readonly Backend backend;
    private readonly ConcurrentDictionary<JobId, TaskCompletionSource<JobRun>> ends = new();
    private readonly Channel<Job> started = Channel.CreateUnbounded<Job>();
    private readonly CancellationTokenSource following = new();
    private readonly Task feed;
    private WorkLoop? loop;
    private Task<WorkerEnd>? ended;
    private bool disposed;

    public WorkBench()
    {
        backend = fixture.Open(Clock);
        Roster = new WorkerRoster(Clock);
        Service = JobBench.Service(backend, Clock, roster: Roster);
        Source = new FaultySource(Service);
        feed = Service.Changes.RunAsync(_ => { }, following.Token);
    }

    public ManualClock Clock { get; } = new();

    public JobService Service { get; }

    /// <summary>The workers that the gateway knows of.</summary>
    public WorkerRoster Roster { get; }

    public FaultySource Source { get; }

    public IJobStore Jobs => backend.Jobs;

    public IBlobStore Blobs => backend.Blobs;

    /// <summary>How the loop ended, once it has.</summary>
    public Task<WorkerEnd> Ended => ended!.WaitAsync(Safety);

    public async Task<JobId> AddAsync(string engine = VisionTasks.Detect, string? sha256 = null)
    {
        var job = SampleJobs.New(engine);
        var input = await PutAsync(job.Spec.Inputs[0].Key, 100_000);
        return await AddAsync(job, sha256 is null ? input : input with { Sha256 = sha256 });
    }

    /// <summary>Jobs that all have the same picture, of so many bytes.</summary>
    public async Task<IReadOnlyList<JobId>> AddSharingAsync(int count, int bytes)
    {
        var input = await PutAsync(SampleJobs.New().Spec.Inputs[0].Key, bytes);
        var jobs = new List<JobId>();
        for (var i = 0; i < count; i++)
            jobs.Add(await AddAsync(SampleJobs.New(VisionTasks.Detect), input));
        return jobs;
    }

    public void Start(int lanes = 1, IJobRunner? runner = null, EngineLimits? limits = null)
    {
        var settings = new WorkerSettings { Name = "w", Lanes = lanes, JobTimeout = TimeSpan.FromSeconds(60), Heartbeat = TimeSpan.FromSeconds(5) };
        loop = new WorkLoop(Source, () => new([VisionTasks.Detect, AnnotateEngine.EngineName], default), runner ?? new OneByOne(input => Run(input.Job)) { Limits = limits ?? new() }, settings, Clock, NullLogger<WorkLoop>.Instance, Switch);
        ended = loop.RunAsync();
    }

    public void Drain() => loop!.Drain();

    /// <summary>Whether the loop takes jobs.</summary>
    public DrainSwitch Switch { get; } = new();

    /// <summary>The next job whose run has begun.</summary>
    public async Task<JobId> StartedAsync()
    {
        using var safety = new CancellationTokenSource(Safety);
        return (await started.Reader.ReadAsync(safety.Token)).Id;
    }

    /// <summary>True if a run has begun that nobody has asked for yet.</summary>
    public bool HasStarted => started.Reader.TryPeek(out _);

    /// <summary>Lets a run end, also one that has not begun.</summary>
    public void End(JobId job, JobRun? run = null) => EndOf(job).TrySetResult(run ?? new JobRun(SampleJobs.Done()));

    /// <summary>Lets time pass until the loop has given a sign of life.</summary>
    public async Task HeartbeatAsync()
    {
        var beaten = Source.NextBeat;
        while (!beaten.IsCompleted)
        {
            Clock.Advance(TimeSpan.FromSeconds(1));
            await Task.WhenAny(beaten, Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System));
        }
    }

    /// <summary>As <see cref="StartedAsync"/>, for a job that waits for its next attempt: time passes until then.</summary>
    public async Task<JobId> StartedLaterAsync()
    {
        var next = StartedAsync();
        while (!next.IsCompleted)
        {
            Clock.Advance(TimeSpan.FromMilliseconds(200));
            await Task.WhenAny(next, Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System));
        }
        return await next;
    }

    public async Task<Job> RowAsync(JobId job) => (await Jobs.FindAsync(job, default))!;

    public Task<Job> UntilAsync(JobId job, JobState state) => UntilAsync(job, row => row.State == state);

    /// <summary>The row as soon as it fits.</summary>
    public async Task<Job> UntilAsync(JobId job, Func<Job, bool> fits)
    {
        using var safety = new CancellationTokenSource(Safety);
        await using var changes = Jobs.ChangesAsync(safety.Token).GetAsyncEnumerator(safety.Token);
        while (true)
        {
            var next = changes.MoveNextAsync().AsTask();
            var row = await RowAsync(job);
            if (fits(row))
            {
                await safety.CancelAsync();
                await next.ContinueWith(static _ => { }, TaskScheduler.Default);
                return row;
            }
            await next;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (disposed)
            return;
        disposed = true;
        if (ended is { IsCompleted: false })
        {
            Drain();
            foreach (var end in ends.Keys)
                End(end);
            await Ended;
        }
        foreach (var end in ends.Keys)
            End(end);
        loop?.Dispose();
        Switch.Dispose();
        await following.CancelAsync();
        await feed;
        await Service.DisposeAsync();
        following.Dispose();
        await fixture.DisposeAsync();
    }

    private async Task<InputRef> PutAsync(string key, int count)
    {
        var bytes = new byte[count];
        RandomSource.Seeded(1).Fill(bytes);
        using var content = new MemoryStream(bytes);
        await backend.Blobs.PutAsync(key, content, default);
        return new InputRef(key, "image/jpeg", bytes.Length, Convert.ToHexStringLower(SHA256.HashData(bytes)));
    }

    private async Task<JobId> AddAsync(NewJob job, InputRef input)
    {
        await backend.Jobs.AddAsync([job.Having(s => s with { Inputs = [input] })], default);
        return job.Id;
    }

    private TaskCompletionSource<JobRun> EndOf(JobId job) =>
        ends.GetOrAdd(job, static _ => new(TaskCreationOptions.RunContinuationsAsynchronously));

    private JobRun Run(Job job)
    {
        var end = EndOf(job.Id);
        started.Writer.TryWrite(job);
        return end.Task.GetAwaiter().GetResult();
    }
}

/// <summary>Runs whatever it is told to, one job at a time.</summary>
internal sealed class OneByOne(Func<JobInput, JobRun> run) : IJobRunner
{
    public EngineLimits Limits { get; init; } = new();

    public EngineLimits LimitsOf(Job job) => Limits;

    public int AtOnce(Job job, int waiting) => 1;

    public IReadOnlyList<JobRun> Run(IReadOnlyList<JobInput> jobs) => [.. jobs.Select(run)];
}

/// <summary>The real source, whose calls can be made to fail.</summary>
internal sealed class FaultySource(JobService service) : IJobSource
{
    private int asked;
    private TaskCompletionSource beaten = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ConcurrentQueue<Exception> TakeFaults { get; } = new();

    public ConcurrentQueue<Exception> ImageFaults { get; } = new();

    public ConcurrentQueue<Exception> OutputFaults { get; } = new();

    public ConcurrentQueue<Exception> FinishFaults { get; } = new();

    public ConcurrentQueue<Stream> Images { get; } = new();

    public Exception? BeatFault { get; set; }

    /// <summary>The leases of all signs of life so far.</summary>
    public ConcurrentQueue<Lease> Beats { get; } = new();

    /// <summary>What the gateway says when the worker asks to leave; once there is nothing more, it may.</summary>
    public ConcurrentQueue<WorkerOrders> Answers { get; } = new();

    /// <summary>How often the worker has asked to leave.</summary>
    public int Asked => Volatile.Read(ref asked);

    /// <summary>Completes with the next sign of life, whether it is answered or not.</summary>
    public Task NextBeat => Volatile.Read(ref beaten).Task;

    public Task<StartedJob?> TakeAsync(string worker, IReadOnlyCollection<string> queues, TimeSpan wait, CancellationToken cancel) =>
        TakeFaults.TryDequeue(out var fault) ? throw fault : service.TakeAsync(worker, queues, wait, cancel);

    /// <summary>True for a gateway that hands in and takes several at once.</summary>
    public bool TakesSeveral { get; set; }

    /// <summary>Calls that hand something in wait for it; null when they need not.</summary>
    public Task? Held { get; set; }

    /// <summary>Called while a call hands something in.</summary>
    public Action Took { get; set; } = static () => { };

    /// <summary>Why outcomes are refused, one after the other.</summary>
    public ConcurrentQueue<JobError> Refusals { get; } = new();

    /// <summary>How many outcomes each call handed in, and how many jobs it was to take.</summary>
    public ConcurrentQueue<(int Finished, int Most)> Exchanges { get; } = new();

    public async Task<WorkerExchanged> ExchangeAsync(string worker, IReadOnlyList<WorkerFinish> finished, WantedJobs? wanted, CancellationToken cancel)
    {
        if (!TakesSeveral)
            return await IJobSource.ExchangeOneByOneAsync(this, worker, finished, wanted, cancel);
        if (finished.Count > 0)
        {
            Exchanges.Enqueue((finished.Count, wanted?.Most ?? 0));
            Took();
            await (Held ?? Task.CompletedTask);
        }
        var refused = new List<JobError?>();
        foreach (var finish in finished)
            refused.Add(Refusals.TryDequeue(out var refusal) ? refusal : await service.FinishAsync(finish.Lease, finish.Outcome, default) ? null : new JobError(ErrorCodes.LeaseLost, "lost"));
        var jobs = new List<StartedJob>();
        while (jobs.Count < wanted?.Most
            && await service.TakeAsync(worker, wanted.Queues, jobs.Count == 0 && finished.Count == 0 ? wanted.Wait : TimeSpan.Zero, cancel) is { } started)
        {
            jobs.Add(started);
        }
        return new WorkerExchanged(refused, jobs);
    }

    public Task<Stream> OpenInputAsync(StartedJob started, InputRef input, CancellationToken cancel)
    {
        if (Images.TryDequeue(out var content))
            return Task.FromResult(content);
        return ImageFaults.TryDequeue(out var fault) ? throw fault : service.OpenInputAsync(started.Lease.Worker, started.Lease.Job, input.Key, cancel);
    }

    public Task<string> PutOutputAsync(StartedJob started, ReadOnlyMemory<byte> jpeg, CancellationToken cancel) =>
        OutputFaults.TryDequeue(out var fault) ? throw fault : service.PutOutputAsync(new MemoryStream(jpeg.ToArray()), cancel);

    public async Task<string> PutOutputFileAsync(StartedJob started, string file, CancellationToken cancel)
    {
        await using var content = File.OpenRead(file);
        return OutputFaults.TryDequeue(out var fault) ? throw fault : await service.PutOutputAsync(content, cancel);
    }

    public async Task<WorkerOrders> HeartbeatAsync(string worker, IReadOnlyList<Lease> leases, CancellationToken cancel)
    {
        foreach (var lease in leases)
            Beats.Enqueue(lease);
        try
        {
            return BeatFault is { } fault ? throw fault : await service.HeartbeatAsync(worker, leases, cancel);
        }
        finally
        {
            Interlocked.Exchange(ref beaten, new(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
        }
    }

    public Task<bool> FinishAsync(Lease lease, JobOutcome outcome, CancellationToken cancel) =>
        FinishFaults.TryDequeue(out var fault) ? throw fault : service.FinishAsync(lease, outcome, cancel);

    public Task<WorkerOrders?> AskToLeaveAsync(string worker, CancellationToken cancel)
    {
        Interlocked.Increment(ref asked);
        return Task.FromResult(Answers.TryDequeue(out var answer) ? answer : null);
    }
}
