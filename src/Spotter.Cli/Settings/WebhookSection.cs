using Spotter.Core.Settings;
using Spotter.Gateway.Webhooks;
using Spotter.Jobs.Deliveries;

namespace Spotter.Cli.Settings;

/// <summary>
/// How webhook deliveries are made. Their times have no flags, since nobody needs them to run Spotter: they are for
/// endpoints of one's own, and for tests.
/// </summary>
internal static class WebhookSection
{
    private static readonly DeliverySettings Defaults = new();
    private static readonly SettingValues<TimeSpan> Seconds = SettingValues.Seconds(0.1, 7 * 24 * 3600);

    private static readonly Setting<string> Allow = new(
        "webhooks.allow", "An endpoint that webhooks may go to besides public ones over https: a name, *.SUFFIX, an address or a network as 10.0.0.0/8; may be repeated.",
        SettingValues.Text("HOST[:PORT]"), "") { Flag = "--callback-allow", IsList = true };

    private static readonly Setting<TimeSpan> Timeout = new("webhooks.timeoutSeconds", "Longest time that one attempt may take.", Seconds, Defaults.Timeout);

    private static readonly Setting<TimeSpan> Lease = new(
        "webhooks.leaseSeconds", "A delivery that was begun and has no outcome after this time is begun again; at least half as long again as an attempt.", Seconds, Defaults.Lease);

    private static readonly Setting<TimeSpan> Retries = new(
        "webhooks.retrySeconds", $"The waits between attempts. Default: {string.Join(", ", Defaults.Delays.Select(d => d.TotalSeconds))}.", Seconds, default) { IsList = true };

    /// <summary>The service's own secret; see <see cref="Serve.WebhookKey"/>.</summary>
    public static readonly Setting<string?> Secret = new(
        "webhooks.secret", "The secret that signs deliveries. Default: `webhook.key` in the data folder, made at the first start.", SettingValues.OptionalText("SECRET"), null) { IsSecret = true };

    /// <summary>A file that holds it.</summary>
    public static readonly Setting<string?> SecretFile = new("webhooks.secretFile", "File with that secret.", SettingValues.OptionalText("FILE"), null);

    /// <summary>All of them.</summary>
    public static IReadOnlyList<Setting> All { get; } = [Allow, Timeout, Lease, Retries, Secret, SecretFile];

    /// <summary>The settings as asked for, without the secrets.</summary>
    public static WebhookSettings Read(SettingReader settings) => new()
    {
        Allowed = Allowances.Read(settings, Allow),
        Delivery = Defaults with
        {
            Timeout = settings.Get(Timeout),
            Lease = settings.Get(Lease),
            Delays = settings.GetList(Retries) is { Count: > 0 } delays ? delays : Defaults.Delays,
        },
    };
}
