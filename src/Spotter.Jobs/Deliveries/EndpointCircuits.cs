namespace Spotter.Jobs.Deliveries;

/// <summary>
/// A circuit breaker for each endpoint: after some failures in a row its circuit opens, and nothing is sent until it has
/// been open for a while. Then one delivery is the trial: it closes the circuit, or opens it for twice as long.
/// </summary>
internal sealed class EndpointCircuits(DeliverySettings settings, TimeProvider time)
{
    /// <summary>Endpoints whose failures are remembered; beyond that the one whose last failure is oldest is forgotten.</summary>
    public const int Most = 4096;

    private readonly Lock gate = new();
    private readonly Dictionary<string, Circuit> circuits = new(StringComparer.Ordinal);

    /// <summary>
    /// Whether a delivery to an endpoint may begin. Once its circuit has been open for long enough only the trial may,
    /// until <see cref="Worked"/>, <see cref="Failed"/> or <see cref="Abandoned"/> says what became of it.
    /// </summary>
    public bool TryBegin(string endpoint)
    {
        lock (gate)
        {
            if (!circuits.TryGetValue(endpoint, out var circuit) || circuit.OpenFor is null)
                return true;
            return !IsOpen(circuit) && (circuit.HasTrial = true);
        }
    }

    /// <summary>Whether nothing more should be taken for an endpoint now: its circuit is open, or its trial is under way.</summary>
    public bool IsOpen(string endpoint)
    {
        lock (gate)
            return circuits.TryGetValue(endpoint, out var circuit) && IsOpen(circuit);
    }

    /// <summary>Endpoints for which nothing more should be taken now.</summary>
    public IReadOnlyList<string> Open()
    {
        lock (gate)
            return [.. circuits.Where(c => IsOpen(c.Value)).Select(c => c.Key)];
    }

    /// <summary>The endpoint answers, whatever it thinks of the delivery.</summary>
    public void Worked(string endpoint)
    {
        lock (gate)
            circuits.Remove(endpoint);
    }

    /// <summary>The endpoint did not answer, or said that it can't now.</summary>
    /// <param name="endpoint">The endpoint.</param>
    /// <param name="askedFor">How long it asked to be left alone, whatever its failures before; zero if it did not.</param>
    /// <returns>How long the circuit is open from now on; null if it does not open.</returns>
    public TimeSpan? Failed(string endpoint, TimeSpan askedFor = default)
    {
        lock (gate)
        {
            if (!circuits.TryGetValue(endpoint, out var circuit))
            {
                ForgetOldest();
                circuits[endpoint] = circuit = new Circuit();
            }
            circuit.Failures++;
            circuit.LastFailure = time.GetTimestamp();
            TimeSpan? openFor = circuit switch
            {
                { HasTrial: true } => circuit.OpenFor * 2,
                // It began before the circuit opened, so it says nothing new.
                { OpenFor: not null } => null,
                _ => circuit.Failures >= settings.FailuresBeforeOpen ? settings.FirstOpen : null,
            };
            if (askedFor > (openFor ?? TimeSpan.Zero))
                openFor = askedFor;
            circuit.HasTrial = false;
            if (openFor is not { } wanted)
                return null;
            circuit.OpenedAt = circuit.LastFailure;
            return circuit.OpenFor = wanted < settings.LongestOpen ? wanted : settings.LongestOpen;
        }
    }

    /// <summary>What began came to no end that says anything about the endpoint.</summary>
    public void Abandoned(string endpoint)
    {
        lock (gate)
        {
            if (circuits.TryGetValue(endpoint, out var circuit))
                circuit.HasTrial = false;
        }
    }

    private bool IsOpen(Circuit circuit) =>
        circuit.OpenFor is not null && (circuit.HasTrial || time.GetElapsedTime(circuit.OpenedAt) < circuit.OpenFor);

    private void ForgetOldest()
    {
        if (circuits.Count >= Most)
            circuits.Remove(circuits.MinBy(c => c.Value.LastFailure).Key);
    }

    private sealed class Circuit
    {
        /// <summary>In a row.</summary>
        public int Failures { get; set; }

        public long LastFailure { get; set; }

        /// <summary>How long the circuit is open; null while it is closed.</summary>
        public TimeSpan? OpenFor { get; set; }

        public long OpenedAt { get; set; }

        /// <summary>The one delivery that tries the endpoint is under way.</summary>
        public bool HasTrial { get; set; }
    }
}
