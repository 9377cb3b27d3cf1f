using System.Globalization;
using Spotter.Core;

namespace Spotter.Jobs.Deliveries;

/// <summary>How the deliveries of one channel are sent.</summary>
public sealed record DeliverySettings
{
    /// <summary>Longest time that one attempt may take, connecting included.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>An entry that was taken and has no recorded outcome after this time is taken again: its sender is gone.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How often to look for entries that are due, besides when jobs end.</summary>
    public TimeSpan Poll { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Deliveries to one endpoint at a time.</summary>
    public int PerEndpoint { get; init; } = 4;

    /// <summary>Deliveries at a time.</summary>
    public int AtOnce { get; init; } = 256;

    /// <summary>The waits between attempts, give or take a fifth; after the last one a delivery is given up.</summary>
    public IReadOnlyList<TimeSpan> Delays { get; init; } =
    [
        TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(30), TimeSpan.FromHours(2), TimeSpan.FromHours(5),
        TimeSpan.FromHours(10), TimeSpan.FromHours(14), TimeSpan.FromHours(20), TimeSpan.FromHours(24),
    ];

    /// <summary>No endpoint can ask for a longer wait.</summary>
    public TimeSpan LongestRetryAfter { get; init; } = TimeSpan.FromHours(24);

    /// <summary>Failures in a row after which the circuit of an endpoint opens.</summary>
    public int FailuresBeforeOpen { get; init; } = 5;

    /// <summary>How long a circuit stays open at first; twice as long after each trial that fails.</summary>
    public TimeSpan FirstOpen { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>No circuit stays open for longer.</summary>
    public TimeSpan LongestOpen { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Checks them together.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidSettings"/>.</exception>
    public void Validate()
    {
        if (Timeout <= TimeSpan.Zero || Lease < Timeout * 1.5)
        {
            throw new SpotterException(ErrorCodes.InvalidSettings,
                $"A delivery that is leased for {Lease.TotalSeconds} s leaves no room for an attempt of {Timeout.TotalSeconds} s; make the lease at least half as long again.");
        }
        if (PerEndpoint < 1 || AtOnce < PerEndpoint || Poll <= TimeSpan.Zero || FailuresBeforeOpen < 1)
        {
            throw new SpotterException(ErrorCodes.InvalidSettings,
                $"Deliveries can't be sent {PerEndpoint} at a time to one endpoint, {AtOnce} in all, every {Poll.TotalSeconds} s; make each of them more than 0, and the second no less than the first.");
        }
    }

    /// <summary>What becomes of a delivery after an attempt: the channel's outcome, with the wait that the schedule demands.</summary>
    /// <param name="outcome">What the channel says.</param>
    /// <param name="attempt">Which attempt it was, from 1.</param>
    /// <param name="random">Spreads deliveries that failed together.</param>
    public DeliveryOutcome Schedule(DeliveryOutcome outcome, int attempt, RandomSource random)
    {
        if (outcome is not DeliveryOutcome.Again again)
            return outcome;
        if (attempt > Delays.Count)
        {
            return new DeliveryOutcome.GivenUp(
                again.Status, string.Create(CultureInfo.InvariantCulture, $"{again.Detail} That was the last of {attempt} attempts."), again.Endpoint);
        }
        var delay = Delays[Math.Max(0, attempt - 1)] * (0.8 + (0.4 * random.NextDouble()));
        var asked = again.Delay < LongestRetryAfter ? again.Delay : LongestRetryAfter;
        return again with { Delay = asked > delay ? asked : delay };
    }
}
