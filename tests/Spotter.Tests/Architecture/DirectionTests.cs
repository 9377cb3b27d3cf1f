using System.Reflection;
using System.Text.RegularExpressions;

namespace Spotter.Tests.Architecture;

/// <summary>Holds the code to the map in ARCHITECTURE.md.</summary>
public sealed partial class DirectionTests
{
    private static readonly Dictionary<string, string[]> MayKnow = new(StringComparer.Ordinal)
    {
        ["Spotter.Core"] = [],
        ["Spotter.Jobs"] = ["Spotter.Core"],
        ["Spotter.Scaling"] = ["Spotter.Core", "Spotter.Jobs"],
        ["Spotter.Vision"] = ["Spotter.Core"],
        ["Spotter.Backends"] = ["Spotter.Core", "Spotter.Jobs", "Spotter.Scaling"],
        ["Spotter.Fleets"] = ["Spotter.Core", "Spotter.Jobs", "Spotter.Scaling"],
        ["Spotter.Engines"] = ["Spotter.Core", "Spotter.Jobs", "Spotter.Vision"],
        ["Spotter.Gateway"] = ["Spotter.Core", "Spotter.Engines", "Spotter.Jobs", "Spotter.Scaling"],
        ["Spotter.Worker"] = ["Spotter.Core", "Spotter.Engines", "Spotter.Jobs", "Spotter.Vision"],
    };

    public static TheoryData<string> Projects => [.. MayKnow.Keys];

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_project_knows_only_what_the_map_allows(string project)
    {
        var known = Assembly.Load(project).GetReferencedAssemblies()
            .Select(a => a.Name!)
            .Where(name => name.StartsWith("Spotter.", StringComparison.Ordinal));

        known.Except(MayKnow[project], StringComparer.Ordinal).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("Spotter.Core")]
    [InlineData("Spotter.Jobs")]
    public void The_middle_needs_no_package(string project)
    {
        var foreign = Assembly.Load(project).GetReferencedAssemblies()
            .Select(a => a.Name!)
            .Where(name => !name.StartsWith("System", StringComparison.Ordinal) && !name.StartsWith("Spotter.", StringComparison.Ordinal));

        foreign.ShouldBeEmpty();
    }

    [Fact]
    public void Adapters_do_not_know_each_other()
    {
        var backends = Path.Combine(SharedFiles.Repository, "src", "Spotter.Backends");
        // Opening is what chooses between them.
        var adapters = Directory.GetDirectories(backends).Select(Path.GetFileName).Where(n => n is not ("bin" or "obj" or "Opening")).ToList();
        adapters.Count.ShouldBeGreaterThan(1);

        var offences =
            from adapter in adapters
            from file in Directory.EnumerateFiles(Path.Combine(backends, adapter!), "*.cs", SearchOption.AllDirectories)
            from Match use in BackendNamespace().Matches(File.ReadAllText(file))
            where use.Groups["adapter"].Value != adapter && adapters.Contains(use.Groups["adapter"].Value, StringComparer.Ordinal)
            select $"{Path.GetFileName(file)} uses {use.Value}";

        offences.ShouldBeEmpty();
    }

    [Fact]
    public void Only_the_vision_project_and_the_disk_call_native_code()
    {
        var offences =
            from file in Directory.EnumerateFiles(Path.Combine(SharedFiles.Repository, "src"), "*.cs", SearchOption.AllDirectories)
            let folder = Path.GetRelativePath(SharedFiles.Repository, file).Replace('\\', '/')
            where !folder.Contains("/obj/", StringComparison.Ordinal)
                && !folder.StartsWith("src/Spotter.Vision/", StringComparison.Ordinal)
                && !folder.StartsWith("src/Spotter.Backends/Local/", StringComparison.Ordinal)
            where NativeCall().IsMatch(File.ReadAllText(file))
            select folder;

        offences.ShouldBeEmpty();
    }

    [GeneratedRegex(@"Spotter\.Backends\.(?<adapter>\w+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex BackendNamespace();

    [GeneratedRegex(@"DllImport|LibraryImport|NativeLibrary\.", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex NativeCall();
}
