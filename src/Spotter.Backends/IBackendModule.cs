using Spotter.Core;
using Spotter.Core.Settings;
using Spotter.Jobs;

namespace Spotter.Backends;

/// <summary>A technology in which jobs can be kept.</summary>
internal interface IBackendModule
{
    /// <summary>Its name, as in <c>--backend</c>.</summary>
    string Name { get; }

    /// <summary>What it does, for the help: a clause.</summary>
    string Help { get; }

    /// <summary>The settings that only it reads.</summary>
    IReadOnlyList<Setting> Settings { get; }

    /// <summary>Notes what is missing or wrong in the settings, before anything is opened.</summary>
    void Check(SettingReader settings)
    {
    }

    /// <summary>Looks at all that it needs outside of this process, and changes nothing; nothing when it needs nothing.</summary>
    /// <param name="settings">What was asked for.</param>
    /// <param name="queues">The queues of jobs that a service would use.</param>
    Task<IReadOnlyList<Probed>> ProbeAsync(SettingReader settings, IReadOnlyCollection<string> queues) => Task.FromResult<IReadOnlyList<Probed>>([]);

    /// <summary>Opens it. What the context holds is closed by whoever made it if this fails, else by the backend.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.StoreUnavailable"/>: it can't be opened.</exception>
    Backend Open(BackendContext context);
}

/// <summary>What a backend is opened with.</summary>
/// <param name="Settings">What was asked for.</param>
/// <param name="DataFolder">The full path of the gateway's own folder, which this process alone uses.</param>
/// <param name="Pictures">Where pictures are kept.</param>
/// <param name="Retries">When a job is tried again.</param>
/// <param name="Random">Spreads retries.</param>
/// <param name="Clock">The time.</param>
internal sealed record BackendContext(
    SettingReader Settings, string DataFolder, BlobPlace Pictures, RetrySchedule Retries, RandomSource Random, TimeProvider Clock);

/// <summary>A technology in which pictures can be kept. Every backend takes any of them.</summary>
internal interface IBlobPlaceModule
{
    /// <summary>How its places are written, as <c>folder:PATH</c>.</summary>
    string Form { get; }

    /// <summary>The settings that only it reads.</summary>
    IReadOnlyList<Setting> Settings { get; }

    /// <summary>Opens a place; null when it is not one of this technology's.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidSettings"/>, <see cref="ErrorCodes.StoreUnavailable"/>.</exception>
    BlobPlace? Open(string place, SettingReader settings, RandomSource random, TimeProvider clock);

    /// <summary>Looks whether a place can be reached, and changes nothing; null when that needs no look, or it is not one of this technology's.</summary>
    Task<Probed?> ProbeAsync(string place, SettingReader settings) => Task.FromResult<Probed?>(null);
}
