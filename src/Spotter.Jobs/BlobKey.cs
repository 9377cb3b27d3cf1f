using Spotter.Core;

namespace Spotter.Jobs;

/// <summary>
/// The names under which blobs are kept. Nothing in them comes from a request, and none names a job: which job a blob
/// belongs to is in the job's row.
/// </summary>
public static class BlobKey
{
    /// <summary>Where inputs lie as they were sent.</summary>
    public const string InputsPrefix = "in/";

    /// <summary>Where outputs lie that an engine made.</summary>
    public const string OutputsPrefix = "out/";

    private const int RandomBytes = 10;

    /// <summary>A new name for something that was sent.</summary>
    public static string NewInput(RandomSource random, TimeProvider time) => New(InputsPrefix, random, time);

    /// <summary>A new name for something that was made. Each attempt uses its own, so a late worker overwrites nothing.</summary>
    public static string NewOutput(RandomSource random, TimeProvider time) => New(OutputsPrefix, random, time);

    /// <summary>True for keys of the form that this class makes, so that none can leave the store's folder.</summary>
    public static bool IsValid(string key)
    {
        if (key.Length is 0 or > 200 || key[0] is '/' or '.' || key.Contains("..", StringComparison.Ordinal))
            return false;
        foreach (var c in key)
        {
            if (!char.IsAsciiLetterLower(c) && !char.IsAsciiDigit(c) && c is not ('-' or '.' or '/'))
                return false;
        }
        return true;
    }

    /// <summary>The time comes first, so that an index over keys grows at its end; the folder last, so that folders fill evenly.</summary>
    private static string New(string prefix, RandomSource random, TimeProvider time)
    {
        var tail = random.NextHex(RandomBytes);
        return $"{prefix}{tail[^2..]}/{time.GetUtcNow().ToUnixTimeMilliseconds():x12}{tail}";
    }
}
