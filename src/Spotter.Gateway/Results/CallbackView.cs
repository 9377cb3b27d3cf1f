using System.Text.Json;
using System.Text.Json.Serialization;
using Spotter.Jobs;

namespace Spotter.Gateway.Results;

/// <summary>How the notice about a job stands.</summary>
/// <param name="Url">Where it goes, without the query.</param>
/// <param name="State">Where it stands: <c>pending</c> also while the job has not ended.</param>
/// <param name="Attempts">Deliveries so far.</param>
/// <param name="Status">The HTTP status of the last one; null when there was no answer.</param>
/// <param name="Detail">What went wrong last; null when nothing did.</param>
/// <param name="NextAt">When it is sent next; null when it is done, and while the job has not ended.</param>
public sealed record CallbackView(string Url, NoticeState State, int Attempts, int? Status, string? Detail, DateTimeOffset? NextAt)
{
    /// <summary>The view of a job's newest notice.</summary>
    /// <param name="callback">What the job asks for.</param>
    /// <param name="notice">Its notice; null while there is none.</param>
    public static CallbackView Of(JobCallback callback, NoticeStatus? notice)
    {
        // What is in the query may be a password.
        var url = callback.Url.Split('?', 2)[0];
        return notice is null
            ? new CallbackView(url, NoticeState.Pending, 0, null, null, null)
            : new CallbackView(url, notice.State, notice.Attempts, notice.Status, notice.Detail, notice.NextAt);
    }
}

/// <summary>Writes where a notice stands: <c>pending</c>, <c>delivered</c>, <c>givenUp</c>.</summary>
public sealed class NoticeStateConverter() : JsonStringEnumConverter<NoticeState>(JsonNamingPolicy.CamelCase, allowIntegerValues: false);
