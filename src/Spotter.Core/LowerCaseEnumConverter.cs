using System.Text.Json;
using System.Text.Json.Serialization;

namespace Spotter.Core;

/// <summary>Writes an enumeration's value as its name in lower case.</summary>
public sealed class LowerCaseEnumConverter<T> : JsonStringEnumConverter<T>
    where T : struct, Enum
{
    /// <summary>Creates the converter.</summary>
    public LowerCaseEnumConverter()
        : base(new LowerCase(), allowIntegerValues: false)
    {
    }

    private sealed class LowerCase : JsonNamingPolicy
    {
#pragma warning disable CA1308 // Lower case is what the interface promises.
        public override string ConvertName(string name) => name.ToLowerInvariant();
#pragma warning restore CA1308
    }
}
