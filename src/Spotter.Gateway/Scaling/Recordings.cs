using System.Globalization;
using Spotter.Core;
using Spotter.Core.Scaling;

namespace Spotter.Gateway.Scaling;

/// <summary>The recorded arrivals, of which a gateway may have none.</summary>
/// <param name="trace">Where they are; null when none are recorded.</param>
internal sealed class Recordings(IArrivalTrace? trace)
{
    /// <summary>The days, newest first.</summary>
    public IReadOnlyList<DateOnly> Days() => trace?.Days() ?? [];

    /// <summary>The arrivals of a day.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.NotFound"/>: nothing came in that day, or it was too long ago.</exception>
    public IReadOnlyList<ArrivalCount> Read(DateOnly day) => trace?.Read(day)
        ?? throw new SpotterException(ErrorCodes.NotFound, $"No arrivals are recorded for {day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}; /v1/scaling/days lists the days that there are.");
}
