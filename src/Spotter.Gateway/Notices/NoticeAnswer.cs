using System.Globalization;
using System.Net.Http.Headers;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Gateway.Notices;

/// <summary>What came of one delivery.</summary>
/// <param name="Status">The HTTP status; null when there was no answer.</param>
/// <param name="Detail">What happened, in one sentence that repeats nothing of what the receiver said.</param>
internal sealed record NoticeAnswer(int? Status, string Detail)
{
    private const int Gone = 410;
    private const int TooMany = 429;
    private const int Unavailable = 503;

    /// <summary>The wait that the receiver asks for; null when it asks for none.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>There is no use in trying again.</summary>
    public bool IsFinal { get; init; }

    /// <summary>The receiver is at fault, not the notice: no other would fare better now.</summary>
    public bool ReceiverFailed { get; init; }

    /// <summary>The receiver has it.</summary>
    public bool IsDelivered => Status is >= 200 and < 300;

    /// <summary>No answer, and the receiver or the way to it is at fault.</summary>
    public static NoticeAnswer None(string detail) => new(null, detail) { ReceiverFailed = true };

    /// <summary>Nothing was sent, and nothing will be.</summary>
    public static NoticeAnswer Never(string detail) => new(null, detail) { IsFinal = true };

    /// <summary>An answer by HTTP.</summary>
    public static NoticeAnswer Of(int status, RetryConditionHeaderValue? retryAfter, DateTimeOffset now) =>
        new(status, string.Create(CultureInfo.InvariantCulture, $"The receiver answered {status}."))
        {
            IsFinal = status == Gone,
            ReceiverFailed = status is TooMany or >= 500,
            RetryAfter = status is TooMany or Unavailable ? retryAfter?.Delta ?? (retryAfter?.Date - now) : null,
        };

    /// <summary>What becomes of a notice after this.</summary>
    /// <param name="attempt">Which delivery it was, from 1.</param>
    /// <param name="settings">The waits.</param>
    /// <param name="random">So that notices that failed together don't come back together.</param>
    public NoticeOutcome After(int attempt, NoticeSettings settings, RandomSource random)
    {
        if (IsDelivered)
            return new NoticeOutcome.Delivered(Status!.Value);
        if (IsFinal)
            return new NoticeOutcome.GivenUp(Status, Detail);
        if (attempt > settings.Delays.Count)
            return new NoticeOutcome.GivenUp(Status, string.Create(CultureInfo.InvariantCulture, $"{Detail} That was the last of {attempt} deliveries."));
        var delay = settings.Delays[Math.Max(0, attempt - 1)] * (0.8 + (0.4 * random.NextDouble()));
        if (RetryAfter is { } asked)
        {
            var bounded = asked < settings.LongestRetryAfter ? asked : settings.LongestRetryAfter;
            delay = bounded > delay ? bounded : delay;
        }
        return new NoticeOutcome.Again(delay, Status, Detail);
    }
}
