using Microsoft.Extensions.Logging;
using Spotter.Core.Settings;
using Spotter.Scaling;

namespace Spotter.Fleets.Aws;

/// <summary>Workers as instances of an Auto Scaling group, which exists and whose instances start a worker under the instance's id.</summary>
internal sealed class AutoScalingModule : ILauncherModule
{
    private static readonly Setting<string?> Group = new(
        "group", "With the launcher 'autoscaling': the Auto Scaling group whose instances are the workers.", SettingValues.OptionalText("NAME"), null);

    private static readonly Setting<string?> Region = new(
        "region", "With the launcher 'autoscaling': the region. Default: what the environment, the profile or the machine says.", SettingValues.OptionalText("REGION"), null);

    private static readonly Setting<string?> Endpoint = new(
        "endpoint", "With the launcher 'autoscaling': a server that speaks as Amazon's do, for tests. Default: Amazon's.", SettingValues.HttpAddress, null);

    private static readonly Setting<string?> Hook = new(
        "lifecycleHook", "With the launcher 'autoscaling': the group's lifecycle hook for instances that end, which Spotter completes for those that it ends. Default: none.",
        SettingValues.OptionalText("NAME"), null);

    public string Name => "autoscaling";

    public IReadOnlyList<Setting> Settings { get; } = [Group, Region, Endpoint, Hook];

    public void Check(SettingReader settings)
    {
        if (settings.Get(Group) is null)
            settings.Mistake("A pool with the launcher 'autoscaling' needs its Auto Scaling group; name it with group=NAME.");
    }

    public IWorkerLauncher Create(LauncherContext context)
    {
        var settings = context.Settings;
        var place = new AwsPlace { Region = settings.Get(Region), Endpoint = settings.Get(Endpoint) is { } endpoint ? new Uri(endpoint) : null };
        var group = new ScalingGroup(AwsQueryClient.Open(AwsQueryService.AutoScaling, place), settings.Get(Group)!);
        return new AutoScalingLauncher(group, settings.Get(Hook), context.Time, context.Loggers.CreateLogger<AutoScalingLauncher>());
    }
}
