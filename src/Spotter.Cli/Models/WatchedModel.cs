using Spotter.Core;
using Spotter.Engines.Running;
using Spotter.Jobs;

namespace Spotter.Cli.Models;

/// <summary>A model file as it stands.</summary>
/// <param name="File">Its path.</param>
/// <param name="Model">The newest version of it that was found to be usable; null when none was.</param>
/// <param name="Error">Why the file as it is now can't be used; null when it can.</param>
internal sealed record WatchedModel(string File, ModelInfo? Model, JobError? Error)
{
    /// <summary>The name by which it is chosen.</summary>
    public string Id => Path.GetFileNameWithoutExtension(File);

    /// <summary>What a worker is to do about it: nothing, as long as the file is not known to be good.</summary>
    public WantedModel Wanted => new(File, Keep: Error is not null);

    /// <summary>True for the model that comes with Spotter.</summary>
    public bool BuiltIn => string.Equals(File, SpotterPaths.StarterModel, StringComparison.Ordinal);
}
