using System.Xml.Linq;

namespace Spotter.Tests.Architecture;

/// <summary>What project files ask for, used or not: what <see cref="DirectionTests"/> sees in the assemblies is what is used.</summary>
public sealed class ProjectFileTests
{
    private const string Program = "Spotter.Cli";

    /// <summary>The packages of the projects that others stand on; a project that is not here may choose its own.</summary>
    private static readonly Dictionary<string, string[]> Packages = new(StringComparer.Ordinal)
    {
        ["Spotter.Core"] = [],
        ["Spotter.Jobs"] = [],
        // Interfaces without I/O: those that run, load and scale log what they do, by [LoggerMessage].
        ["Spotter.Engine"] = ["Microsoft.Extensions.Logging.Abstractions", "YamlDotNet"],
        ["Spotter.Engines"] = ["Microsoft.Extensions.Logging.Abstractions"],
        ["Spotter.Scaling"] = ["Microsoft.Extensions.Logging.Abstractions"],
    };

    public static TheoryData<string> Projects => [.. Names()];

    [Fact]
    public void Every_project_is_on_the_map_but_the_program_which_may_know_all() =>
        Names().Except([Program], StringComparer.Ordinal).ShouldBe(DirectionTests.MayKnow.Keys, ignoreOrder: true);

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_project_asks_only_for_what_the_map_allows(string project)
    {
        IEnumerable<string> allowed = project == Program ? DirectionTests.MayKnow.Keys : DirectionTests.MayKnow[project];

        var asked = Read(project, "ProjectReference").Select(path => Path.GetFileNameWithoutExtension(path.Replace('\\', '/')));

        asked.Except(allowed, StringComparer.Ordinal).ShouldBeEmpty();
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void What_others_stand_on_needs_no_packages(string project)
    {
        if (Packages.TryGetValue(project, out var allowed))
            Read(project, "PackageReference").ShouldBe(allowed, ignoreOrder: true);
    }

    [Fact]
    public void Only_the_web_host_and_the_program_know_the_web_framework() =>
        Names().Where(project => Read(project, "FrameworkReference").Count > 0).ShouldBe([Program, "Spotter.Gateway"], ignoreOrder: true);

    private static IReadOnlyList<string> Names() =>
        [.. Directory.EnumerateFiles(Path.Combine(SharedFiles.Repository, "src"), "*.csproj", SearchOption.AllDirectories).Select(f => Path.GetFileNameWithoutExtension(f)!)];

    private static IReadOnlyList<string> Read(string project, string reference)
    {
        var file = XDocument.Load(Path.Combine(SharedFiles.Repository, "src", project, $"{project}.csproj"));
        return [.. file.Descendants(reference).Select(r => (string)r.Attribute("Include")!)];
    }
}
