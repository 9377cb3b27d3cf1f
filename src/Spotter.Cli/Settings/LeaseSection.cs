using Spotter.Core.Settings;
using Spotter.Jobs;

namespace Spotter.Cli.Settings;

/// <summary>
/// How long things are kept and held. Leases have no flags, since nobody needs them to run Spotter: they are for slow
/// networks, and for tests of what happens when leases run out.
/// </summary>
internal static class LeaseSection
{
    private static readonly LeaseSettings Defaults = new();
    private static readonly SettingValues<TimeSpan> Seconds = SettingValues.Seconds(0.1, 3600);

    private static readonly Setting<TimeSpan> Pictures = new(
        "keep.picturesHours", "Hours that pictures are kept after their job has ended.", SettingValues.Times(TimeSpan.FromHours(1), 0, 24 * 366), Defaults.KeepBlobs) { Flag = "--keep-pictures" };

    private static readonly Setting<TimeSpan> Jobs = new(
        "keep.jobsDays", "Days that jobs and results are kept after they have ended.", SettingValues.Times(TimeSpan.FromDays(1), 1, 3660), Defaults.KeepJobs) { Flag = "--keep-jobs" };

    private static readonly Setting<TimeSpan> Duration = new("lease.durationSeconds", "A worker that gives no sign of life for so long loses its jobs.", Seconds, Defaults.Duration);

    private static readonly Setting<TimeSpan> Heartbeat = new("lease.heartbeatSeconds", "How often workers give a sign of life.", Seconds, Defaults.Heartbeat);

    private static readonly Setting<TimeSpan> Sweep = new("lease.sweepSeconds", "How often to look for workers that are silent.", Seconds, Defaults.Sweep);

    private static readonly Setting<TimeSpan> Orphans = new("lease.orphanSeconds", "Age at which pictures that belong to no job are deleted.", Seconds, Defaults.OrphanAge);

    /// <summary>All of them.</summary>
    public static IReadOnlyList<Setting> All { get; } = [Pictures, Jobs, Duration, Heartbeat, Sweep, Orphans];

    /// <summary>The settings as asked for.</summary>
    public static LeaseSettings Read(SettingReader settings) => new()
    {
        KeepBlobs = settings.Get(Pictures),
        KeepJobs = settings.Get(Jobs),
        Duration = settings.Get(Duration),
        Heartbeat = settings.Get(Heartbeat),
        Sweep = settings.Get(Sweep),
        OrphanAge = settings.Get(Orphans),
    };
}
