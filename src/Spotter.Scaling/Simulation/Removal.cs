namespace Spotter.Scaling.Simulation;

/// <summary>What becomes of a worker that is to go, which depends on who removes it: not every fleet lets a job end.</summary>
public abstract record Removal
{
    private Removal()
    {
    }

    /// <summary>It takes no more jobs and goes when the last one is done.</summary>
    public static Removal AfterItsJob { get; } = new Drain();

    /// <summary>It goes at once. Its job comes back when it is delivered again.</summary>
    public static Removal AtOnce { get; } = new Terminate();

    /// <summary>As <see cref="AfterItsJob"/>.</summary>
    internal sealed record Drain : Removal;

    /// <summary>As <see cref="AtOnce"/>.</summary>
    internal sealed record Terminate : Removal;

    /// <summary>It takes no more jobs and goes when the last one is done, or after this time, whichever is first.</summary>
    /// <param name="Seconds">What it is given.</param>
    public sealed record Grace(double Seconds) : Removal;

    /// <summary>It takes no more jobs, says when the last one is done, and is paid for until whoever removes it looks for that.</summary>
    /// <param name="EverySeconds">Time between two looks.</param>
    /// <param name="FirstSeconds">Time of the first look.</param>
    /// <param name="Most">How many are removed at a look.</param>
    public sealed record Confirm(double EverySeconds, double FirstSeconds, int Most) : Removal;
}
