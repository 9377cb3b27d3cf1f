using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Engines.Options;

/// <summary>The options that say when and how a job is run and who is told, whatever its engine.</summary>
public static class ScheduleOptions
{
    private const int LongestUrl = 2048;

    /// <summary>The options.</summary>
    public static IReadOnlyList<JobOption> All => Declared;

    private static OptionSet<Terms> Declared { get; } = new(new Terms(new JobSchedule()))
    {
        {
            "priority", "Which jobs it goes before", OptionValues.Choice(("high", JobPriority.High), ("normal", JobPriority.Normal), ("low", JobPriority.Low)),
            t => t.Schedule.Priority, (t, v) => t with { Schedule = t.Schedule with { Priority = v } }
        },
        {
            "delay", "Seconds before which the job is not started", OptionValues.Seconds(JobSchedule.Longest),
            t => t.Schedule.Delay, (t, v) => t with { Schedule = t.Schedule with { Delay = v } }
        },
        {
            "expires", "Seconds after which the job is no longer started and fails with `expired`", OptionValues.Seconds(JobSchedule.Longest),
            t => t.Schedule.Expires, (t, v) => t with { Schedule = t.Schedule with { Expires = v } }
        },
        { "callback", "URL that is sent a signed webhook when the job has ended", Url, t => t.Callback, (t, v) => t with { Callback = v } },
        {
            "callback_secret", "What signs the webhook: `whsec_` and 24 to 64 bytes in Base64. The service's own for this endpoint by default", OptionValues.Any("a signing secret"),
            t => t.Secret, (t, v) => t with { Secret = v }, OptionTraits.Secret
        },
        {
            "reuse", "Take the result of the same picture, model and options, if it is stored", OptionValues.Flag,
            t => t.Schedule.Reuse, (t, v) => t with { Schedule = t.Schedule with { Reuse = v } }
        },
    };

    private static OptionValues<string> Url => new($"a URL of at most {LongestUrl} characters", OptionType.Text, (name, text) =>
        text.Length <= LongestUrl ? text : throw Invalid($"The field '{name}' is longer than {LongestUrl} characters."));

    /// <summary>What fields say of it.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidRequest"/>: one means nothing, or they contradict each other.</exception>
    public static (JobSchedule Schedule, IReadOnlyList<JobNotification> Notify) Read(JobFields fields)
    {
        var (schedule, callback, secret) = Declared.Read(fields);
        if (schedule.Expires <= schedule.Delay)
        {
            throw Invalid($"The job would expire after {schedule.Expires.Value.TotalSeconds} s and may not start before {schedule.Delay.TotalSeconds} s have passed; make 'expires' longer than 'delay'.");
        }
        if (callback is null && secret is not null)
            throw Invalid("The field 'callback_secret' comes without a 'callback'; send both, or none.");
        return (schedule, callback is null ? [] : [new JobNotification(ChannelNames.Webhook, callback, secret)]);
    }

    private static SpotterException Invalid(string message) => new(ErrorCodes.InvalidRequest, message);

    private sealed record Terms(JobSchedule Schedule, string? Callback = null, string? Secret = null);
}
