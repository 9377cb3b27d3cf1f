using System.Globalization;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Gateway.Intake;

/// <summary>What a request says about when and how its jobs are run, apart from what is to be done.</summary>
/// <param name="Priority">Which jobs they go before.</param>
/// <param name="Delay">Wait before they may start.</param>
/// <param name="Expires">They have to be started within this time; null for whenever.</param>
/// <param name="Callback">Who is told how they ended; null for nobody.</param>
/// <param name="Reuse">The stored result of the same work will do.</param>
internal sealed record JobTerms(JobPriority Priority, TimeSpan Delay, TimeSpan? Expires, JobNotification? Callback, bool Reuse)
{
    /// <summary>The fields that say it.</summary>
    public static readonly IReadOnlyList<string> Fields = ["priority", "delay", "expires", "callback", "callback_secret", "reuse"];

    /// <summary>Longest wait and latest deadline.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(7);

    private const int LongestUrl = 2048;

    /// <summary>Reads them.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidRequest"/>: one means nothing, or they contradict each other.</exception>
    public static JobTerms Read(IReadOnlyDictionary<string, string> fields)
    {
        var priority = fields.GetValueOrDefault("priority") switch
        {
            null or "normal" => JobPriority.Normal,
            "high" => JobPriority.High,
            "low" => JobPriority.Low,
            var other => throw Invalid($"The field 'priority' is '{other}'; it is high, normal or low."),
        };
        var delay = Seconds(fields, "delay") ?? TimeSpan.Zero;
        var expires = Seconds(fields, "expires");
        if (expires <= delay)
            throw Invalid($"The job would expire after {expires.Value.TotalSeconds} s and may not start before {delay.TotalSeconds} s have passed; make 'expires' longer than 'delay'.");
        return new JobTerms(priority, delay, expires, ReadCallback(fields), !fields.ContainsKey("reuse") || JobForm.Flag(fields, "reuse"));
    }

    private static JobNotification? ReadCallback(IReadOnlyDictionary<string, string> fields)
    {
        if (!fields.TryGetValue("callback", out var url))
        {
            return fields.ContainsKey("callback_secret")
                ? throw Invalid("The field 'callback_secret' comes without a 'callback'; send both, or none.")
                : null;
        }
        if (url.Length > LongestUrl)
            throw Invalid($"The field 'callback' is longer than {LongestUrl} characters.");
        return new JobNotification(ChannelNames.Webhook, url, fields.GetValueOrDefault("callback_secret"));
    }

    private static TimeSpan? Seconds(IReadOnlyDictionary<string, string> fields, string name)
    {
        if (!fields.TryGetValue(name, out var text))
            return null;
        return double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds) && seconds <= Longest.TotalSeconds
            ? TimeSpan.FromSeconds(seconds)
            : throw Invalid($"The field '{name}' is '{text}'; it is a number of seconds from 0 to {Longest.TotalSeconds}.");
    }

    private static SpotterException Invalid(string message) => new(ErrorCodes.InvalidRequest, message);
}
