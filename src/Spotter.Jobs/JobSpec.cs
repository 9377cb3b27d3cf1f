using System.Text.Json;
using System.Text.Json.Serialization;
using Spotter.Core;

namespace Spotter.Jobs;

/// <summary>
/// What is to be done, as its sender asked for it: one JSON document in the row, which never changes. What a newer program
/// wrote into it is kept.
/// </summary>
public sealed record JobSpec
{
    /// <summary>The engine that is to run it.</summary>
    public required string Engine { get; init; }

    /// <summary>The model that is to run it; null when the engine needs none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Model { get; init; }

    /// <summary>A second model that whoever runs it has to have; null when it needs none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Then { get; init; }

    /// <summary>What its sender calls the input: a file name, for people to read and never a path.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Name { get; init; }

    /// <summary>The inputs, in their order; at least one.</summary>
    public required IReadOnlyList<InputRef> Inputs { get; init; }

    /// <summary>What the engine is told; only the engine knows what is in it.</summary>
    public RawJson Parameters { get; init; }

    /// <summary>Which jobs it goes before.</summary>
    public JobPriority Priority { get; init; } = JobPriority.Normal;

    /// <summary>It is not started before this; null for at once.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? NotBefore { get; init; }

    /// <summary>If it has not been started by then, it fails with <see cref="ErrorCodes.Expired"/>; null for never.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? Expires { get; init; }

    /// <summary>The job that this one is a part of; null for a job of its own.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public JobId? Parent { get; init; }

    /// <summary>Which part of its parent it is; null for a job of its own.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Step { get; init; }

    /// <summary>The span in which it was accepted, as W3C's <c>traceparent</c>; null for a job that nobody traces.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Trace { get; init; }

    /// <summary>The queue in which it waits for a worker.</summary>
    [JsonIgnore]
    public string Queue => QueueNames.Of(Engine, Model, Then);

    /// <summary>Fields that this program does not know.</summary>
    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Unknown { get; set; }
}

/// <summary>An input of a job as it lies in the blob store.</summary>
/// <param name="Key">Its key, made by the server (<see cref="BlobKey"/>).</param>
/// <param name="MediaType">What its first bytes say it is, as <c>image/jpeg</c>.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Sha256">Hash of its bytes, 64 lower-case hexadecimal digits; a worker that reads other bytes refuses them.</param>
public sealed record InputRef(string Key, string MediaType, long Bytes, string Sha256);
