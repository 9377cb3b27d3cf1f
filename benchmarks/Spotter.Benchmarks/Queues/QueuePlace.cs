using Npgsql;
using Spotter.Backends;
using Spotter.Backends.Opening;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Benchmarks.Queues;

/// <summary>Where the jobs of one measurement are kept; every new one is empty.</summary>
/// <param name="Name">How the table calls it.</param>
/// <param name="Settings">What opens it.</param>
internal sealed record QueuePlace(string Name, BackendSettings Settings) : IDisposable
{
    /// <summary>The job store of one machine, in a folder of its own on the disk of the temporary files.</summary>
    public static QueuePlace Sqlite() =>
        new("Spotter on SQLite", new BackendSettings { DataFolder = Directory.CreateTempSubdirectory("spotter-queue-").FullName });

    /// <summary>A schema of a PostgreSQL server.</summary>
    public static QueuePlace Postgres(PrivateServer server, string schema)
    {
        var folder = Directory.CreateTempSubdirectory("spotter-queue-").FullName;
        return new("Spotter on PostgreSQL", new BackendSettings
        {
            Kind = "postgres",
            Postgres = server.PostgresUrl,
            PostgresSchema = schema,
            DataFolder = folder,
            // No picture is ever stored here, but gateways that may be several want a place that they share.
            Blobs = $"folder:{Path.Combine(folder, "blobs")}",
        });
    }

    /// <summary>What makes a gateway use it, besides its data folder.</summary>
    public IReadOnlyList<string> GatewayArguments => Settings.Kind == "postgres"
        ? ["--backend", "postgres", "--postgres", Settings.Postgres!, "--postgres-schema", Settings.PostgresSchema!, "--blobs", Settings.Blobs!]
        : [];

    /// <summary>Does at once what the server would do by itself within minutes after so many changes.</summary>
    public async Task SettleAsync()
    {
        if (Settings.Kind != "postgres")
            return;
        await using var source = NpgsqlDataSource.Create(PrivateServer.ConnectionString(Settings.Postgres!));
        await using var command = source.CreateCommand("VACUUM ANALYZE");
        command.CommandTimeout = 300;
        await command.ExecuteNonQueryAsync();
    }

    public Backend Open() => BackendFactory.Open(Settings, new RetrySchedule(), RandomSource.System, TimeProvider.System);

    public void Dispose() => Directory.Delete(Settings.DataFolder, recursive: true);
}
