namespace Spotter.Jobs;

/// <summary>The names under which blobs are kept. Nothing in them comes from a request.</summary>
public static class BlobKey
{
    /// <summary>Where pictures lie as they were sent.</summary>
    public const string OriginalsPrefix = "in/";

    /// <summary>Where pictures lie that Spotter made.</summary>
    public const string OutputsPrefix = "out/";

    /// <summary>The picture of a job, as it was sent.</summary>
    public static string Original(JobId job) => $"{OriginalsPrefix}{job.Value[..2]}/{job.Value}";

    /// <summary>One of several pictures of a job, as it was sent.</summary>
    /// <param name="job">The job.</param>
    /// <param name="index">Its place among them, from 1.</param>
    public static string Original(JobId job, int index) => $"{Original(job)}-{index}";

    /// <summary>The picture that one lease made; the epoch keeps a late worker from overwriting a newer result.</summary>
    public static string Output(JobId job, int epoch) => $"{OutputsPrefix}{job.Value[..2]}/{job.Value}-{epoch}";

    /// <summary>The job that a key was made for; null if the key is not one of ours.</summary>
    public static JobId? JobOf(string key)
    {
        var name = key[(key.LastIndexOf('/') + 1)..];
        return name.Length >= JobId.Length && JobId.TryParse(name[..JobId.Length], out var id) ? id : null;
    }

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
}
