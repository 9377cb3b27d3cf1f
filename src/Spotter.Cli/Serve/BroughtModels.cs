using System.Text.Json;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Cli.Serve;

/// <summary>
/// The models that workers from elsewhere have brought, in a file: after a start they are known before the first worker has
/// joined again, so that what is sent meanwhile waits for a model that somebody will have.
/// </summary>
internal sealed class BroughtModels(string dataFolder)
{
    private const string FileName = "models-of-workers.json";

    private readonly string file = Path.Combine(dataFolder, FileName);

    /// <summary>Tells a catalogue of those that are known, and keeps what it hears from then on.</summary>
    public void Follow(ModelCatalogue catalogue)
    {
        catalogue.Bring(Read());
        catalogue.Brought = Write;
    }

    private IReadOnlyList<ModelInfo> Read()
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(file), SpotterJson.Default.IReadOnlyListModelInfo)?.OfType<ModelInfo>().ToList() ?? [];
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException or JsonException)
        {
            // Workers say it again.
            return [];
        }
    }

    private void Write(IReadOnlyList<ModelInfo> models)
    {
        try
        {
            File.WriteAllBytes(file + ".new", JsonSerializer.SerializeToUtf8Bytes(models, SpotterJson.Default.IReadOnlyListModelInfo));
            File.Move(file + ".new", file, overwrite: true);
        }
        catch (Exception unwritten) when (unwritten is IOException or UnauthorizedAccessException)
        {
            // A full disk keeps no worker from joining.
        }
    }
}
