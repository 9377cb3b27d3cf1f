namespace Spotter.Cli;

/// <summary>Exit statuses.</summary>
internal static class ExitStatus
{
    public const int Done = 0;
    public const int Failed = 1;
    public const int WrongUsage = 2;

    /// <summary>A worker that ended because a job got stuck in it.</summary>
    public const int Stuck = Spotter.Scaling.WorkerExit.StuckStatus;
    public const int Interrupted = 130;
}
