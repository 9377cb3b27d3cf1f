using Spotter.Core;
using Spotter.Core.Vision;
using Spotter.Vision.Models;

namespace Spotter.Vision;

/// <summary>Says what a model file is without making it ready to run.</summary>
public static class ModelInspector
{
    /// <summary>Reads a model file.</summary>
    /// <exception cref="SpotterException">
    /// <see cref="ErrorCodes.ModelNotFound"/>, <see cref="ErrorCodes.ModelInvalid"/>, <see cref="ErrorCodes.ModelUnsupported"/>,
    /// <see cref="ErrorCodes.NativeMissing"/>.
    /// </exception>
    public static ModelInfo Inspect(string modelFile)
    {
        using var session = DetectorInspector.Load(modelFile, threads: 1, optimize: false);
        return DetectorInspector.Inspect(modelFile, session).Info;
    }
}
