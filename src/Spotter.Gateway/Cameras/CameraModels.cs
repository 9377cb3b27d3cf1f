using Spotter.Core;
using Spotter.Engines.Catalogue;
using Spotter.Jobs;

namespace Spotter.Gateway.Cameras;

/// <summary>Which models camera software finds: those that find objects, and those that classify.</summary>
internal sealed class CameraModels(ModelCatalogue catalogue, EngineCatalogue engines)
{
    private const string Detect = "detect";

    /// <summary>Those that find objects, by name.</summary>
    public IReadOnlyList<string> Names => [.. Detectors.Select(m => m.Id)];

    private IEnumerable<ModelInfo> Detectors => catalogue.Models.Where(m => PictureResult.EnginesWithBoxes.Contains(m.Engine, StringComparer.Ordinal) && engines.FindOffered(m.Engine) is { NeedsModel: true });

    private IEnumerable<ModelInfo> Classifiers => catalogue.Models.Where(m => m.Engine == PictureResult.EngineWithLabels);

    /// <summary>The model that finds objects: that of a name, else the first that only does that, else the first.</summary>
    /// <exception cref="SpotterException">There is none.</exception>
    public string Detecting(string? name) => Choose([.. Detectors.OrderByDescending(m => m.Engine == Detect)], name, "finds objects");

    /// <summary>The model that classifies: that of a name, else the first.</summary>
    /// <exception cref="SpotterException">There is none.</exception>
    public string Classifying(string? name) => Choose([.. Classifiers], name, "classifies pictures");

    /// <summary>What an answer calls the module that made it.</summary>
    public static string NameOf(string? model) => model is null ? "Spotter" : $"Spotter ({model})";

    private string Choose(IReadOnlyList<ModelInfo> models, string? name, string does)
    {
        if (catalogue.Models.Count == 0)
            throw new SpotterException(ErrorCodes.NoModel, "There is no model yet; put an .onnx file into the folder 'models' of the data folder. It is noticed within seconds.");
        if (models.Count == 0)
            throw new SpotterException(ErrorCodes.Forbidden, $"No model here {does}; put one that does into the folder 'models' of the data folder.");
        if (name is null)
            return models[0].Id;
        // Software that asks for models by name may write them in small letters.
        return (models.FirstOrDefault(m => m.Id == name) ?? models.FirstOrDefault(m => m.Id.Equals(name, StringComparison.OrdinalIgnoreCase)))?.Id
            ?? throw new SpotterException(ErrorCodes.UnknownModel, $"There is no model '{name}' that {does}; there is {string.Join(", ", models.Select(m => $"'{m.Id}'"))}.");
    }
}
