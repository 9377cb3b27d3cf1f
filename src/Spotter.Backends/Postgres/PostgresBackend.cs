using Spotter.Core;
using Spotter.Core.Settings;
using Spotter.Jobs;

namespace Spotter.Backends.Postgres;

/// <summary>Jobs in a PostgreSQL database that several gateways share; the pictures are kept elsewhere.</summary>
internal sealed class PostgresBackend : IJobRowsModule
{
    private static readonly Setting<string?> Url = new(
        "postgres.url", "The PostgreSQL server, as postgres://user:password@host:5432/database. Others see what is typed: better give it in the environment or a file.",
        SettingValues.OptionalText("URL"), null) { Flag = "--postgres", IsSecret = true };

    private static readonly Setting<string?> UrlFile = new("postgres.urlFile", "File with that address.", SettingValues.OptionalText("FILE"), null) { Flag = "--postgres-file" };

    private static readonly Setting<string> Schema = new(
        "postgres.schema", "The schema for the tables; several deployments may share a database.", SettingValues.Text("NAME"), PostgresSettings.DefaultSchema) { Flag = "--postgres-schema" };

    public string Name => "postgres";

    public string Help => "in a PostgreSQL server, for any number of gateways";

    public IReadOnlyList<Setting> Settings { get; } = [Url, UrlFile, Schema];

    public void Check(SettingReader settings)
    {
        if (string.IsNullOrEmpty(settings.GetSecret(Url, UrlFile)))
            settings.Mistake("Jobs are kept in PostgreSQL, and the address of its server is missing; give it with --postgres URL.");
        if (!settings.Has(BackendSettings.Blobs))
            settings.Mistake("Several gateways may share jobs in PostgreSQL, so their pictures belong where all of them reach them; name the place with --blobs folder:PATH or --blobs s3://BUCKET.");
    }

    public Task<IReadOnlyList<Probed>> ProbeAsync(SettingReader settings, IReadOnlyCollection<string> queues) =>
        Task.FromResult<IReadOnlyList<Probed>>(settings.GetSecret(Url, UrlFile) is { Length: > 0 } address ? [new Probed("job store", PostgresDatabase.Probe(address))] : []);

    // What else this gateway keeps in its data folder is its own.
    public Backend Open(BackendContext context) => Open(context, deliver: null);

    Backend IJobRowsModule.Open(BackendContext context, OpenDelivery deliver) => Open(context, deliver);

    /// <summary>Reaches the server and brings its schema up to date.</summary>
    /// <param name="settings">Which database.</param>
    /// <param name="place">The pictures; closed with the backend.</param>
    /// <param name="retries">When a job is tried again.</param>
    /// <param name="random">Spreads retries.</param>
    /// <param name="clock">The time.</param>
    /// <param name="deliver">Opens what delivers the jobs; null when they are taken from their table.</param>
    /// <exception cref="SpotterException">That is not possible.</exception>
    public static Backend Open(
        PostgresSettings settings, BlobPlace place, RetrySchedule retries, RandomSource random, TimeProvider clock, OpenDelivery? deliver = null)
    {
        var database = PostgresDatabase.Open(settings);
        var server = settings.ServerTime ? new ServerClock(clock) : null;
        var time = server ?? clock;
        var signals = new PostgresSignals(database, server, random);
        var delivery = deliver?.Invoke(database.StoreId, new PostgresJobRows(database), time);
        var store = new PostgresJobStore(database, signals, retries, random, time, delivery);
        // The server heals by itself, and nothing of it is in this process: there is no failure to end it for.
        var failed = new TaskCompletionSource<Exception>().Task;
        return new Backend(
            store, database.StoreId, place, new PostgresOutbox(database, signals, time), failed,
            async () =>
            {
                await store.StopAsync();
                if (delivery is not null)
                    await delivery.DisposeAsync();
                await signals.DisposeAsync();
                await database.DisposeAsync();
            })
        {
            IsShared = true,
            Controllers = new PostgresControllerLease(database, settings.ServerTime ? null : clock),
            Inbox = new PostgresInbox(database, time),
            Models = new PostgresModelRegistry(database, settings.ServerTime ? null : clock),
        };
    }

    private static Backend Open(BackendContext context, OpenDelivery? deliver) => Open(
        new PostgresSettings { Address = context.Settings.GetSecret(Url, UrlFile)!, Schema = context.Settings.Get(Schema) },
        context.Pictures, context.Retries, context.Random, context.Clock, deliver);
}
