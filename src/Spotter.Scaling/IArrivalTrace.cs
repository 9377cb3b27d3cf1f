using Spotter.Core;

namespace Spotter.Scaling;

/// <summary>When jobs came in, day by day, so that a day can be replayed. Days are those of UTC.</summary>
public interface IArrivalTrace
{
    /// <summary>So many jobs have come in just now. Never fails: a trace that can't be written has a gap.</summary>
    void Arrived(int jobs);

    /// <summary>The days of which there is a trace, newest first.</summary>
    IReadOnlyList<DateOnly> Days();

    /// <summary>The seconds of a day in which jobs came in, and how many, in order; null when there is no trace of that day.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.StoreUnavailable"/>.</exception>
    IReadOnlyList<ArrivalCount>? Read(DateOnly day);
}

/// <summary>The jobs that came in within one second.</summary>
/// <param name="Time">The beginning of that second.</param>
/// <param name="Jobs">How many.</param>
public readonly record struct ArrivalCount(DateTimeOffset Time, int Jobs);
