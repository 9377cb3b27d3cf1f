namespace Spotter.Jobs;

/// <summary>How one attempt to deliver went: said by the channel, scheduled by the sender, recorded in the outbox.</summary>
public abstract record DeliveryOutcome
{
    private DeliveryOutcome(EndpointHealth endpoint) => Endpoint = endpoint;

    /// <summary>What the attempt says about the endpoint.</summary>
    public EndpointHealth Endpoint { get; }

    /// <summary>What becomes of the delivery, for stores: where it stands, and when it is sent again.</summary>
    public (DeliveryState State, int? Status, string? Detail, TimeSpan Delay) Record => this switch
    {
        Delivered delivered => (DeliveryState.Delivered, delivered.Status, null, TimeSpan.Zero),
        Again again => (DeliveryState.Pending, again.Status, again.Detail, again.Delay),
        GivenUp given => (DeliveryState.GivenUp, given.Status, given.Detail, TimeSpan.Zero),
        _ => throw new InvalidOperationException("There is no fourth outcome."),
    };

    /// <summary>The endpoint has it.</summary>
    /// <param name="Status">The status code that it answered; null where the protocol has none.</param>
    public sealed record Delivered(int? Status = null) : DeliveryOutcome(EndpointHealth.Works);

    /// <summary>To be sent again.</summary>
    /// <param name="Delay">Not before this long; the sender makes it as long as its schedule says.</param>
    /// <param name="Status">The status code; null when there was no answer.</param>
    /// <param name="Detail">What went wrong, in one sentence that repeats nothing of what the endpoint said.</param>
    /// <param name="Endpoint">What the attempt says about the endpoint.</param>
    public sealed record Again(TimeSpan Delay, int? Status, string Detail, EndpointHealth Endpoint = EndpointHealth.Unknown)
        : DeliveryOutcome(Endpoint);

    /// <summary>Never to be sent again.</summary>
    /// <param name="Status">The status code; null when there was no answer.</param>
    /// <param name="Detail">Why, in one sentence that repeats nothing of what the endpoint said.</param>
    /// <param name="Endpoint">What the attempt says about the endpoint.</param>
    public sealed record GivenUp(int? Status, string Detail, EndpointHealth Endpoint = EndpointHealth.Unknown)
        : DeliveryOutcome(Endpoint);
}

/// <summary>What an attempt says about its endpoint.</summary>
public enum EndpointHealth
{
    /// <summary>Nothing: it was not asked.</summary>
    Unknown,

    /// <summary>It answers, whatever it thinks of this delivery.</summary>
    Works,

    /// <summary>It did not answer, or can't take anything now: no other delivery would fare better.</summary>
    Fails,
}
