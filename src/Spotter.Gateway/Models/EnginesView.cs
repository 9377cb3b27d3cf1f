using System.Text.Json.Serialization;

namespace Spotter.Gateway.Models;

/// <summary>An engine as the API shows it.</summary>
public sealed record EngineView
{
    /// <summary>The name by which requests choose it.</summary>
    public required string Name { get; init; }

    /// <summary>What it does.</summary>
    public required string Help { get; init; }

    /// <summary>The newest version that a worker brought; null for an engine that comes with Spotter.</summary>
    public required string? Version { get; init; }

    /// <summary>The workers that run it now; null for an engine that comes with Spotter, which runs where its models are.</summary>
    public required IReadOnlyList<EnginePlace>? Workers { get; init; }

    /// <summary>What its inputs may be.</summary>
    public required IReadOnlyList<string> MediaTypes { get; init; }

    /// <summary>Most bytes of all inputs of one request.</summary>
    public required long MaxInputBytes { get; init; }

    /// <summary>Most inputs of one request.</summary>
    public required int MaxInputs { get; init; }

    /// <summary>How long a job may run, in seconds; null for as long as its worker gives any job.</summary>
    public required double? RunSeconds { get; init; }

    /// <summary>What requests can say to it, besides what they can say to all.</summary>
    public required IReadOnlyList<EngineOptionView> Options { get; init; }
}

/// <summary>A worker that runs an engine.</summary>
/// <param name="Worker">The worker.</param>
/// <param name="Version">The version that it runs.</param>
public sealed record EnginePlace(string Worker, string? Version);

/// <summary>An option of an engine.</summary>
/// <param name="Name">The field.</param>
/// <param name="Help">What it does.</param>
/// <param name="Values">What it can be, in words.</param>
/// <param name="Default">What it is when it is not sent, as it would be sent; null for nothing.</param>
public sealed record EngineOptionView(string Name, string Help, string Values, string? Default)
{
    /// <summary>The smallest number; null when there is none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? Min { get; init; }

    /// <summary>The largest number; null when there is none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? Max { get; init; }

    /// <summary>All values, where they can be counted.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Choices { get; init; }
}

/// <summary>The engines that requests may choose.</summary>
/// <param name="Engines">Those that come with Spotter, and after them those that workers brought.</param>
public sealed record EnginesView(IReadOnlyList<EngineView> Engines);
