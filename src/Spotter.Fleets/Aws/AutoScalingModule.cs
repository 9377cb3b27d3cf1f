using Microsoft.Extensions.Logging;
using Spotter.Core.Settings;
using Spotter.Scaling;

namespace Spotter.Fleets.Aws;

/// <summary>Workers as instances of an Auto Scaling group, which exists and whose instances start a worker under the instance's id.</summary>
internal sealed class AutoScalingModule : ILauncherModule
{
    private static readonly Setting<string?> Group = new(
        "group", "With the launcher 'autoscaling': the Auto Scaling group whose instances are the workers.", SettingValues.OptionalText("NAME"), null);

    private static readonly Setting<string?> Hook = new(
        "lifecycleHook", "With the launcher 'autoscaling': the group's lifecycle hook for instances that end, which Spotter completes for those that it ends. Default: none.",
        SettingValues.OptionalText("NAME"), null);

    public string Name => "autoscaling";

    public IReadOnlyList<Setting> Settings { get; } = [Group, .. AwsSettings.All, Hook];

    public void Check(SettingReader settings)
    {
        if (settings.Get(Group) is null)
            settings.Mistake("A pool with the launcher 'autoscaling' needs its Auto Scaling group; name it with group=NAME.");
        _ = AwsSettings.PlaceOf(settings);
    }

    public IWorkerLauncher Create(LauncherContext context)
    {
        var settings = context.Settings;
        var group = new ScalingGroup(AwsQueryClient.Open(AwsQueryService.AutoScaling, AwsSettings.PlaceOf(settings)), settings.Get(Group)!);
        return new AutoScalingLauncher(group, settings.Get(Hook), context.Time, context.Loggers.CreateLogger<AutoScalingLauncher>());
    }
}
