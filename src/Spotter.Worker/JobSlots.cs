namespace Spotter.Worker;

/// <summary>
/// Room for jobs: each has a slot from before it is taken until it is handed in. One that has to run alone gets all of them. Safe to use
/// from many threads.
/// </summary>
internal sealed class JobSlots : IDisposable
{
    private readonly Lock gate = new();
    private TaskCompletionSource freed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int most;
    private int used;
    private bool isAlone;
    private CancellationTokenSource alone = new();

    /// <summary>So many slots.</summary>
    public JobSlots(int most) => this.most = most;

    /// <summary>How many there are. When they become fewer, those in use stay in use.</summary>
    public int Most
    {
        get
        {
            lock (gate)
                return most;
        }
        set
        {
            lock (gate)
            {
                var more = value > most;
                most = value;
                if (more)
                    Tell();
            }
        }
    }

    /// <summary>Cancelled once a job is to run alone; ask anew after that.</summary>
    public CancellationToken Alone
    {
        get
        {
            lock (gate)
                return alone.Token;
        }
    }

    /// <summary>Takes all that are free, waiting for the first; how many.</summary>
    public async Task<int> ClaimAsync(CancellationToken cancel)
    {
        while (true)
        {
            Task next;
            lock (gate)
            {
                if (TryClaim(leaving: 0) is > 0 and var claimed)
                    return claimed;
                next = freed.Task;
            }
            await next.WaitAsync(cancel);
        }
    }

    /// <summary>Takes as many as there will be once <paramref name="leaving"/> of those in use are given back; how many, 0 when there is no room.</summary>
    public int TryClaim(int leaving)
    {
        lock (gate)
        {
            var claimed = isAlone ? 0 : Math.Max(0, most - used + leaving);
            used += claimed;
            return claimed;
        }
    }

    /// <summary>Gives some back.</summary>
    public void Release(int count)
    {
        lock (gate)
        {
            used -= count;
            if (count > 0)
                Tell();
        }
    }

    /// <summary>Returns once no more than so many are in use.</summary>
    public async Task WaitAsync(int left, CancellationToken cancel)
    {
        while (true)
        {
            Task next;
            lock (gate)
            {
                if (used <= left)
                    return;
                next = freed.Task;
            }
            await next.WaitAsync(cancel);
        }
    }

    /// <summary>From now on nobody gets a slot; false when that is so already, for another job.</summary>
    public bool TryBeAlone()
    {
        CancellationTokenSource told;
        lock (gate)
        {
            if (isAlone)
                return false;
            isAlone = true;
            told = alone;
        }
        told.Cancel();
        return true;
    }

    /// <summary>There is room for others again.</summary>
    public void EndAlone()
    {
        lock (gate)
        {
            isAlone = false;
            alone.Dispose();
            alone = new();
            Tell();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => alone.Dispose();

    // Called with the gate held.
    private void Tell()
    {
        freed.SetResult();
        freed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
