using Spotter.Core;
using Spotter.Vision.Models;

namespace Spotter.Vision.Inference;

/// <summary>What a model file is.</summary>
/// <param name="Model">What requests and the page need.</param>
/// <param name="Facts">All that was found out, and how each thing is known.</param>
public sealed record ModelReport(ModelInfo Model, IReadOnlyList<ModelFact> Facts);

/// <summary>Says what a model file is without making it ready to run.</summary>
public static class ModelInspector
{
    /// <summary>Reads a model file and what lies beside it.</summary>
    /// <exception cref="SpotterException">
    /// <see cref="ErrorCodes.ModelNotFound"/>, <see cref="ErrorCodes.ModelInvalid"/>, <see cref="ErrorCodes.ModelUnsupported"/>,
    /// <see cref="ErrorCodes.NativeMissing"/>.
    /// </exception>
    public static ModelReport Inspect(string modelFile)
    {
        var (session, file) = ModelInspection.Load(modelFile, threads: 1, optimize: false);
        using (session)
        {
            var card = ModelInspection.Inspect(modelFile, session, file, ModelTrial.Judge);
            return new ModelReport(card.Info, card.Facts);
        }
    }
}
