namespace Spotter.Tests;

/// <summary>Test data that may lie beside the checkout.</summary>
public static class SharedFiles
{
    /// <summary>The checkout: the folder that holds the solution.</summary>
    public static string Repository { get; } = FindRepository();

    /// <summary>The folder of test data.</summary>
    public static string Root { get; } = Path.GetFullPath(Path.Combine(Repository, "..", "shared"));

    /// <summary>True when the test data is there.</summary>
    public static bool Exist { get; } =
        File.Exists(Path.Combine(Root, "models", "manifest.json")) && File.Exists(Path.Combine(Root, "images", "manifest.json"));

    /// <summary>The path of a model.</summary>
    public static string Model(string name) => Path.Combine(Root, "models", name);

    /// <summary>The path of a picture.</summary>
    public static string Image(string name) => Path.Combine(Root, "images", name);

    private static string FindRepository()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Spotter.slnx")))
                return folder.FullName;
        }
        throw new InvalidOperationException($"No folder above {AppContext.BaseDirectory} holds Spotter.slnx.");
    }
}

/// <summary>A test that needs the shared models and pictures; counted as skipped without them.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class SharedFactAttribute : FactAttribute
{
    public SharedFactAttribute()
    {
        if (!SharedFiles.Exist)
            Skip = "../shared is not here";
    }
}

/// <summary>As <see cref="SharedFactAttribute"/>, for theories.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class SharedTheoryAttribute : TheoryAttribute
{
    public SharedTheoryAttribute()
    {
        if (!SharedFiles.Exist)
            Skip = "../shared is not here";
    }
}
