using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Backends.Local;

/// <summary>
/// Everything in one folder of this machine: <c>spotter.db</c> for jobs, <c>blobs</c> for pictures unless they
/// are to be kept elsewhere.
/// </summary>
internal static class LocalBackend
{
    private static readonly TimeSpan BusyTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Opens the database, and brings its schema up to date.</summary>
    /// <param name="folder">Where it lies; given up when the backend is closed.</param>
    /// <param name="place">The pictures; closed with the backend.</param>
    /// <param name="retries">When a job is tried again.</param>
    /// <param name="random">Spreads retries.</param>
    /// <param name="clock">The time.</param>
    /// <exception cref="SpotterException">That is not possible.</exception>
    public static Backend Open(DataFolder folder, BlobPlace place, RetrySchedule retries, RandomSource random, TimeProvider clock)
    {
        var database = SqliteDatabase.Open(folder, BusyTimeout);
        return new Backend(
            new SqliteJobStore(database, retries, random, clock), database.StoreId, place, new SqliteOutbox(database, clock), database.Writer.Failed,
            async () =>
            {
                await database.DisposeAsync();
                folder.Dispose();
            })
        {
            Controllers = new LocalControllerLease(clock),
        };
    }
}
