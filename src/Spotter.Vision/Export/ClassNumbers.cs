namespace Spotter.Vision.Export;

/// <summary>
/// The classes of a set, each with a number from 0 on. Those of a model keep the number that they have there; classes of other models,
/// which may have the same numbers, come after them.
/// </summary>
internal sealed class ClassNumbers
{
    private readonly List<string> names;
    private readonly Dictionary<string, int> numbers = new(StringComparer.Ordinal);

    public ClassNumbers(IReadOnlyList<string> known, IEnumerable<ExportedPicture> pictures)
    {
        names = [.. known];
        for (var i = 0; i < known.Count; i++)
            numbers.TryAdd(known[i], i);
        foreach (var found in pictures.SelectMany(p => p.Objects.Select(o => (o.Label, o.ClassId)).Concat((p.Result.Labels ?? []).Select(l => (Label: l.Name, l.ClassId)))))
        {
            if (Of(found) >= 0)
                continue;
            numbers.Add(found.Label, names.Count);
            names.Add(found.Label);
        }
    }

    /// <summary>The classes' names, by their numbers.</summary>
    public IReadOnlyList<string> Names => names;

    /// <summary>The number of an object's class.</summary>
    public int Of(ExportedObject found) => Of((found.Label, found.ClassId));

    private int Of((string Label, int ClassId) found) =>
        // Two classes of a model may have one name.
        found.ClassId >= 0 && found.ClassId < names.Count && names[found.ClassId] == found.Label ? found.ClassId : numbers.GetValueOrDefault(found.Label, -1);
}
