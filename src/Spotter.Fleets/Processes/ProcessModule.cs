using Microsoft.Extensions.Logging;
using Spotter.Core.Settings;
using Spotter.Scaling;

namespace Spotter.Fleets.Processes;

/// <summary>Workers as child processes of the gateway.</summary>
internal sealed class ProcessModule : ILauncherModule
{
    public bool IsElsewhere => false;

    public string Name => "processes";

    public IReadOnlyList<Setting> Settings => [];

    public IWorkerLauncher Create(LauncherContext context)
    {
        var breadcrumbs = new CrashBreadcrumbs(context.Trail.Variable, context.Trail.Bytes, context.Scratch);
        breadcrumbs.Clear();
        var launcher = new ProcessLauncher(context.Command, context.Time, context.Random, context.Loggers.CreateLogger<ProcessLauncher>(), breadcrumbs)
        {
            NamePrefix = context.Prefix,
            Ledger = context.StateFile,
        };
        launcher.EndOrphans();
        return launcher;
    }
}
