[assembly: System.Runtime.Versioning.UnsupportedOSPlatform("windows")] // The scripts are for bash.
[assembly: CollectionBehavior(DisableTestParallelization = true)] // One Node process synthesises, and the machine may have two cores.

namespace Spotter.Cloud.Tests;

/// <summary>Where the files of the checkout are.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    public static string File(params string[] path) => Path.Combine([Root, .. path]);

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (System.IO.File.Exists(Path.Combine(folder.FullName, "Spotter.slnx")))
                return folder.FullName;
        }
        throw new InvalidOperationException($"No folder above {AppContext.BaseDirectory} holds Spotter.slnx.");
    }
}
