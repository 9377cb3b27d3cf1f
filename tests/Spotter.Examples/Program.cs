using Spotter.Backends.Opening;
using Spotter.Core;
using Spotter.Core.Settings;
using Spotter.Jobs;

namespace Spotter.Examples;

/// <summary>The examples as a program of their own: a gateway and a worker on a data folder, until standard input ends.</summary>
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
        await Console.In.ReadToEndAsync();
        return 0;
    }
}
