namespace Spotter.Backends.Local;

/// <summary>Finds the different values of an index's column, each from the one before: of a few values among many rows.</summary>
internal static class LooseScan
{
    /// <summary>All that are not empty.</summary>
    /// <param name="next">A statement for the first value after this one.</param>
    public static List<string> Values(Func<string, SqliteStatement> next)
    {
        var all = new List<string>();
        while (true)
        {
            using var select = next(all is [.., var last] ? last : "");
            if (!select.Step())
                return all;
            all.Add(select.Text(0));
        }
    }
}
