using System.Text.Json;
using Spotter.Jobs;

namespace Spotter.Backends;

/// <summary>
/// The column <c>output</c>: the key of the picture alone, as most jobs have it; or a JSON list of all outputs, in which the
/// picture has no name.
/// </summary>
internal static class OutputColumn
{
    /// <summary>What stands in the column; null for nothing.</summary>
    public static string? Write(string? picture, IReadOnlyList<OutputRef> outputs)
    {
        if (outputs.Count == 0)
            return picture;
        IReadOnlyList<OutputRef> all = picture is null ? outputs : [.. outputs, new OutputRef("", "", 0, picture)];
        return JsonSerializer.Serialize(all, SpotterJson.Default.IReadOnlyListOutputRef);
    }

    /// <summary>What the column says.</summary>
    public static (string? Picture, IReadOnlyList<OutputRef> Outputs) Read(string? column)
    {
        if (column is null || column[0] != '[')
            return (column, []);
        var all = JsonSerializer.Deserialize(column, SpotterJson.Default.IReadOnlyListOutputRef)!;
        return (all.FirstOrDefault(o => o.Name.Length == 0)?.Key, [.. all.Where(o => o.Name.Length > 0)]);
    }

    /// <summary>The keys of all blobs of which the column speaks.</summary>
    public static IEnumerable<string> KeysOf(string? column)
    {
        var (picture, outputs) = Read(column);
        return outputs.Select(o => o.Key).Concat(picture is null ? [] : [picture]);
    }
}
