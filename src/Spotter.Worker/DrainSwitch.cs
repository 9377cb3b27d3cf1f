namespace Spotter.Worker;

/// <summary>
/// Whether a worker takes jobs. An order to drain can be taken back until the worker has ended; orders come on several
/// ways and are numbered, as they may overtake each other. Safe to use from many threads.
/// </summary>
public sealed class DrainSwitch : IDisposable
{
    private const int ForGood = int.MaxValue;

    private readonly Lock gate = new();

    // Without a timer there is nothing in it to dispose of.
    private readonly CancellationTokenSource givingUp = new();

    private CancellationTokenSource draining = new();
    private CancellationTokenSource staying = new();
    private bool isDraining;
    private int latest;

    /// <summary>Creates a switch that lets jobs be taken.</summary>
    public DrainSwitch() => staying.Cancel();

    /// <summary>True while no job is to be taken.</summary>
    public bool IsDraining
    {
        get
        {
            lock (gate)
                return isDraining;
        }
    }

    /// <summary>True when the worker is to end whatever is ordered now.</summary>
    public bool IsForGood => LatestOrder == ForGood;

    /// <summary>The number of the newest order; 0 when there was none.</summary>
    public int LatestOrder
    {
        get
        {
            lock (gate)
                return latest;
        }
    }

    /// <summary>Cancelled while no job is to be taken; ask anew after that was taken back.</summary>
    public CancellationToken Draining
    {
        get
        {
            lock (gate)
                return draining.Token;
        }
    }

    /// <summary>Cancelled while jobs are to be taken; ask anew after each order to drain.</summary>
    public CancellationToken Staying
    {
        get
        {
            lock (gate)
                return staying.Token;
        }
    }

    /// <summary>Cancelled once what still runs is to be given back.</summary>
    public CancellationToken GivingUp => givingUp.Token;

    /// <summary>From now on take no job; nothing takes that back.</summary>
    public void DrainForGood() => Obey(ForGood, drain: true);

    /// <summary>There is no time left: take no job, give back what runs, and end.</summary>
    public void GiveUp()
    {
        DrainForGood();
        givingUp.Cancel();
    }

    /// <summary>Takes no more jobs, or takes them again; an order that is older than one obeyed already changes nothing.</summary>
    public void Obey(int order, bool drain)
    {
        CancellationTokenSource begun;
        lock (gate)
        {
            if (order <= latest)
                return;
            latest = order;
            if (drain == isDraining)
                return;
            begun = Turn(drain);
        }
        // Not disposed of: its token is asked for as long as the state lasts, and there is no timer in it.
        begun.Cancel();
    }

    /// <summary>Takes jobs again, as whoever has the last word says, unless it is to end for good.</summary>
    public void Stay(int order)
    {
        CancellationTokenSource begun;
        lock (gate)
        {
            if (latest == ForGood || !isDraining)
                return;
            latest = Math.Max(latest, order);
            begun = Turn(drain: false);
        }
        // Not disposed of: its token is asked for as long as the state lasts, and there is no timer in it.
        begun.Cancel();
    }

    /// <summary>From now on nothing is obeyed: orders may come as long as the process lives.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            latest = ForGood;
            draining.Dispose();
            staying.Dispose();
        }
    }

    private CancellationTokenSource Turn(bool drain)
    {
        isDraining = drain;
        CancellationTokenSource begun;
        if (drain)
            (begun, staying) = (draining, new CancellationTokenSource());
        else
            (begun, draining) = (staying, new CancellationTokenSource());
        return begun;
    }
}
