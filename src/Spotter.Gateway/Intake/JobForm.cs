using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Spotter.Core;
using Spotter.Core.Images;
using Spotter.Core.Vision;

namespace Spotter.Gateway.Intake;

/// <summary>The fields of a request beside its pictures, checked against what this gateway offers.</summary>
internal sealed class JobForm
{
    private readonly Dictionary<string, string> fields = new(StringComparer.Ordinal);

    /// <summary>Notes a field.</summary>
    /// <exception cref="SpotterException">It is unknown, or comes twice.</exception>
    public void Set(string name, string value)
    {
        switch (name)
        {
            case "engine" or "model" or "confidence" or "iou" or "annotate" or "top" or "tile" or "overlap" or "roi":
                if (!fields.TryAdd(name, value))
                    throw Invalid($"The field '{name}' comes twice.");
                break;
            case "labels":
                fields[name] = fields.TryGetValue(name, out var earlier) ? $"{earlier},{value}" : value;
                break;
            case "url":
                throw new SpotterException(ErrorCodes.UnsupportedOption, $"The field '{name}' is not offered by this deployment; leave it out.");
            case var other when FilterForm.Fields.Contains(other, StringComparer.Ordinal) || JobTerms.Fields.Contains(other, StringComparer.Ordinal):
                if (!fields.TryAdd(name, value))
                    throw Invalid($"The field '{name}' comes twice.");
                break;
            default:
                throw Invalid($"The field '{name}' is unknown; known are image, engine, model, confidence, iou, labels, top, tile, overlap, roi, annotate, {string.Join(", ", JobTerms.Fields)}, and for filters {string.Join(", ", FilterForm.Fields)}.");
        }
    }

    /// <summary>The engine, the model that it takes, if any, and the options that the fields ask for.</summary>
    public (string Engine, ModelInfo? Model, JobOptions Options) Resolve(IReadOnlyList<ModelInfo> models)
    {
        if (fields.GetValueOrDefault("engine") == Engines.Filter || (!fields.ContainsKey("engine") && fields.ContainsKey("filter")))
            return (Engines.Filter, null, ResolveFilter());
        if (FilterForm.Fields.FirstOrDefault(fields.ContainsKey) is { } stray)
            throw Invalid($"The field '{stray}' belongs to the engine 'filter'; send engine=filter with it, or leave it out.");
        var model = ChooseModel(models);
        var defaults = new JobOptions();
        return (model.Engine, model, new JobOptions
        {
            Confidence = Threshold("confidence", defaults.Confidence),
            Iou = Threshold("iou", defaults.Iou),
            Labels = ChooseLabels(model),
            Top = Whole("top", 1, 1000) ?? defaults.Top,
            Tile = Whole("tile", 64, 16_384),
            Overlap = Overlap(defaults.Overlap),
            Region = Roi(),
            Annotate = Flag(fields, "annotate"),
        });
    }

    private JobOptions ResolveFilter()
    {
        if (fields.Keys.FirstOrDefault(name => name is not ("engine" or "annotate") && !JobTerms.Fields.Contains(name, StringComparer.Ordinal) && !FilterForm.Fields.Contains(name, StringComparer.Ordinal)) is { } stray)
            throw Invalid($"The field '{stray}' means nothing to the engine 'filter'; leave it out.");
        return new JobOptions { Filter = FilterForm.Read(fields) };
    }

    /// <summary>When and how the jobs are run.</summary>
    public JobTerms Terms() => JobTerms.Read(fields);

    /// <summary>A hash of all that was asked for and sent.</summary>
    public string Fingerprint(IReadOnlyList<ImageRef> images)
    {
        var text = new StringBuilder();
        foreach (var (name, value) in fields.OrderBy(f => f.Key, StringComparer.Ordinal))
            text.Append(CultureInfo.InvariantCulture, $"{name}:{value.Length}:{value};");
        foreach (var image in images)
            text.Append(image.Sha256).Append(';');
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));
    }

    private ModelInfo ChooseModel(IReadOnlyList<ModelInfo> models)
    {
        if (models.Count == 0)
        {
            throw new SpotterException(ErrorCodes.NoModel,
                "No model is loaded; put an .onnx file into the folder 'models' of the data folder; it is noticed within seconds.");
        }
        fields.TryGetValue("engine", out var engine);
        fields.TryGetValue("model", out var id);
        if (engine is not null && !models.Any(m => m.Engine == engine))
        {
            throw new SpotterException(ErrorCodes.UnknownEngine,
                $"There is no engine '{engine}'; there is {Join(models.Select(m => m.Engine).Distinct(StringComparer.Ordinal))}.");
        }
        return models.FirstOrDefault(m => (id is null || m.Id == id) && (engine is null || m.Engine == engine))
            ?? throw new SpotterException(ErrorCodes.UnknownModel,
                $"There is no model '{id}'{(engine is null ? "" : $" for the engine '{engine}'")}; there is {Join(models.Select(m => m.Id))}.");
    }

    private List<string>? ChooseLabels(ModelInfo model)
    {
        if (!fields.TryGetValue("labels", out var text))
            return null;
        var chosen = new List<string>();
        foreach (var label in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var known = model.Labels.FirstOrDefault(l => l.Equals(label, StringComparison.OrdinalIgnoreCase))
                ?? throw new SpotterException(ErrorCodes.UnknownLabel,
                    $"The model '{model.Id}' knows no label '{label}'; GET /v1/models lists those it knows.");
            if (!chosen.Contains(known))
                chosen.Add(known);
        }
        return chosen.Count == 0 ? null : chosen;
    }

    private double Threshold(string name, double otherwise)
    {
        if (!fields.TryGetValue(name, out var text))
            return otherwise;
        if (!double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value))
            throw Invalid($"The field '{name}' is '{text}', which is not a number.");
        return value is >= 0 and <= 1
            ? value
            : throw new SpotterException(ErrorCodes.ThresholdOutOfRange, $"The field '{name}' is {text}; it goes from 0 to 1.");
    }

    private double Overlap(double otherwise) => Threshold("overlap", otherwise) is var overlap and <= 0.9
        ? overlap
        : throw new SpotterException(ErrorCodes.ThresholdOutOfRange, $"The field 'overlap' is {fields["overlap"]}; it goes from 0 to 0.9.");

    private int? Whole(string name, int least, int most)
    {
        if (!fields.TryGetValue(name, out var text))
            return null;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most
            ? value
            : throw Invalid($"The field '{name}' is '{text}'; it is a whole number from {least} to {most}.");
    }

    /// <summary>Left, top, width and height in pixels of the upright picture; whether it lies in the picture is seen when that is decoded.</summary>
    private Region? Roi()
    {
        if (!fields.TryGetValue("roi", out var text))
            return null;
        return Region.Parse(text) ?? throw Invalid($"The field 'roi' is '{text}'; it is x,y,width,height in whole pixels.");
    }

    /// <summary>A field that is true or false; false when it was not sent.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidRequest"/>.</exception>
    public static bool Flag(IReadOnlyDictionary<string, string> fields, string name)
    {
        if (!fields.TryGetValue(name, out var text))
            return false;
        return text switch
        {
            "true" or "1" => true,
            "false" or "0" or "" => false,
            _ => throw Invalid($"The field '{name}' is '{text}'; it is true or false."),
        };
    }

    private static string Join(IEnumerable<string> names) => string.Join(", ", names.Select(n => $"'{n}'"));

    private static SpotterException Invalid(string message) => new(ErrorCodes.InvalidRequest, message);
}
