using Spotter.Core;

namespace Spotter.Jobs;

/// <summary>
/// The names under which blobs are kept. Nothing in them comes from a request. An input is durable before there is a job; the job
/// whose first input it is takes its id from it (<see cref="JobOf"/>), and what other jobs a blob belongs to is in their rows. Pictures that others have put there to be named (<see cref="PlacedPrefix"/>) are the exception:
/// Spotter only reads them.
/// </summary>
public static class BlobKey
{
    /// <summary>Where inputs lie as they were sent.</summary>
    public const string InputsPrefix = "in/";

    /// <summary>Where outputs lie that an engine made.</summary>
    public const string OutputsPrefix = "out/";

    /// <summary>Where others put pictures that requests may then name. Nothing is written or deleted there.</summary>
    public const string PlacedPrefix = "images/";

    /// <summary>Where clients write inputs by themselves, until they are taken over as inputs of a job.</summary>
    public const string UploadsPrefix = "uploads/";

    /// <summary>Where it stands what is to become of those uploads.</summary>
    public const string TicketsPrefix = "tickets/";

    private const int FolderDigits = 2;

    // Of an id's digits, which begin with the milliseconds, those that change every four seconds and come again after 18 minutes.
    private const int FolderFrom = 7;

    /// <summary>A new name for something that was sent.</summary>
    public static string NewInput(RandomSource random, TimeProvider time) => New(InputsPrefix, random, time);

    /// <summary>A new name for something that was made. Each attempt uses its own, so a late worker overwrites nothing.</summary>
    public static string NewOutput(RandomSource random, TimeProvider time) => New(OutputsPrefix, random, time);

    /// <summary>Where a client writes what it uploads by itself.</summary>
    public static string Upload(UploadId id) => Folded(UploadsPrefix, id);

    /// <summary>Where the ticket of an upload lies.</summary>
    public static string Ticket(UploadId id) => Folded(TicketsPrefix, id);

    /// <summary>The upload that a key belongs to; false for any other key.</summary>
    public static bool TryParseUpload(string key, out UploadId id)
    {
        id = default;
        return key.StartsWith(UploadsPrefix, StringComparison.Ordinal) && UploadId.TryParse(key[(key.LastIndexOf('/') + 1)..], out id) && Upload(id) == key;
    }

    /// <summary>The key of a picture that somebody has put there; null when the name can't be that of one.</summary>
    /// <param name="tenant">Whose it is; empty where nobody is told apart.</param>
    /// <param name="name">Its file name: letters, digits, <c>-</c>, <c>_</c> and <c>.</c>, the first of them none of the last.</param>
    public static string? Placed(string tenant, string name)
    {
        var key = tenant.Length == 0 ? PlacedPrefix + name : $"{PlacedPrefix}{tenant}/{name}";
        return name.Length > 0 && name[0] != '.' && !name.Contains('/', StringComparison.Ordinal) && IsValid(key) ? key : null;
    }

    /// <summary>True for keys of the form that this class makes, so that none can leave the store's folder.</summary>
    public static bool IsValid(string key)
    {
        if (key.Length is 0 or > 200 || key[0] is '/' or '.' || key.Contains("..", StringComparison.Ordinal))
            return false;
        var isPlaced = key.StartsWith(PlacedPrefix, StringComparison.Ordinal);
        foreach (var c in key)
        {
            if (isPlaced && (char.IsAsciiLetterUpper(c) || c == '_'))
                continue;
            if (!char.IsAsciiLetterLower(c) && !char.IsAsciiDigit(c) && c is not ('-' or '.' or '/'))
                return false;
        }
        return true;
    }

    /// <summary>The id of the job whose first input this is, if there is such a job; null for keys of anything else.</summary>
    public static JobId? JobOf(string key) =>
        key.StartsWith(InputsPrefix, StringComparison.Ordinal) && key.Length == InputsPrefix.Length + FolderDigits + 1 + JobId.Length && JobId.TryParse(key[^JobId.Length..], out var id) ? id : null;

    /// <summary>The folder is the same for all that are named within some seconds, so that one flush of it makes all their names durable; over time folders fill evenly.</summary>
    private static string New(string prefix, RandomSource random, TimeProvider time)
    {
        var id = JobId.New(random, time).Value;
        return $"{prefix}{id.Substring(FolderFrom, FolderDigits)}/{id}";
    }

    private static string Folded(string prefix, UploadId id) => $"{prefix}{id.Value[^FolderDigits..]}/{id.Value}";
}
