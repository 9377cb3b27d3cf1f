using Spotter.Core;

namespace Spotter.Cli.Load;

/// <summary>When the requests of a run are due, from its start on.</summary>
internal static class ArrivalTimes
{
    /// <summary>One time per request, in order; all zero for arrivals that heed no clock.</summary>
    public static IEnumerable<TimeSpan> Of(LoadSettings settings)
    {
        var random = RandomSource.Seeded(settings.Seed);
        var at = 0.0;
        for (var i = 0; i < settings.Jobs; i++)
        {
            yield return TimeSpan.FromSeconds(at);
            at = settings.Arrivals switch
            {
                ArrivalKind.Even => (i + 1) / settings.Rate,
                // Gaps of a Poisson process; 1 - [0, 1) is never 0.
                ArrivalKind.Poisson => at - (Math.Log(1 - random.NextDouble()) / settings.Rate),
                _ => 0,
            };
        }
    }
}
