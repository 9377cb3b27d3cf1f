using Spotter.Core;
using Spotter.Scaling.Reactive;

namespace Spotter.Scaling.Policies;

/// <summary>The policies, by name.</summary>
public static class ScalePolicies
{
    /// <summary>The names that <see cref="ScaleSettings.Policy"/> may have.</summary>
    public static IReadOnlyList<string> Names { get; } = ["backlog", "backlog-per-instance", "controller", "cpu", "list-length", "spotter"];

    /// <summary>Creates the policy that the settings name.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidSettings"/>: no policy has that name, or a setting makes no sense.</exception>
    public static ScalePolicy Create(ScaleSettings settings)
    {
        settings.Check();
        var policy = Named(settings);
        return settings.DailyWorkerHours is null ? policy : new DailyCap(policy, settings);
    }

    private static ScalePolicy Named(ScaleSettings settings) => settings.Policy switch
    {
        "backlog" => new BacklogPolicy(settings),
        "backlog-per-instance" => new BacklogPerInstancePolicy(settings),
        "controller" => new ControllerPolicy(settings),
        "cpu" => new CpuPolicy(settings),
        "list-length" => new ListLengthPolicy(settings),
        "spotter" => new SpotterPolicy(settings),
        _ => throw new SpotterException(
            ErrorCodes.InvalidSettings, $"There is no scaling policy named {settings.Policy}; choose one of {string.Join(", ", Names)}."),
    };
}
