using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Spotter.Jobs;
using Spotter.Scaling;

namespace Spotter.Gateway.Keda;

/// <summary>The door for KEDA, on a port of its own: its external scaler, which tells how many workers there are to be.</summary>
internal sealed class KedaDoor : IDoor
{
    public void Add(IServiceCollection services) => services
        .AddSingleton(s => new KedaServer(
            s.GetRequiredService<GatewaySettings>(), () => s.GetService<WorkerPools>() ?? new WorkerPools([], s.GetRequiredService<WorkerRoster>()), s.GetRequiredService<ILoggerFactory>()))
        .AddHostedService(s => s.GetRequiredService<KedaServer>());
}
