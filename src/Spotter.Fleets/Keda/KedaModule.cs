using Spotter.Core.Settings;
using Spotter.Scaling;

namespace Spotter.Fleets.Keda;

/// <summary>Workers that KEDA starts, as pods of a Deployment: it asks the gateway how many there are to be (<c>--keda-port</c>).</summary>
internal sealed class KedaModule : ILauncherModule
{
    public string Name => "keda";

    public IReadOnlyList<Setting> Settings => [];

    public bool IsObserved => true;

    public IWorkerLauncher Create(LauncherContext context) => throw new NotSupportedException("KEDA starts these workers.");
}
