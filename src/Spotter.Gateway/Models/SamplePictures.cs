using Spotter.Core;

namespace Spotter.Gateway.Models;

/// <summary>The pictures that come with the built-in model, for visitors to try it on. What may be asked for is known from the start.</summary>
internal sealed class SamplePictures(GatewaySettings settings)
{
    private readonly OrderedDictionary<string, string> files = Find(settings.SamplesFolder);

    /// <summary>Their addresses, relative to the page's.</summary>
    public IReadOnlyList<string> Urls { get; } = [.. Find(settings.SamplesFolder).Keys.Select(name => $"v1/samples/{Uri.EscapeDataString(name)}")];

    /// <summary>Opens one.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.NotFound"/>.</exception>
    public Stream Open(string name) =>
        files.TryGetValue(name, out var file) && File.Exists(file)
            ? File.OpenRead(file)
            : throw new SpotterException(ErrorCodes.NotFound, "There is no such sample; GET /v1/models lists those that there are.");

    private static OrderedDictionary<string, string> Find(string? folder)
    {
        var found = new OrderedDictionary<string, string>(StringComparer.Ordinal);
        if (folder is null || !Directory.Exists(folder))
            return found;
        foreach (var file in Directory.EnumerateFiles(folder, "*.jpg").Order(StringComparer.Ordinal))
            found.Add(Path.GetFileName(file), file);
        return found;
    }
}
