using Spotter.Core;
using Spotter.Gateway.Egress;
using Spotter.Jobs.Deliveries;

namespace Spotter.Gateway.Webhooks;

/// <summary>How webhook deliveries are made.</summary>
public sealed record WebhookSettings
{
    /// <summary>
    /// The service's own secret, from which that of every endpoint is made for which a request gives none; behind it those
    /// that it replaces. Empty: every callback has to bring one.
    /// </summary>
    public IReadOnlyList<WebhookSecret> Secrets { get; init; } = [];

    /// <summary>Endpoints that are allowed besides public ones over https.</summary>
    public IReadOnlyList<EgressAllowance> Allowed { get; init; } = [];

    /// <summary>Most bytes of an answer that are read.</summary>
    public int MaxAnswerBytes { get; init; } = 64 * 1024;

    /// <summary>How they are sent.</summary>
    public DeliverySettings Delivery { get; init; } = new();

    /// <summary>Not the values: secrets are among them.</summary>
    public override string ToString() => nameof(WebhookSettings);

    /// <summary>Checks them together.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidSettings"/>.</exception>
    public void Validate() => Delivery.Validate();
}
