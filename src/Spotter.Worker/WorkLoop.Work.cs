using Spotter.Jobs;

namespace Spotter.Worker;

/// <summary>What is held: jobs, and the lanes that run them.</summary>
public sealed partial class WorkLoop
{
    /// <summary>A thread that runs jobs.</summary>
    /// <param name="decodingFor">For how long it has been decoding a picture.</param>
    private sealed class Lane(Func<TimeSpan> decodingFor)
    {
        public TimeSpan DecodingFor() => decodingFor();
    }

    /// <summary>A job that is held, from its taking until it was handed in.</summary>
    private sealed class Work(StartedJob started, EngineLimits limits, JobFolder folder) : IProgress<double>
    {
        private const long NotRunning = -1;

        private long runningSince = NotRunning;
        private double progress = double.NaN;
        private int hasLeft;
        private volatile bool isLost;
        private volatile bool isLate;

        public StartedJob Started => started;

        public Job Job => started.Job;

        public Lease Lease => started.Lease;

        // Without a timer there is nothing in it to dispose of.
        private CancellationTokenSource Ending { get; } = new();

        public EngineLimits Limits => limits;

        /// <summary>Where its files are while it is held.</summary>
        public JobFolder Folder => folder;

        public IReadOnlyList<EngineInput> Inputs { get; set; } = [];

        public TimeSpan Fetch { get; set; }

        /// <summary>The lease is somebody else's, or nobody's: whatever comes of it is dropped.</summary>
        public bool Lost => isLost;

        /// <summary>It has run for as long as it may, and its engine has been asked to stop.</summary>
        public bool IsLate => isLate;

        /// <summary>Cancelled once it is lost or late.</summary>
        public CancellationToken Unwanted => Ending.Token;

        /// <summary>How far it is, 0 to 1; null while its engine does not say.</summary>
        public double? Progress => Volatile.Read(ref progress) is var known && double.IsNaN(known) ? null : known;

        public TaskCompletionSource<JobRun> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>The lane that runs it; null until one does.</summary>
        public Lane? Lane { get; set; }

        /// <summary>When a lane began to run it; null while none does. Read by the heartbeat.</summary>
        public long? RunningSince
        {
            get => Volatile.Read(ref runningSince) is var since and not NotRunning ? since : null;
            set => Volatile.Write(ref runningSince, value ?? NotRunning);
        }

        /// <summary>True the first time.</summary>
        public bool TryLeave() => Interlocked.Exchange(ref hasLeft, 1) == 0;

        public void Lose()
        {
            isLost = true;
            Ending.Cancel();
        }

        public void Stop()
        {
            isLate = true;
            Ending.Cancel();
        }

        public void Report(double value) => Volatile.Write(ref progress, Math.Clamp(value, 0, 1));
    }
}
