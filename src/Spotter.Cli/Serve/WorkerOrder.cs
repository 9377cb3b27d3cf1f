using System.Text.Json;
using Spotter.Worker;

namespace Spotter.Cli.Serve;

/// <summary>The line by which a gateway tells the workers that it started which models to have.</summary>
internal static class WorkerOrder
{
    private const string Models = "models ";

    /// <summary>The order to have these models and no others.</summary>
    public static string HaveModels(IReadOnlyList<WantedModel> models) => Models + JsonSerializer.Serialize(models, CliJson.Default.IReadOnlyListWantedModel);

    /// <summary>The models that a line orders; null when it is no such order.</summary>
    public static IReadOnlyList<WantedModel>? ModelsOf(string line) =>
        line.StartsWith(Models, StringComparison.Ordinal) ? JsonSerializer.Deserialize(line.AsSpan(Models.Length), CliJson.Default.IReadOnlyListWantedModel) : null;
}
