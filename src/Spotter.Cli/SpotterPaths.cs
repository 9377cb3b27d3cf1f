using Spotter.Core;

namespace Spotter.Cli;

/// <summary>Where Spotter keeps its data and looks for models, for every command alike.</summary>
internal static class SpotterPaths
{
    private const string Marker = "Spotter.slnx";

    /// <summary>Names folders of models, separated as in PATH; they are looked through first.</summary>
    public const string ModelsVariable = "SPOTTER_MODELS";

    /// <summary>Names the file of the built-in model; <c>none</c> for none.</summary>
    public const string StarterVariable = "SPOTTER_STARTER";

    /// <summary>The checkout when the program runs from one, else the program's folder.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>The data folder when nobody names one, in words.</summary>
    public const string DefaultDataFolder = "`data` in Spotter's own folder (the checkout), whatever the current folder is";

    /// <summary>The data folder as a full path.</summary>
    /// <param name="folder">What was asked for; null for <c>data</c> in <see cref="Root"/>.</param>
    public static string DataFolder(string? folder) => string.IsNullOrEmpty(folder) ? Path.Combine(Root, "data") : Path.GetFullPath(folder);

    /// <summary>The model that comes with Spotter; null when it is not there, or not wanted.</summary>
    public static string? StarterModel
    {
        get
        {
            var named = Environment.GetEnvironmentVariable(StarterVariable);
            var file = string.IsNullOrEmpty(named) ? Path.Combine(StarterFolder, "starter.onnx") : Path.GetFullPath(named);
            return File.Exists(file) ? file : null;
        }
    }

    /// <summary>Where the built-in model and its sample pictures lie.</summary>
    public static string StarterFolder => Path.Combine(Root, "models", "starter");

    /// <summary>Folders that models are looked for in, the first one first; they need not exist.</summary>
    /// <param name="data">The data folder.</param>
    public static IReadOnlyList<string> ModelFolders(string data)
    {
        var named = Environment.GetEnvironmentVariable(ModelsVariable) ?? "";
        return [
            .. named.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries).Select(Path.GetFullPath),
            Path.Combine(data, "models"),
            Path.Combine(Root, "models")];
    }

    /// <summary>
    /// The models that can be chosen by name: by folder, then by name; of two with one name the first. The built-in one
    /// comes last, so that it is the default only where there is no other.
    /// </summary>
    /// <param name="data">The data folder.</param>
    public static IReadOnlyList<string> ModelFiles(string data)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        return [.. ModelFolders(data)
            .Where(Directory.Exists)
            .SelectMany(folder => Directory.EnumerateFiles(folder, "*.onnx").Order(StringComparer.Ordinal))
            .Concat(StarterModel is { } starter ? [starter] : [])
            .Where(file => names.Add(Path.GetFileNameWithoutExtension(file)))];
    }

    /// <summary>The model file that <c>--model</c> means.</summary>
    /// <param name="option">A file, or the name of one in <see cref="ModelFolders"/>; null for the first there.</param>
    /// <param name="data">The data folder.</param>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.NoModel"/>, <see cref="ErrorCodes.ModelNotFound"/>.</exception>
    public static string ResolveModel(string? option, string data)
    {
        var places = string.Join(", ", ModelFolders(data));
        if (option is null)
        {
            return ModelFiles(data) is [var first, ..] ? first : throw new SpotterException(
                ErrorCodes.NoModel,
                $"There is no model: put an .onnx file into one of {places}, or name one with --model FILE.");
        }
        return Find(option, data) ?? throw new SpotterException(
            ErrorCodes.ModelNotFound,
            $"There is no model {option}: it is neither a file nor the name of one in {places}; `spotter models list` shows what is there, and `spotter models pull` what can be downloaded.");
    }

    /// <summary>True when a file has this path or name, as <see cref="ResolveModel"/> looks for it.</summary>
    public static bool HasModel(string option, string data) => Find(option, data) is not null;

    /// <summary>True where the program was built, false where it was installed.</summary>
    public static bool IsCheckout => File.Exists(Path.Combine(FindRoot(), Marker));

    private static string? Find(string option, string data) => File.Exists(option)
        ? Path.GetFullPath(option)
        : ModelFiles(data).FirstOrDefault(file =>
            string.Equals(Path.GetFileNameWithoutExtension(file), option, StringComparison.Ordinal)
            || string.Equals(Path.GetFileName(file), option, StringComparison.Ordinal));

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, Marker)))
                return folder.FullName;
        }
        return Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory);
    }
}
