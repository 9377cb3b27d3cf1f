using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Backends.Postgres;

/// <summary>Jobs in a PostgreSQL database that several gateways share; the pictures are kept elsewhere.</summary>
internal static class PostgresBackend
{
    /// <summary>Reaches the server and brings its schema up to date.</summary>
    /// <param name="settings">Which database.</param>
    /// <param name="place">The pictures; closed with the backend.</param>
    /// <param name="retries">When a job is tried again.</param>
    /// <param name="random">Spreads retries.</param>
    /// <param name="clock">The time.</param>
    /// <param name="held">Given up when the backend is closed.</param>
    /// <exception cref="SpotterException">That is not possible.</exception>
    public static Backend Open(
        PostgresSettings settings, BlobPlace place, RetrySchedule retries, RandomSource random, TimeProvider clock, IDisposable? held = null)
    {
        var database = PostgresDatabase.Open(settings);
        var server = settings.ServerTime ? new ServerClock(clock) : null;
        var time = server ?? clock;
        var signals = new PostgresSignals(database, server, random);
        var store = new PostgresJobStore(database, signals, retries, random, time);
        // The server heals by itself, and nothing of it is in this process: there is no failure to end it for.
        var failed = new TaskCompletionSource<Exception>().Task;
        return new Backend(
            store, database.StoreId, place, new PostgresOutbox(database, signals, time), failed,
            async () =>
            {
                await store.StopAsync();
                await signals.DisposeAsync();
                await database.DisposeAsync();
                held?.Dispose();
            })
        {
            IsShared = true,
            Controllers = new PostgresControllerLease(database, settings.ServerTime ? null : clock),
        };
    }
}
