using System.Runtime.InteropServices;

namespace Spotter.Cli;

/// <summary>Ctrl-C as the end of work that then ends in order, with what it has done so far.</summary>
internal sealed class Interrupt : IDisposable
{
    private readonly CancellationTokenSource stop = new();
    private readonly PosixSignalRegistration registration;

    public Interrupt() => registration = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal =>
    {
        signal.Cancel = true;
        stop.Cancel();
    });

    /// <summary>Is cancelled by Ctrl-C.</summary>
    public CancellationToken Token => stop.Token;

    /// <inheritdoc/>
    public void Dispose()
    {
        // First, so that no signal finds the source gone.
        registration.Dispose();
        stop.Dispose();
    }
}
