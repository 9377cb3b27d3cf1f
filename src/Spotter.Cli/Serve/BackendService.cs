using Microsoft.Extensions.Hosting;
using Spotter.Backends;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Cli.Serve;

/// <summary>Makes sure of the backend before anything is accepted, and ends the service when it can't be relied on any more.</summary>
internal sealed class BackendService(Backend backend, GatewayName name, ServiceSettings settings, StopSignals stop) : BackgroundService
{
    private static readonly JobError GatewayEnded = new(ErrorCodes.WorkerDied, "The service ended while the job ran.");

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        if (await backend.CheckBlobsAsync(stop.Token) is { } passing)
            StandardError.Complain($"{passing} Until then no picture is taken in.");
        // Whoever had jobs when the service last ended is gone: its workers end with it.
        if (settings.Pools.Count > 0)
            await name.ReleaseAsync(backend, GatewayEnded, stop.Token);
        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken) => throw await backend.Failed.WaitAsync(stoppingToken);
}
