
namespace Spotter.Scaling.Simulation;

/// <summary>A moment of a run.</summary>
/// <param name="Seconds">Since the start.</param>
/// <param name="Queued">Jobs waiting.</param>
/// <param name="Wanted">Workers that the policy wants.</param>
/// <param name="Ready">Workers that have joined, draining ones included.</param>
/// <param name="Present">Workers that are paid for.</param>
public readonly record struct Moment(double Seconds, int Queued, int Wanted, int Ready, int Present);

/// <summary>The course of a run, to be drawn.</summary>
public sealed class Timeline
{
    private readonly List<Moment> moments = [];

    /// <summary>In order of time.</summary>
    public IReadOnlyList<Moment> Moments => moments;

    /// <summary>Notes a moment: the watch of a run.</summary>
    public void Note(ScaleObservation seen, ScaleDecision decided)
    {
        var booting = 0;
        foreach (var worker in seen.Workers)
            booting += worker.IsBooting ? 1 : 0;
        moments.Add(new(seen.Time.TotalSeconds, seen.Queued ?? 0, decided.Target, seen.Workers.Count - booting, seen.Workers.Count));
    }
}
