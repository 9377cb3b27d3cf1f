using System.Collections.Concurrent;
using Spotter.Backends;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Tests.Jobs;

/// <summary>Workers that take jobs for models of the queue <c>detect</c> and finish them at once, through each of some gateways.</summary>
internal sealed class Workers : IAsyncDisposable
{
    private const int OfEach = 4;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly CancellationTokenSource ended = new();
    private readonly List<JobService> services = [];
    private readonly Task working;
    private readonly SemaphoreSlim happened = new(0);

    public Workers(IReadOnlyList<Backend> gateways)
    {
        services.AddRange(gateways.Select(g => JobBench.Service(g, TimeProvider.System)));
        working = Task.WhenAll(services.SelectMany((service, i) => Enumerable.Range(0, OfEach).Select(n => Task.Run(() => WorkAsync(service, $"w{i}-{n}")))));
    }

    /// <summary>The jobs that were finished, each as often as it was.</summary>
    public ConcurrentQueue<JobId> Finished { get; } = [];

    /// <summary>What a worker last heard instead of a job.</summary>
    public SpotterException? Refusal { get; private set; }

    /// <summary>Until so many jobs are finished.</summary>
    public Task UntilAsync(int count) => UntilAsync(() => Finished.Count >= count);

    /// <summary>Until a worker is refused.</summary>
    public Task UntilRefusedAsync() => UntilAsync(() => Refusal is not null);

    public async ValueTask DisposeAsync()
    {
        await ended.CancelAsync();
        await working;
        foreach (var service in services)
            await service.DisposeAsync();
        ended.Dispose();
        happened.Dispose();
    }

    private async Task UntilAsync(Func<bool> reached)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (!reached())
            await happened.WaitAsync(patience.Token);
    }

    private async Task WorkAsync(JobService service, string worker)
    {
        while (!ended.IsCancellationRequested)
        {
            try
            {
                if (await service.TakeAsync(worker, ["detect"], TimeSpan.FromSeconds(5), ended.Token) is { } started
                    && await service.FinishAsync(started.Lease, SampleJobs.Done(), CancellationToken.None))
                    Finished.Enqueue(started.Job.Id);
            }
            catch (SpotterException e)
            {
                Refusal = e;
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, CancellationToken.None);
            }
            catch (OperationCanceledException) when (ended.IsCancellationRequested)
            {
                return;
            }
            happened.Release();
        }
    }
}
