using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Spotter.Core.Images;
using Spotter.Core.Vision;
using Spotter.Jobs;

namespace Spotter.Gateway.Intake;

/// <summary>
/// Names work by all that decides its result, so that the same work need not be done twice. The model's version is not
/// in it: which one that will be is only known when a worker runs it.
/// </summary>
internal static class ResultCacheKey
{
    /// <summary>The hash for a model's work; whether it is drawn at once makes no difference to the result.</summary>
    public static string Of(ModelInfo model, JobOptions options, ImageRef image)
    {
        var asked = JsonSerializer.Serialize(options with { Annotate = false }, SpotterJson.Default.JobOptions);
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{model.Engine}\n{model.Id}\n{image.Sha256}\n{asked}")));
    }
}
