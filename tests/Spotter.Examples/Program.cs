using System.Runtime.InteropServices;
using Spotter.Backends.Opening;
using Spotter.Core;
using Spotter.Core.Settings;
using Spotter.Jobs;

namespace Spotter.Examples;

/// <summary>The examples as a program of their own: a gateway and a worker on a data folder, until standard input ends, or a signal.</summary>
internal static class Program
{
    /// <summary>Serves.</summary>
    /// <param name="arguments">The data folder.</param>
    public static async Task<int> Main(string[] arguments)
    {
        if (arguments is not [var data])
        {
            await Console.Error.WriteLineAsync("Name the data folder, as in: dotnet Spotter.Examples.dll DIR");
            return 2;
        }
        await using var backend = BackendFactory.Open(GivenSettings.Reader(), data, new RetrySchedule(), RandomSource.System, TimeProvider.System);
        await backend.CheckBlobsAsync(default);
        await using var deployment = await Deployment.StartAsync(backend.Jobs, backend.Blobs, backend.Outbox);
        Console.WriteLine($"listening on {deployment.Address}");
        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        // Reading blocks its thread, and a signal must not wait for it.
        await Task.WhenAny(Task.Run(Console.In.ReadToEnd), stopped.Task);
        return 0;

        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            stopped.TrySetResult();
        }
    }
}
