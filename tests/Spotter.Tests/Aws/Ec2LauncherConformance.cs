using Microsoft.Extensions.Logging.Abstractions;
using Spotter.Core;
using Spotter.Fleets.Aws;
using Spotter.Scaling;

namespace Spotter.Tests.Aws;

[Lacks(Ability.Ends, "EC2 tells nobody when a machine ends: it is just missing from the list.")]
public sealed class Ec2LauncherConformance : WorkerLauncherConformance
{
    private readonly FakeEc2 ec2;
    private readonly Ec2Launcher launcher;

    public Ec2LauncherConformance()
    {
        ec2 = FakeEc2.StartAsync(Clock).GetAwaiter().GetResult();
        launcher = new Ec2Launcher(ec2.Pool(), new LaunchPlaces(["c7i.large", "c7a.large"], ["subnet-a", "subnet-b"]), Clock, RandomSource.System, NullLogger<Ec2Launcher>.Instance);
    }

    protected override IWorkerLauncher Launcher => launcher;

    public override async Task DisposeAsync() => await ec2.DisposeAsync();

    protected override void RunOut() => ec2.Refuses = (_, _) => (500, "InsufficientInstanceCapacity");

    protected override void Crash(string worker) => throw new NotSupportedException();
}
