namespace Spotter.Core;

/// <summary>
/// Names of an enumeration, as people write them. Not <see cref="Enum.TryParse{TEnum}(string, bool, out TEnum)"/>: that also takes
/// numbers, spaces around, and several names with commas between, which it makes one value of.
/// </summary>
public static class EnumNames
{
    /// <summary>The name in small letters.</summary>
    public static string Of<T>(T value)
        where T : struct, Enum => value.ToString().ToLowerInvariant();

    /// <summary>The value of this one name, in small letters or not; false if there is none.</summary>
    public static bool TryParse<T>(string? text, out T value)
        where T : struct, Enum
    {
        var at = Array.FindIndex(Enum.GetNames<T>(), name => name.Equals(text, StringComparison.OrdinalIgnoreCase));
        value = at < 0 ? default : Enum.GetValues<T>()[at];
        return at >= 0;
    }
}
