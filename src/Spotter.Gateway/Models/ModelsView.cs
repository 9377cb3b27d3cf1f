namespace Spotter.Gateway.Models;

/// <summary>How a model stands.</summary>
public enum ModelState
{
    /// <summary>Its newest version serves.</summary>
    Ready,

    /// <summary>No worker has its newest version yet; an older one may serve until then.</summary>
    Loading,

    /// <summary>No worker has it, and none is started for it; its jobs wait until one joins that has.</summary>
    Absent,

    /// <summary>No version of it can be used.</summary>
    Refused,
}

/// <summary>A model as the API shows it.</summary>
public sealed record ModelView
{
    /// <summary>The name by which requests choose it.</summary>
    public required string Id { get; init; }

    /// <summary>The engine that runs it; null when it is refused.</summary>
    public required string? Engine { get; init; }

    /// <summary>How its output is laid out; null when it is refused.</summary>
    public required string? Family { get; init; }

    /// <summary>Width of its input in pixels.</summary>
    public required int InputWidth { get; init; }

    /// <summary>Height of its input in pixels.</summary>
    public required int InputHeight { get; init; }

    /// <summary>The class names, indexed by class id.</summary>
    public required IReadOnlyList<string> Labels { get; init; }

    /// <summary>Its newest version that can be used; null when there is none.</summary>
    public required string? Version { get; init; }

    /// <summary>How it stands.</summary>
    public required ModelState State { get; init; }

    /// <summary>Why its file, as it is now, can't be used; null when it can.</summary>
    public required Problem? Error { get; init; }

    /// <summary>Why what was found out about it may be wrong, and what to say beside its file; null when nothing speaks against it.</summary>
    public required string? Unsure { get; init; }

    /// <summary>True for the model that comes with Spotter.</summary>
    public required bool BuiltIn { get; init; }

    /// <summary>True for the one used when a request names none.</summary>
    public required bool Default { get; init; }

    /// <summary>Addresses of pictures to try it on, relative to the page's; only the built-in model has some.</summary>
    public required IReadOnlyList<string> Samples { get; init; }

    /// <summary>The workers that have it, or tried to.</summary>
    public required IReadOnlyList<ModelPlace> LoadedBy { get; init; }
}

/// <summary>A model in a worker.</summary>
/// <param name="Worker">The worker.</param>
/// <param name="Version">The version that runs there; null when none does.</param>
/// <param name="Error">Why the newest version could not be loaded there; null when it was.</param>
public sealed record ModelPlace(string Worker, string? Version, Problem? Error)
{
    /// <summary>What it runs on there, as <c>cuda</c>; null when it is not loaded, or the worker does not say.</summary>
    public string? Device { get; init; }
}

/// <summary>The models that there are.</summary>
/// <param name="Models">The models, in the order in which they are chosen.</param>
/// <param name="Default">The id of the one used when a request names none; null when no model can be used.</param>
public sealed record ModelsView(IReadOnlyList<ModelView> Models, string? Default);
