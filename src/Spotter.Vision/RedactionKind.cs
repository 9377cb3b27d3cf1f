using System.Text.Json.Serialization;
using Spotter.Core;

namespace Spotter.Vision;

/// <summary>How boxes are made unrecognisable.</summary>
[JsonConverter(typeof(LowerCaseEnumConverter<RedactionKind>))]
public enum RedactionKind
{
    /// <summary>A few colours that run into each other.</summary>
    Blur,

    /// <summary>A few squares of one colour each.</summary>
    Pixelate,

    /// <summary>One dark colour, whatever was there: nothing is left.</summary>
    Fill,
}
