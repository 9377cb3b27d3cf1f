using System.Text.Json.Serialization;
using Spotter.Engines.Options;

namespace Spotter.Examples.Options;

/// <summary>What a size is given in.</summary>
internal enum SizeUnit
{
    Pixels,
    Megapixels,
}

/// <summary>What the engine <c>size</c> is told.</summary>
internal sealed record SizeParameters(SizeUnit Unit = SizeUnit.Pixels);

/// <summary>An option is declared once. The form, the error texts, the OpenAPI document and the table in the documentation follow.</summary>
internal static class SizeOptions
{
    public static OptionSet<SizeParameters> Declared { get; } = new(new SizeParameters())
    {
        {
            "unit", "What the size is given in", OptionValues.Choice(("pixels", SizeUnit.Pixels), ("megapixels", SizeUnit.Megapixels)),
            p => p.Unit, (p, v) => p with { Unit = v }
        },
    };
}

[JsonSourceGenerationOptions(System.Text.Json.JsonSerializerDefaults.Web, UseStringEnumConverter = true)]
[JsonSerializable(typeof(SizeParameters))]
internal sealed partial class SizeParametersJson : JsonSerializerContext;
