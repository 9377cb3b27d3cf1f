using Spotter.Backends.Aws;
using Spotter.Backends.Local;
using Spotter.Backends.Postgres;
using Spotter.Backends.Redis;
using Spotter.Backends.S3;
using Spotter.Core;
using Spotter.Core.Settings;
using Spotter.Jobs;

namespace Spotter.Backends.Opening;

/// <summary>Opens backends.</summary>
public static class BackendFactory
{
    private static readonly PostgresBackend Postgres = new();

    /// <summary>The technologies: the one place where they are registered.</summary>
    private static readonly IReadOnlyList<IBackendModule> BuiltIn = [new LocalBackend(), Postgres, new RedisBackend(Postgres), new AwsBackend()];

    private static readonly Setting<string> Kind = new(
        "backend", $"Where jobs are kept: {string.Join("; ", BuiltIn.Select(b => $"`{b.Name}`, {b.Help}"))}.", SettingValues.OneOf([.. BuiltIn.Select(b => b.Name)]), BuiltIn[0].Name) { Flag = "--backend" };

    /// <summary>The settings of all backends and of all places for pictures.</summary>
    public static IReadOnlyList<Setting> Settings { get; } =
        [Kind, .. BuiltIn.SelectMany(b => b.Settings).Distinct(), BackendSettings.Blobs, .. BlobStores.BuiltIn.SelectMany(p => p.Settings), BackendSettings.AdoptBlobs];

    /// <summary>True when the bucket says which uploads have arrived.</summary>
    public static bool HearsOfUploads(SettingReader settings) => settings.Has(BucketPlace.Events);

    /// <summary>Notes what is missing or wrong in the settings, before anything is opened.</summary>
    public static void Check(SettingReader settings)
    {
        var chosen = Chosen(settings);
        foreach (var other in BuiltIn.Where(b => b != chosen))
        {
            if (other.Settings.Except(chosen.Settings).FirstOrDefault(settings.Has) is { } idle)
                settings.Mistake($"{settings.NameOf(idle)} is given, but jobs are kept in '{chosen.Name}'; add --backend {other.Name}.");
        }
        chosen.Check(settings);
    }

    /// <summary>Looks at the servers in which jobs and pictures are kept, and changes nothing; nothing when there are none.</summary>
    /// <param name="settings">What was asked for.</param>
    /// <param name="queues">The queues of jobs that a service would use.</param>
    public static async Task<IReadOnlyList<Probed>> ProbeAsync(SettingReader settings, IReadOnlyCollection<string> queues)
    {
        var found = new List<Probed>(await TryAsync("job store", () => Chosen(settings).ProbeAsync(settings, queues)));
        if (settings.Get(BackendSettings.Blobs) is { } place)
        {
            foreach (var module in BlobStores.BuiltIn)
                found.AddRange(await TryAsync("pictures", async () => await module.ProbeAsync(place, settings) is { } one ? [one] : []));
        }
        return found;
    }

    /// <summary>Opens the ports of a deployment.</summary>
    /// <exception cref="SpotterException">
    /// <see cref="ErrorCodes.StoreUnavailable"/>: it can't be opened, or another process has it;
    /// <see cref="ErrorCodes.InvalidSettings"/>: it can't be as was asked for.
    /// </exception>
    public static Backend Open(SettingReader settings, string dataFolder, RetrySchedule retries, RandomSource random, TimeProvider clock)
    {
        Check(settings);
        var chosen = Chosen(settings);
        settings.ThrowIfWrong();
        var folder = DataFolder.Open(dataFolder);
        BlobPlace? pictures = null;
        try
        {
            pictures = BlobStores.Open(settings, folder.Path, random, clock);
            var backend = chosen.Open(new BackendContext(settings, folder.Path, pictures, retries, random, clock));
            backend.Held = folder;
            return backend;
        }
        catch
        {
            pictures?.Dispose();
            folder.Dispose();
            throw;
        }
    }

    private static async Task<IReadOnlyList<Probed>> TryAsync(string name, Func<Task<IReadOnlyList<Probed>>> probe)
    {
        try
        {
            return await probe();
        }
        catch (SpotterException unreachable)
        {
            return [new Probed(name, unreachable.Message, IsWrong: true)];
        }
    }

    private static IBackendModule Chosen(SettingReader settings)
    {
        var name = settings.Get(Kind);
        return BuiltIn.First(b => b.Name == name);
    }
}
