using Microsoft.Extensions.Logging.Abstractions;
using Spotter.Core;
using Spotter.Fleets;
using Spotter.Fleets.Processes;
using Spotter.Scaling;

namespace Spotter.Tests.Fleets;

public sealed class MemoryLauncherConformance : WorkerLauncherConformance
{
    private readonly MemoryLauncher launcher;

    public MemoryLauncherConformance() => launcher = new MemoryLauncher(Clock);

    protected override IWorkerLauncher Launcher => launcher;

    public override Task DisposeAsync() => Task.CompletedTask;

    protected override void RunOut() => launcher.Capacity = 0;

    protected override void Crash(string worker) => launcher.End(worker, 9);
}

public sealed class ProcessLauncherConformance : WorkerLauncherConformance
{
    private readonly ProcessLauncher launcher;
    private string program = "/bin/sh";

    public ProcessLauncherConformance() => launcher = new ProcessLauncher(
        () => new WorkerCommand(program, ["-c", "while read line; do [ \"$line\" = crash ] && exit 9; done"], new Dictionary<string, string>(StringComparer.Ordinal)),
        Clock, RandomSource.Seeded(1), NullLogger<ProcessLauncher>.Instance);

    protected override IWorkerLauncher Launcher => launcher;

    public override async Task DisposeAsync() => await launcher.DisposeAsync();

    protected override void RunOut() => program = "/no/such/program";

    protected override void Crash(string worker) => launcher.TellAll("crash");
}
