using System.Globalization;
using System.Net.Http.Headers;
using Spotter.Jobs;

namespace Spotter.Gateway.Webhooks;

/// <summary>What an endpoint's answer means.</summary>
internal static class WebhookAnswer
{
    private const int Gone = 410;
    private const int TooMany = 429;
    private const int Unavailable = 503;

    /// <summary>No answer, and the endpoint or the way to it is at fault.</summary>
    public static DeliveryOutcome None(string detail) => new DeliveryOutcome.Again(TimeSpan.Zero, null, detail, EndpointHealth.Fails);

    /// <summary>An answer by HTTP.</summary>
    public static DeliveryOutcome Of(int status, RetryConditionHeaderValue? retryAfter, DateTimeOffset now)
    {
        var detail = string.Create(CultureInfo.InvariantCulture, $"The endpoint answered {status}.");
        return status switch
        {
            >= 200 and < 300 => new DeliveryOutcome.Delivered(status),
            Gone => new DeliveryOutcome.GivenUp(status, detail, EndpointHealth.Works),
            TooMany or Unavailable => new DeliveryOutcome.Again(
                retryAfter?.Delta ?? (retryAfter?.Date - now) ?? TimeSpan.Zero, status, detail, EndpointHealth.Fails),
            >= 500 => new DeliveryOutcome.Again(TimeSpan.Zero, status, detail, EndpointHealth.Fails),
            _ => new DeliveryOutcome.Again(TimeSpan.Zero, status, detail, EndpointHealth.Works),
        };
    }
}
