using System.Text.Json.Serialization;

namespace Spotter.Core;

/// <summary>
/// An engine that Spotter does not bring itself, as the worker that runs it says what it is. It is known like a model: by its name
/// and version, as long as anybody may ask for it.
/// </summary>
/// <param name="Name">The name by which requests choose it.</param>
/// <param name="Version">Which version of it the worker runs; a result is used again for the same version only.</param>
public sealed record EngineDeclaration(string Name, string Version)
{
    /// <summary>Another name, by which sessions may choose it (docs/sessions.md); null for none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Id { get; init; }

    /// <summary>What it does, as a sentence without its end.</summary>
    public string Help { get; init => field = value ?? ""; } = "";

    /// <summary>What its inputs may be: media types, <c>video/*</c>, or <c>application/octet-stream</c> for anything; none for pictures.</summary>
    public IReadOnlyList<string> MediaTypes { get; init => field = value ?? []; } = [];

    /// <summary>Most bytes of all inputs of one request; null for as many as the deployment lets in.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? MaxInputBytes { get; init; }

    /// <summary>Most inputs of one request; null for as many as the deployment lets in.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? MaxInputs { get; init; }

    /// <summary>True when all inputs of a request belong to one job; else each is a job.</summary>
    public bool Together { get; init; }

    /// <summary>How long a job may run, in seconds; null for as long as the worker gives any job.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? RunSeconds { get; init; }

    /// <summary>Most bytes of all files that one job makes; null for as many as any engine may.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? MaxOutputBytes { get; init; }

    /// <summary>The media type of the picture that its jobs make; null when they make none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? OutputMediaType { get; init; }

    /// <summary>True when the same inputs and options always give the same result, which may then be used again.</summary>
    public bool Reusable { get; init; }

    /// <summary>What requests can say to it.</summary>
    public IReadOnlyList<DeclaredOption> Options { get; init => field = value ?? []; } = [];
}

/// <summary>An option of an engine that a worker brings.</summary>
/// <param name="Name">The field.</param>
/// <param name="Type">One of <see cref="OfText"/>, <see cref="OfChoice"/>, <see cref="OfWhole"/>, <see cref="OfNumber"/>, <see cref="OfFlag"/>, <see cref="OfJson"/>.</param>
public sealed record DeclaredOption(string Name, string Type)
{
    /// <summary>Text of at most <see cref="Max"/> characters.</summary>
    public const string OfText = "text";

    /// <summary>One of <see cref="Choices"/>.</summary>
    public const string OfChoice = "choice";

    /// <summary>A whole number from <see cref="Min"/> to <see cref="Max"/>.</summary>
    public const string OfWhole = "whole";

    /// <summary>A number from <see cref="Min"/> to <see cref="Max"/>.</summary>
    public const string OfNumber = "number";

    /// <summary>True or false.</summary>
    public const string OfFlag = "flag";

    /// <summary>A list or an object, of which only the engine knows what is in it.</summary>
    public const string OfJson = "json";

    /// <summary>What it does, as a sentence without its end.</summary>
    public string Help { get; init => field = value ?? ""; } = "";

    /// <summary>Its value when it is not sent; null for none, and then the engine is not told of it.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public RawJson? Default { get; init; }

    /// <summary>The smallest number; null for none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? Min { get; init; }

    /// <summary>The largest number, or most characters of a text; null for none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? Max { get; init; }

    /// <summary>All values of a choice.</summary>
    public IReadOnlyList<string> Choices { get; init => field = value ?? []; } = [];
}
