using System.Diagnostics;
using Npgsql;
using Spotter.Backends;
using Spotter.Backends.Opening;
using Spotter.Core;
using Spotter.Core.Settings;
using Spotter.Jobs;

namespace Spotter.Benchmarks.Queues;

/// <summary>Where the jobs of one measurement are kept; every new one is empty.</summary>
/// <param name="Name">How the table calls it.</param>
/// <param name="DataFolder">The data folder.</param>
/// <param name="PostgresUrl">The server; null for SQLite.</param>
/// <param name="Schema">The schema on it.</param>
internal sealed record QueuePlace(string Name, string DataFolder, string? PostgresUrl = null, string Schema = "") : IDisposable
{
    /// <summary>The job store of one machine, in a folder of its own on the disk of the temporary files.</summary>
    public static QueuePlace Sqlite() =>
        new("Spotter on SQLite", Directory.CreateTempSubdirectory("spotter-queue-").FullName);

    /// <summary>A schema of a PostgreSQL server.</summary>
    public static QueuePlace Postgres(PrivateServer server, string schema) =>
        new("Spotter on PostgreSQL", Directory.CreateTempSubdirectory("spotter-queue-").FullName, server.PostgresUrl, schema);

    // No picture is ever stored here, but gateways that may be several want a place that they share.
    private string Blobs => $"folder:{Path.Combine(DataFolder, "blobs")}";

    /// <summary>What makes a gateway use it, besides its data folder.</summary>
    public IReadOnlyList<string> GatewayArguments => PostgresUrl is null
        ? []
        : ["--backend", "postgres", "--postgres", PostgresUrl, "--postgres-schema", Schema, "--blobs", Blobs];

    /// <summary>
    /// Does at once what would be done within minutes after so many changes: the server's upkeep, and the writes that the system
    /// has put off. Otherwise the disk is busy with what was made before, in some measurements and not in others.
    /// </summary>
    public async Task SettleAsync()
    {
        if (PostgresUrl is not null)
        {
            await using var source = NpgsqlDataSource.Create(PrivateServer.ConnectionString(PostgresUrl));
            foreach (var upkeep in (string[])["VACUUM ANALYZE", "CHECKPOINT"])
            {
                await using var command = source.CreateCommand(upkeep);
                command.CommandTimeout = 300;
                await command.ExecuteNonQueryAsync();
            }
        }
        using var sync = Process.Start("sync");
        await sync.WaitForExitAsync();
    }

    public Backend Open() => BackendFactory.Open(
        PostgresUrl is null
            ? GivenSettings.Reader()
            : GivenSettings.Reader(("backend", "postgres"), ("postgres.url", PostgresUrl), ("postgres.schema", Schema), ("blobs", Blobs)),
        DataFolder, new RetrySchedule(), RandomSource.System, TimeProvider.System);

    public void Dispose() => Directory.Delete(DataFolder, recursive: true);
}
