using System.Diagnostics.CodeAnalysis;

namespace Spotter.Scaling.Simulation;

/// <summary>What happens in a simulation.</summary>
internal enum HappeningKind
{
    /// <summary>A job is in the queue.</summary>
    Enqueued,

    /// <summary>A worker has booted.</summary>
    Joined,

    /// <summary>A job is done.</summary>
    Done,

    /// <summary>A worker dies of its job.</summary>
    Died,

    /// <summary>A draining worker's time is over.</summary>
    GraceOver,

    /// <summary>Workers that have drained are removed.</summary>
    Confirmation,

    /// <summary>The policy looks.</summary>
    Tick,
}

/// <summary>Something that happens.</summary>
/// <param name="Kind">What.</param>
/// <param name="Worker">To which worker.</param>
/// <param name="Job">To which job.</param>
/// <param name="Receives">In which of the job's deliveries.</param>
internal readonly record struct Happening(HappeningKind Kind, SimulatedWorker? Worker = null, SimulatedJob? Job = null, int Receives = 0);

/// <summary>What is going to happen, in order of time; what was noted first comes first among equals.</summary>
internal sealed class Agenda
{
    private readonly PriorityQueue<Happening, (double Time, long Order)> ahead = new();
    private long order;

    /// <summary>Seconds since the start.</summary>
    public double Now { get; private set; }

    public void At(double time, Happening happening) => ahead.Enqueue(happening, (time, order++));

    /// <summary>Goes on to the next event; false if there is none up to <paramref name="end"/>.</summary>
    public bool TryGoOn(double end, [NotNullWhen(true)] out Happening? next)
    {
        next = null;
        if (!ahead.TryPeek(out var happening, out var when) || when.Time > end)
            return false;
        ahead.Dequeue();
        Now = when.Time;
        next = happening;
        return true;
    }
}
