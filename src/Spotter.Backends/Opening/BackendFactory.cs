using Spotter.Backends.Local;
using Spotter.Backends.Postgres;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Backends.Opening;

/// <summary>Opens backends: the one place that knows which technologies there are.</summary>
public static class BackendFactory
{
    /// <summary>Opens the ports of a deployment.</summary>
    /// <exception cref="SpotterException">
    /// <see cref="ErrorCodes.StoreUnavailable"/>: it can't be opened, or another process has it;
    /// <see cref="ErrorCodes.InvalidRequest"/>: there is no such kind;
    /// <see cref="ErrorCodes.InvalidSettings"/>: pictures can't be kept there.
    /// </exception>
    public static Backend Open(BackendSettings settings, RetrySchedule retries, RandomSource random, TimeProvider clock) =>
        settings.Kind switch
        {
            "local" => OpenLocal(settings, retries, random, clock),
            "postgres" => OpenPostgres(settings, retries, random, clock),
            _ => throw new SpotterException(
                ErrorCodes.InvalidRequest, $"There is no backend '{settings.Kind}'; choose one of: local, postgres."),
        };

    private static Backend OpenLocal(BackendSettings settings, RetrySchedule retries, RandomSource random, TimeProvider clock) =>
        OpenPlaces(settings, random, clock, (folder, pictures) => LocalBackend.Open(folder, pictures, retries, random, clock));

    private static Backend OpenPostgres(BackendSettings settings, RetrySchedule retries, RandomSource random, TimeProvider clock)
    {
        if (string.IsNullOrEmpty(settings.Postgres))
            throw new SpotterException(ErrorCodes.InvalidSettings, "The backend 'postgres' needs the address of its server; give it with --postgres URL.");
        if (string.IsNullOrEmpty(settings.Blobs))
        {
            throw new SpotterException(ErrorCodes.InvalidSettings,
                "Several gateways may share the backend 'postgres', so its pictures belong where all of them reach them; name the place with --blobs folder:PATH or --blobs s3://BUCKET.");
        }
        var server = new PostgresSettings { Address = settings.Postgres, Schema = settings.PostgresSchema ?? PostgresSettings.DefaultSchema };
        // What else this gateway keeps in its data folder is its own.
        return OpenPlaces(settings, random, clock, (folder, pictures) => PostgresBackend.Open(server, pictures, retries, random, clock, folder));
    }

    /// <summary>Opens the data folder and the place of the pictures, which are closed again if the rest fails.</summary>
    private static Backend OpenPlaces(BackendSettings settings, RandomSource random, TimeProvider clock, Func<DataFolder, BlobPlace, Backend> open)
    {
        var folder = DataFolder.Open(settings.DataFolder);
        BlobPlace? pictures = null;
        try
        {
            pictures = BlobStores.Open(settings, random, clock);
            return open(folder, pictures);
        }
        catch
        {
            pictures?.Dispose();
            folder.Dispose();
            throw;
        }
    }
}
