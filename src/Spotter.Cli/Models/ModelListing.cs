using Spotter.Core;
using Spotter.Jobs;
using Spotter.Vision.Inference;
using Spotter.Vision.Models;

namespace Spotter.Cli.Models;

/// <summary>A model file and what it is, or why it cannot be used.</summary>
/// <param name="File">Its path.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Model">What it is; null when it cannot be used.</param>
/// <param name="Error">Why it cannot be used.</param>
/// <param name="Facts">All that was found out about it, and how each thing is known; empty when it cannot be used.</param>
internal sealed record ModelListing(string File, long Bytes, ModelInfo? Model, JobError? Error, IReadOnlyList<ModelFact> Facts)
{
    /// <summary>The first of some files that can be used.</summary>
    /// <exception cref="SpotterException">What is wrong with the first, when none can be used.</exception>
    public static string FirstUsable(IReadOnlyList<string> files)
    {
        ModelListing? unusable = null;
        foreach (var listing in files.Select(Of))
        {
            if (listing.Error is null)
                return listing.File;
            unusable ??= listing;
        }
        throw new SpotterException(unusable!.Error!.Code, unusable.Error.Detail);
    }

    /// <summary>Looks at a file; one that is no usable model is a listing with its error.</summary>
    public static ModelListing Of(string file)
    {
        var bytes = new FileInfo(file).Length;
        try
        {
            var report = ModelInspector.Inspect(file);
            return new(file, bytes, report.Model, Error: null, report.Facts);
        }
        catch (SpotterException e)
        {
            return new(file, bytes, Model: null, new(e.Code, e.Message), Facts: []);
        }
    }
}
