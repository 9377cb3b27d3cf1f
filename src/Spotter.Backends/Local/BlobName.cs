namespace Spotter.Backends.Local;

/// <summary>
/// Keys of blobs as the table <c>blobs</c> has them: the folder comes last, so that what begins with the time comes first and
/// new rows go to the table's end, on pages that the others of their group change too.
/// </summary>
internal static class BlobName
{
    /// <summary>The name for a key.</summary>
    public static string Of(string key)
    {
        var folder = key.LastIndexOf('/');
        return folder < 0 ? key + "/" : $"{key.AsSpan(folder + 1)}/{key.AsSpan(0, folder)}";
    }
}
