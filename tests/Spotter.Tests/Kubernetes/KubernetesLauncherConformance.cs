using Spotter.Fleets.Kubernetes;
using Spotter.Scaling;

namespace Spotter.Tests.Kubernetes;

[Lacks(Ability.Ends, "Nobody is told when a pod ends: it is just missing from the list.")]
public sealed class KubernetesLauncherConformance : WorkerLauncherConformance
{
    private readonly FakeCluster cluster;
    private readonly KubernetesLauncher launcher;

    public KubernetesLauncherConformance()
    {
        cluster = FakeCluster.StartAsync(Clock).GetAwaiter().GetResult();
        launcher = cluster.Launcher();
    }

    protected override IWorkerLauncher Launcher => launcher;

    public override async Task DisposeAsync()
    {
        await launcher.DisposeAsync();
        await cluster.DisposeAsync();
    }

    protected override void RunOut() => cluster.Quota = 0;

    protected override void Crash(string worker) => throw new NotSupportedException();
}
