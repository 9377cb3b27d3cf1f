using Spotter.Core;
using Spotter.Vision;

namespace Spotter.Engines.Detect;

/// <summary>The labels that parameters name, checked against those of the model.</summary>
public static class KnownLabels
{
    /// <summary>The parameters with all labels as the model writes them, once each; requests may write them in any case of letters.</summary>
    /// <param name="parameters">What was asked for.</param>
    /// <param name="model">The model.</param>
    /// <param name="then">The second model; null when there is none.</param>
    /// <param name="where">Where the labels of the model can be looked up, to stand at the end of a refusal.</param>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.UnknownLabel"/>; <see cref="ErrorCodes.InvalidRequest"/>: one is named twice.</exception>
    public static VisionParameters In(VisionParameters parameters, ModelInfo model, string where, ModelInfo? then = null)
    {
        if (parameters is { ThenLabels: not null, Then: null })
            throw Invalid("The field 'then_labels' comes without a 'then'; send both, or none.");
        if (!VisionTasks.HasBoxes(model.Engine) && NeedsBoxes(parameters) is { } field)
            throw Invalid($"The model '{model.Id}' finds no boxes, so '{field}' means nothing to it; leave it out, or choose a model that finds objects.");
        if (IsWholeOnly(model) && NeedsParts(parameters, model) is { } part)
            throw Invalid($"The model '{model.Id}' is shown the whole picture, so '{part}' means nothing to it; leave it out.");
        if (then is not null && VisionTasks.WithMaps.Contains(then.Engine, StringComparer.Ordinal))
            throw Invalid($"The model '{then.Id}' makes a map of a picture, so it can't be 'then'; choose a model that finds objects, classifies or embeds.");
        if (model.Engine is VisionTasks.Depth or VisionTasks.Saliency or VisionTasks.Embed && parameters.Labels is not null)
            throw Invalid($"The model '{model.Id}' gives no labels, so 'labels' means nothing to it; leave it out.");
        var known = parameters with
        {
            Labels = parameters.Labels is { } labels ? List(labels, model, where) : null,
            Thresholds = parameters.Thresholds is { } thresholds ? Map(thresholds, model, where) : null,
            Redact = parameters.Redact is { } redact ? Redacted(redact, model, then, where) : null,
            ThenLabels = parameters.ThenLabels is { } looked ? List(looked, model, where) : null,
        };
        // What is not looked for is not hidden either, and nobody would notice.
        if (known is { Labels: { } only, Redact: { } hidden } && hidden.FirstOrDefault(label => label != VisionParameters.AllLabels && !only.Contains(label, StringComparer.Ordinal) && (then is null || !IsKnown(label, then))) is { } missing)
            throw Invalid($"The label '{missing}' is to be redacted, but is not among 'labels'; add it there, or leave 'labels' out.");
        return known;
    }

    /// <summary>What is hidden may be found by either model.</summary>
    private static IReadOnlyList<string> Redacted(IReadOnlyList<string> labels, ModelInfo model, ModelInfo? then, string where)
    {
        if (labels.Contains(VisionParameters.AllLabels, StringComparer.Ordinal))
            return [VisionParameters.AllLabels];
        return [.. labels.SelectMany(l => then is not null && IsKnown(l, then) ? [Find(l, then, where), .. IsKnown(l, model) ? [Find(l, model, where)] : Array.Empty<string>()] : new[] { Find(l, model, where) })
            .Distinct(StringComparer.Ordinal)];
    }

    private static bool IsKnown(string label, ModelInfo model) => model.Labels.Contains(label, StringComparer.OrdinalIgnoreCase);

    /// <summary>What only means something where there are boxes; null for nothing.</summary>
    private static string? NeedsBoxes(VisionParameters parameters) => parameters switch
    {
        { Redact: not null } => "redact",
        { Zones: not null } => "zones",
        { Crops: true } => "crops",
        { Then: not null } => "then",
        _ => null,
    };

    /// <summary>Models for these tasks make one map, or one vector.</summary>
    private static bool IsWholeOnly(ModelInfo model) => model.Engine == VisionTasks.Embed || VisionTasks.WithMaps.Contains(model.Engine, StringComparer.Ordinal);

    /// <summary>What only means something where a picture is looked at in parts, or objects are found; null for nothing. A vector may be that of a region.</summary>
    private static string? NeedsParts(VisionParameters parameters, ModelInfo model) => parameters switch
    {
        { Tile: not null } => "tile",
        { Region: not null } when model.Engine != VisionTasks.Embed => "roi",
        { Thresholds: not null } => "thresholds",
        _ => null,
    };

    private static List<string> List(IReadOnlyList<string> labels, ModelInfo model, string where) =>
        [.. labels.Select(label => Find(label, model, where)).Distinct(StringComparer.Ordinal)];

    private static SortedDictionary<string, double> Map(IReadOnlyDictionary<string, double> thresholds, ModelInfo model, string where)
    {
        var known = new SortedDictionary<string, double>(StringComparer.Ordinal);
        foreach (var (label, value) in thresholds)
        {
            if (!known.TryAdd(Find(label, model, where), value))
                throw Invalid($"The field 'thresholds' has the label '{label}' twice, in different cases of letters; give it once.");
        }
        return known;
    }

    /// <summary>The label in just these letters, or else in any case of them: some models tell labels apart by that.</summary>
    private static string Find(string label, ModelInfo model, string where) =>
        model.Labels.FirstOrDefault(known => known.Equals(label, StringComparison.Ordinal))
        ?? model.Labels.FirstOrDefault(known => known.Equals(label, StringComparison.OrdinalIgnoreCase))
        ?? throw new SpotterException(ErrorCodes.UnknownLabel, $"The model '{model.Id}' knows no label '{label}'; {where} lists those it knows.");

    private static SpotterException Invalid(string message) => new(ErrorCodes.InvalidRequest, message);
}
