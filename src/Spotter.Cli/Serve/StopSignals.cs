using System.Runtime.InteropServices;
using Microsoft.Extensions.Hosting;

namespace Spotter.Cli.Serve;

/// <summary>
/// SIGINT, SIGTERM, SIGQUIT and SIGHUP (its terminal was closed), also as what a host lives by; the second one ends the process
/// at once, which the host's own lifetime would not let it. What <c>nohup</c> has the process ignore stays ignored.
/// </summary>
internal sealed class StopSignals : IHostLifetime, IDisposable
{
    private readonly CancellationTokenSource cancel = new();
    private readonly List<PosixSignalRegistration> registrations = [];

    public StopSignals()
    {
        foreach (var signal in (PosixSignal[])[PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGQUIT, PosixSignal.SIGHUP])
            registrations.Add(PosixSignalRegistration.Create(signal, OnSignal));
    }

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Token => cancel.Token;

    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose()
    {
        registrations.ForEach(r => r.Dispose());
        cancel.Dispose();
    }

    private void OnSignal(PosixSignalContext context)
    {
        // Not cancelled the second time: then the runtime ends the process as it would have the first time.
        context.Cancel = !cancel.IsCancellationRequested;
        if (context.Cancel)
            cancel.Cancel();
    }
}
