using Spotter.Core;

namespace Spotter.Cli.Evaluate;

/// <summary>Which class of the labels is which class of the model.</summary>
/// <param name="Labels">The classes of the labels.</param>
/// <param name="OfModel">By the model's class id, the class of the labels; -1 for what is not labelled.</param>
/// <param name="Unknown">Classes of the labels that the model does not know: their objects can't be found.</param>
internal sealed record ClassMap(IReadOnlyList<string> Labels, IReadOnlyList<int> OfModel, IReadOnlyList<string> Unknown)
{
    /// <summary>By name where there are names, else by number.</summary>
    /// <param name="names">The names of the labels' classes; null when they are the model's.</param>
    /// <param name="highest">The highest class that is labelled.</param>
    /// <param name="model">The model.</param>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidRequest"/>: they have nothing to do with each other.</exception>
    public static ClassMap Create(IReadOnlyList<string>? names, int highest, ModelInfo model)
    {
        if (names is null)
        {
            return highest < model.Labels.Count ? new(model.Labels, [.. Enumerable.Range(0, model.Labels.Count)], []) : throw new SpotterException(
                ErrorCodes.InvalidRequest,
                $"The labels have a class {highest}, but {model.Id} has {model.Labels.Count} classes; put a names.txt beside the folder labels, so that classes are matched by name.");
        }
        var places = new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase);
        for (var i = 0; i < names.Count; i++)
        {
            if (!places.TryAdd(names[i], i))
                throw new SpotterException(ErrorCodes.InvalidRequest, $"names.txt has the class \"{names[i]}\" twice; name each class once.");
        }
        int[] map = [.. model.Labels.Select(label => places.GetValueOrDefault(label, -1))];
        var unknown = names.Where((_, i) => !map.Contains(i)).ToList();
        return unknown.Count < names.Count ? new(names, map, unknown) : throw new SpotterException(
            ErrorCodes.InvalidRequest,
            $"{model.Id} knows none of the {names.Count} classes in names.txt, of which the first is \"{names[0]}\"; `spotter models inspect {model.Id}` shows those it knows.");
    }
}
