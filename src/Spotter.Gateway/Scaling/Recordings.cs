using System.Globalization;
using Spotter.Core;
using Spotter.Scaling;

namespace Spotter.Gateway.Scaling;

/// <summary>The recorded arrivals, of which a gateway may have none, and what would have become of them.</summary>
/// <param name="trace">Where they are; null when none are recorded.</param>
/// <param name="replay">Plays them again; null when nothing is scaled here.</param>
internal sealed class Recordings(IArrivalTrace? trace, IScaleReplay? replay)
{
    /// <summary>The days, newest first.</summary>
    public IReadOnlyList<DateOnly> Days() => trace?.Days() ?? [];

    /// <summary>A day as it is set and as it might have been set.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.NotFound"/>: as in <see cref="Read"/>, or nothing is scaled here.</exception>
    public async Task<WhatIfView> ReplayAsync(DateOnly day, ScalePreset? preset, int? maxWorkers, CancellationToken cancel)
    {
        if (replay is null)
            throw new SpotterException(ErrorCodes.NotFound, "The workers of this service are started elsewhere; ask what decides about them there.");
        var arrivals = Read(day);
        if (arrivals.Count == 0)
            throw new SpotterException(ErrorCodes.NotFound, "No job came in that day; choose another.");
        return new WhatIfView(
            replay.Terms,
            await replay.ReplayAsync(arrivals, preset: null, maxWorkers: null, cancel),
            await replay.ReplayAsync(arrivals, preset, maxWorkers, cancel));
    }

    /// <summary>The arrivals of a day.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.NotFound"/>: nothing came in that day, or it was too long ago.</exception>
    public IReadOnlyList<ArrivalCount> Read(DateOnly day) => trace?.Read(day)
        ?? throw new SpotterException(ErrorCodes.NotFound, $"No arrivals are recorded for {day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}; /v1/scaling/days lists the days that there are.");
}
