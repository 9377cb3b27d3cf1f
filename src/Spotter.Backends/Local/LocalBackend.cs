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

    public static Backend Open(BackendSettings settings, RetrySchedule retries, RandomSource random, TimeProvider clock)
    {
        var folder = DataFolder.Open(settings.DataFolder);
        BlobPlace? place = null;
        try
        {
            place = BlobStores.Open(settings, random, clock);
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
        catch
        {
            place?.Dispose();
            folder.Dispose();
            throw;
        }
    }
}
