using System.Globalization;
using System.Numerics;

namespace Spotter.Core;

/// <summary>
/// Which of two versions of an engine is the newer one: part by part, numbers as numbers, so 1.10 comes after 1.9; and what follows a
/// hyphen comes before the version itself, so 1.0-rc.1 comes before 1.0 (https://semver.org, 11).
/// </summary>
public static class EngineVersion
{
    private static readonly char[] Separators = ['.', '-', '_', '+'];

    /// <summary>Less than zero when the first is the older one.</summary>
    public static int Compare(string one, string other)
    {
        var (left, right) = (one.Split('-', 2), other.Split('-', 2));
        var order = CompareParts(left[0], right[0]);
        if (order != 0)
            return order;
        return left.Length == 2 && right.Length == 2 ? CompareParts(left[1], right[1]) : right.Length.CompareTo(left.Length);
    }

    private static int CompareParts(string one, string other)
    {
        var (left, right) = (one.Split(Separators), other.Split(Separators));
        for (var i = 0; i < Math.Min(left.Length, right.Length); i++)
        {
            var order = BigInteger.TryParse(left[i], NumberStyles.None, CultureInfo.InvariantCulture, out var a) && BigInteger.TryParse(right[i], NumberStyles.None, CultureInfo.InvariantCulture, out var b)
                ? a.CompareTo(b)
                : string.CompareOrdinal(left[i], right[i]);
            if (order != 0)
                return order;
        }
        return left.Length.CompareTo(right.Length);
    }
}
