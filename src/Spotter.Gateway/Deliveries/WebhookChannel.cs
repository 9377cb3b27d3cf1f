using Microsoft.Extensions.DependencyInjection;
using Spotter.Core;
using Spotter.Gateway.Egress;
using Spotter.Gateway.Webhooks;
using Spotter.Jobs;
using Spotter.Jobs.Deliveries;

namespace Spotter.Gateway.Deliveries;

/// <summary>Posts signed events to URLs, as Standard Webhooks (https://www.standardwebhooks.com) has it.</summary>
internal sealed class WebhookChannel(WebhookSettings settings, EgressGuard guard, WebhookClient client) : IDeliveryChannel
{
    public string Name => ChannelNames.Webhook;

    public DeliverySettings Settings => settings.Delivery;

    /// <inheritdoc/>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.CallbackForbidden"/>, <see cref="ErrorCodes.InvalidRequest"/>.</exception>
    public JobNotification Accept(JobNotification asked)
    {
        guard.Check(asked.Target);
        if (asked.Secret is { } secret && !WebhookSecret.TryParse(secret, out _))
        {
            throw new SpotterException(ErrorCodes.InvalidRequest,
                $"The field 'callback_secret' is not a secret as Standard Webhooks writes it; send {WebhookSecret.Prefix} and {WebhookSecret.LeastBytes} to {WebhookSecret.MostBytes} bytes in Base64, or up to {WebhookSecret.MostAtOnce} of them with spaces between.");
        }
        if (asked.Secret is null && settings.Secrets.Count == 0)
            throw new SpotterException(ErrorCodes.InvalidRequest, "This deployment has no secret of its own to sign webhook deliveries with; send one as 'callback_secret'.");
        return asked with { Endpoint = StrictUrl.EndpointOf(asked.Target) };
    }

    public async Task<DeliveryOutcome> SendAsync(OutboxEntry entry, Job job, CancellationToken cancel)
    {
        var body = WebhookPayload.Write(job);
        Uri url;
        try
        {
            // What is allowed may have changed since the job was accepted.
            url = guard.Check(entry.Target);
        }
        catch (SpotterException)
        {
            return new DeliveryOutcome.GivenUp(null, WebhookClient.Blocked);
        }
        return SecretsOf(entry) is { Count: > 0 } secrets
            ? await client.PostAsync(url, entry.Id, body, secrets, cancel)
            : new DeliveryOutcome.GivenUp(null, "There is no secret to sign the delivery with.");
    }

    private IReadOnlyList<WebhookSecret> SecretsOf(OutboxEntry entry)
    {
        if (entry.Secret is null)
            return [.. settings.Secrets.Select(s => s.ForUrl(entry.Target))];
        return WebhookSecret.TryParse(entry.Secret, out var own) ? own : [];
    }
}

/// <summary>Registers the channel.</summary>
internal static class WebhookRegistration
{
    /// <summary>Adds webhooks and what they stand on.</summary>
    public static IServiceCollection AddWebhooks(this IServiceCollection services) =>
        services.AddSingleton(s => s.GetRequiredService<GatewaySettings>().Webhooks)
            .AddSingleton(s => new EgressGuard(EgressUse.Webhooks, s.GetRequiredService<WebhookSettings>().Allowed))
            // Receivers compare with the time of day, and refuse what is minutes off: signed by the machine's own clock.
            .AddSingleton(s => new WebhookClient(s.GetRequiredService<EgressGuard>(), s.GetRequiredService<WebhookSettings>(), TimeProvider.System))
            .AddDeliveryChannel<WebhookChannel>();
}
