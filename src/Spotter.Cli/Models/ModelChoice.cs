namespace Spotter.Cli.Models;

/// <summary>Which model files a service or a worker is to have.</summary>
internal sealed class ModelChoice
{
    private readonly string data;

    /// <summary>Creates the choice.</summary>
    /// <param name="named">What <c>--model</c> named; empty for all that are found.</param>
    /// <param name="data">The data folder.</param>
    /// <exception cref="Core.SpotterException"><see cref="Core.ErrorCodes.ModelNotFound"/>.</exception>
    public ModelChoice(IReadOnlyList<string> named, string data)
    {
        this.data = data;
        Named = [.. named.Select(m => SpotterPaths.ResolveModel(m, data))];
    }

    /// <summary>The files that were named; empty when all that are found were meant.</summary>
    public IReadOnlyList<string> Named { get; }

    /// <summary>The files as they are now, the default first.</summary>
    public IReadOnlyList<string> Files() => Named.Count > 0 ? [.. Named.Where(File.Exists)] : SpotterPaths.ModelFiles(data);
}
