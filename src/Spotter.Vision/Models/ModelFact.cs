using System.Text.Json.Serialization;

namespace Spotter.Vision.Models;

/// <summary>Where a fact about a model comes from.</summary>
[JsonConverter(typeof(Core.LowerCaseEnumConverter<FactSource>))]
public enum FactSource
{
    /// <summary>The model file states it.</summary>
    Stated,

    /// <summary>It follows from shapes, operators or numbers.</summary>
    Inferred,

    /// <summary>It is the usual, since nothing says otherwise.</summary>
    Assumed,

    /// <summary>The file of overrides beside the model says so.</summary>
    Overridden,
}

/// <summary>One thing that is known about a model.</summary>
/// <param name="Name">What, as <c>colour order</c>.</param>
/// <param name="Value">As text.</param>
/// <param name="Source">How it is known.</param>
public sealed record ModelFact(string Name, string Value, FactSource Source);
