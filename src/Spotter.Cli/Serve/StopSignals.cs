using System.Runtime.InteropServices;

namespace Spotter.Cli.Serve;

/// <summary>SIGINT, SIGTERM and SIGQUIT as a task; the second one ends the process at once.</summary>
internal sealed class StopSignals : IDisposable
{
    private readonly TaskCompletionSource stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource cancel = new();
    private readonly List<PosixSignalRegistration> registrations = [];

    public StopSignals()
    {
        foreach (var signal in (PosixSignal[])[PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGQUIT])
            registrations.Add(PosixSignalRegistration.Create(signal, OnSignal));
    }

    /// <summary>Completes with the first signal.</summary>
    public Task Stopped => stopped.Task;

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Token => cancel.Token;

    public void Dispose()
    {
        registrations.ForEach(r => r.Dispose());
        cancel.Dispose();
    }

    private void OnSignal(PosixSignalContext context)
    {
        // Not cancelled the second time: then the runtime ends the process as it would have the first time.
        context.Cancel = stopped.TrySetResult();
        if (context.Cancel)
            cancel.Cancel();
    }
}
