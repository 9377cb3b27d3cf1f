using System.Globalization;
using Spotter.Core;
using Spotter.Gateway.Webhooks;
using Spotter.Jobs.Deliveries;

namespace Spotter.Cli.Serve;

/// <summary>
/// How webhook deliveries are made, from the environment, in seconds: <c>SPOTTER__WEBHOOKS__TIMEOUTSECONDS</c>,
/// <c>SPOTTER__WEBHOOKS__LEASESECONDS</c>, and <c>SPOTTER__WEBHOOKS__RETRYSECONDS</c>, the waits between attempts with commas
/// between them. Not options, since nobody needs them to run Spotter: they are for endpoints of one's own, and for tests.
/// </summary>
internal static class WebhookVariables
{
    private const string Prefix = "SPOTTER__WEBHOOKS__";
    private const double LeastSeconds = 0.1;
    private const double MostSeconds = 7 * 24 * 3600;
    private const int MostRetries = 50;

    /// <summary>The defaults, with what the environment says instead.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidSettings"/>.</exception>
    public static WebhookSettings Read()
    {
        var defaults = new DeliverySettings();
        var delivery = defaults with
        {
            Timeout = Read("TIMEOUTSECONDS") is [var timeout] ? timeout : defaults.Timeout,
            Lease = Read("LEASESECONDS") is [var lease] ? lease : defaults.Lease,
            Delays = Read("RETRYSECONDS", MostRetries) ?? defaults.Delays,
        };
        delivery.Validate();
        return new WebhookSettings { Delivery = delivery };
    }

    private static IReadOnlyList<TimeSpan>? Read(string name, int most = 1)
    {
        if (Environment.GetEnvironmentVariable(Prefix + name) is not { Length: > 0 } text)
            return null;
        var spans = new List<TimeSpan>();
        foreach (var part in text.Split(','))
        {
            if (spans.Count == most || !double.TryParse(part, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds) || seconds is < LeastSeconds or > MostSeconds)
                throw new SpotterException(ErrorCodes.InvalidSettings, $"{Prefix}{name} is '{text}'; it takes {(most > 1 ? $"up to {most} times" : "one time")} in seconds from {LeastSeconds} to {MostSeconds}.");
            spans.Add(TimeSpan.FromSeconds(seconds));
        }
        return spans;
    }
}
