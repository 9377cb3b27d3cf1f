namespace Spotter.Gateway.Notices;

/// <summary>
/// Leaves receivers that fail alone for a while (a circuit breaker for each): after some failures in a row nothing is sent
/// until a rest is over, then one notice to try, and with that all others or a rest twice as long.
/// </summary>
internal sealed class ReceiverBreakers(NoticeSettings settings, TimeProvider time)
{
    /// <summary>Receivers whose failures are remembered; beyond that the one that was heard of longest ago is forgotten.</summary>
    public const int Most = 4096;

    private readonly Lock gate = new();
    private readonly Dictionary<string, Breaker> breakers = new(StringComparer.Ordinal);

    /// <summary>
    /// Whether a delivery to a receiver may begin. After a rest only one may, until <see cref="Answered"/>,
    /// <see cref="Failed"/> or <see cref="Abandoned"/> says what became of it.
    /// </summary>
    public bool TryBegin(string receiver)
    {
        lock (gate)
        {
            if (!breakers.TryGetValue(receiver, out var breaker) || breaker.Rest is null)
                return true;
            return !IsClosed(breaker) && (breaker.IsTried = true);
        }
    }

    /// <summary>Whether nothing should be taken for a receiver now: it rests, or is being tried.</summary>
    public bool IsClosedTo(string receiver)
    {
        lock (gate)
            return breakers.TryGetValue(receiver, out var breaker) && IsClosed(breaker);
    }

    /// <summary>Receivers that nothing should be taken for now.</summary>
    public IReadOnlyList<string> Closed()
    {
        lock (gate)
            return [.. breakers.Where(b => IsClosed(b.Value)).Select(b => b.Key)];
    }

    /// <summary>The receiver works, whatever it thinks of the notice.</summary>
    public void Answered(string receiver)
    {
        lock (gate)
            breakers.Remove(receiver);
    }

    /// <summary>The receiver did not answer, or said that it can't now.</summary>
    /// <param name="receiver">The receiver.</param>
    /// <param name="askedFor">The rest that it asked for, whatever its failures before; null if it did not.</param>
    /// <returns>The rest that begins now; null if none does.</returns>
    public TimeSpan? Failed(string receiver, TimeSpan? askedFor = null)
    {
        lock (gate)
        {
            if (!breakers.TryGetValue(receiver, out var breaker))
            {
                ForgetOldest();
                breakers[receiver] = breaker = new Breaker();
            }
            breaker.Failures++;
            breaker.LastFailure = time.GetTimestamp();
            TimeSpan? rest = breaker switch
            {
                { IsTried: true } => breaker.Rest * 2,
                // It began before the rest, so it says nothing new.
                { Rest: not null } => null,
                _ => breaker.Failures >= settings.FailuresBeforeRest ? settings.FirstRest : null,
            };
            if (askedFor > (rest ?? TimeSpan.Zero))
                rest = askedFor;
            breaker.IsTried = false;
            if (rest is not { } wanted)
                return null;
            breaker.RestBegan = breaker.LastFailure;
            return breaker.Rest = wanted < settings.LongestRest ? wanted : settings.LongestRest;
        }
    }

    /// <summary>What began has not come to an end that says anything about the receiver.</summary>
    public void Abandoned(string receiver)
    {
        lock (gate)
        {
            if (breakers.TryGetValue(receiver, out var breaker))
                breaker.IsTried = false;
        }
    }

    private bool IsResting(Breaker breaker) => time.GetElapsedTime(breaker.RestBegan) < breaker.Rest;

    private bool IsClosed(Breaker breaker) => breaker.Rest is not null && (breaker.IsTried || IsResting(breaker));

    private void ForgetOldest()
    {
        if (breakers.Count >= Most)
            breakers.Remove(breakers.MinBy(b => b.Value.LastFailure).Key);
    }

    private sealed class Breaker
    {
        /// <summary>In a row.</summary>
        public int Failures { get; set; }

        public long LastFailure { get; set; }

        /// <summary>How long the rest is; null while there is none.</summary>
        public TimeSpan? Rest { get; set; }

        public long RestBegan { get; set; }

        /// <summary>The one delivery after a rest is under way.</summary>
        public bool IsTried { get; set; }
    }
}
