using System.Text.Json;
using System.Text.Json.Serialization;
using Spotter.Jobs;

namespace Spotter.Gateway.Results;

/// <summary>How the webhook delivery of a job stands.</summary>
/// <param name="Url">Where it goes, without the query.</param>
/// <param name="State">Where it stands: <c>pending</c> also while the job has not ended.</param>
/// <param name="Attempts">Attempts so far.</param>
/// <param name="Status">The HTTP status of the last one; null when there was no answer.</param>
/// <param name="Detail">What went wrong last; null when nothing did.</param>
/// <param name="NextAt">When it is sent next; null when it is done, and while the job has not ended.</param>
public sealed record CallbackView(string Url, DeliveryState State, int Attempts, int? Status, string? Detail, DateTimeOffset? NextAt)
{
    /// <summary>The view of a job's newest delivery.</summary>
    /// <param name="callback">What the job asks for.</param>
    /// <param name="delivery">Its delivery; null while there is none.</param>
    public static CallbackView Of(JobNotification callback, DeliveryStatus? delivery)
    {
        // What is in the query may be a password.
        var url = callback.Target.Split('?', 2)[0];
        return delivery is null
            ? new CallbackView(url, DeliveryState.Pending, 0, null, null, null)
            : new CallbackView(url, delivery.State, delivery.Attempts, delivery.Status, delivery.Detail, delivery.NextAt);
    }
}

/// <summary>Writes where a delivery stands: <c>pending</c>, <c>delivered</c>, <c>givenUp</c>.</summary>
public sealed class DeliveryStateConverter() : JsonStringEnumConverter<DeliveryState>(JsonNamingPolicy.CamelCase, allowIntegerValues: false);
