using Spotter.Core.Settings;

namespace Spotter.Backends.Local;

/// <summary>
/// Everything in one folder of this machine: <c>spotter.db</c> for jobs, <c>blobs</c> for pictures unless they
/// are to be kept elsewhere.
/// </summary>
internal sealed class LocalBackend : IBackendModule
{
    private static readonly TimeSpan BusyTimeout = TimeSpan.FromSeconds(5);

    public string Name => "local";

    public string Help => "in the data folder, for one gateway";

    public IReadOnlyList<Setting> Settings => [];

    /// <summary>Opens the database, and brings its schema up to date.</summary>
    public Backend Open(BackendContext context)
    {
        var database = SqliteDatabase.Open(context.DataFolder, BusyTimeout);
        return new Backend(
            new SqliteJobStore(database, context.Retries, context.Random, context.Clock), database.StoreId, context.Pictures,
            new SqliteOutbox(database, context.Clock), database.Writer.Failed, database.DisposeAsync)
        {
            Controllers = new LocalControllerLease(context.Clock),
            Inbox = new SqliteInbox(database, context.Clock),
            Models = new LocalModelRegistry(context.Clock),
        };
    }
}
