using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Threading.Channels;
using Microsoft.Extensions.Logging.Abstractions;
using Spotter.Backends;
using Spotter.Core;
using Spotter.Core.Images;
using Spotter.Core.Vision;
using Spotter.Jobs;
using Spotter.Tests.Jobs;
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
    private WorkLoop? loop;
    private Task<WorkerEnd>? ended;
    private bool disposed;

    public WorkBench()
    {
        backend = fixture.Open(Clock);
        Dispatcher = new Dispatcher(backend.Jobs, backend.Queue, backend.Blobs, Hold);
        Source = new FaultySource(Dispatcher);
    }

    public ManualClock Clock { get; } = new();

    public Dispatcher Dispatcher { get; }

    public FaultySource Source { get; }

    public IJobStore Jobs => backend.Jobs;

    public IBlobStore Blobs => backend.Blobs;

    /// <summary>How the loop ended, once it has.</summary>
    public Task<WorkerEnd> Ended => ended!.WaitAsync(Safety);

    public async Task<JobId> AddAsync(string engine = Engines.Detect, string? sha256 = null)
    {
        var id = JobId.New(RandomSource.System);
        var bytes = new byte[100_000];
        RandomSource.Seeded(1).Fill(bytes);
        using (var content = new MemoryStream(bytes))
            await backend.Blobs.PutAsync(BlobKey.Original(id), content, default);
        var image = new ImageRef(BlobKey.Original(id), ImageFormat.Jpeg, bytes.Length, sha256 ?? Convert.ToHexStringLower(SHA256.HashData(bytes)));
        await Dispatcher.AcceptAsync([SampleJobs.New(engine, id: id) with { Image = image }], default);
        return id;
    }

    public void Start(int lanes = 1, IJobRunner? runner = null)
    {
        var settings = new WorkerSettings { Name = "w", Lanes = lanes, JobTimeout = TimeSpan.FromSeconds(60), Heartbeat = TimeSpan.FromSeconds(5) };
        loop = new WorkLoop(Source, () => new([Engines.Detect, Engines.Annotate], default), runner ?? new OneByOne(Run), settings, Clock, NullLogger<WorkLoop>.Instance, Switch);
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
        await fixture.DisposeAsync();
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
internal sealed class OneByOne(Func<Job, JobRun> run) : IJobRunner
{
    public int AtOnce(Job job, int waiting) => 1;

    public IReadOnlyList<JobRun> Run(IReadOnlyList<JobInput> jobs) => [.. jobs.Select(input => run(input.Job))];
}

/// <summary>The real source, whose calls can be made to fail.</summary>
internal sealed class FaultySource(Dispatcher dispatcher) : IJobSource
{
    private int asked;
    private TaskCompletionSource beaten = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ConcurrentQueue<Exception> TakeFaults { get; } = new();

    public ConcurrentQueue<Exception> ImageFaults { get; } = new();

    public ConcurrentQueue<Exception> OutputFaults { get; } = new();

    public ConcurrentQueue<Stream> Images { get; } = new();

    public Exception? BeatFault { get; set; }

    /// <summary>What the gateway says when the worker asks to leave; once there is nothing more, it may.</summary>
    public ConcurrentQueue<WorkerOrders> Answers { get; } = new();

    /// <summary>How often the worker has asked to leave.</summary>
    public int Asked => Volatile.Read(ref asked);

    /// <summary>Completes with the next sign of life, whether it is answered or not.</summary>
    public Task NextBeat => Volatile.Read(ref beaten).Task;

    public Task<StartedJob?> TakeAsync(string worker, IReadOnlyCollection<string> queues, TimeSpan wait, CancellationToken cancel) =>
        TakeFaults.TryDequeue(out var fault) ? throw fault : dispatcher.TakeAsync(worker, queues, wait, cancel);

    public Task<Stream> OpenImageAsync(ImageRef image, CancellationToken cancel)
    {
        if (Images.TryDequeue(out var content))
            return Task.FromResult(content);
        return ImageFaults.TryDequeue(out var fault) ? throw fault : dispatcher.OpenImageAsync(image, cancel);
    }

    public Task<string> PutOutputAsync(Lease lease, ReadOnlyMemory<byte> jpeg, CancellationToken cancel) =>
        OutputFaults.TryDequeue(out var fault) ? throw fault : dispatcher.PutOutputAsync(lease, jpeg, cancel);

    public async Task<WorkerOrders> HeartbeatAsync(string worker, IReadOnlyList<Lease> leases, CancellationToken cancel)
    {
        try
        {
            return BeatFault is { } fault ? throw fault : await dispatcher.HeartbeatAsync(worker, leases, cancel);
        }
        finally
        {
            Interlocked.Exchange(ref beaten, new(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
        }
    }

    public Task<bool> FinishAsync(Lease lease, JobOutcome outcome, CancellationToken cancel) => dispatcher.FinishAsync(lease, outcome, cancel);

    public Task<WorkerOrders?> AskToLeaveAsync(string worker, CancellationToken cancel)
    {
        Interlocked.Increment(ref asked);
        return Task.FromResult(Answers.TryDequeue(out var answer) ? answer : null);
    }
}
