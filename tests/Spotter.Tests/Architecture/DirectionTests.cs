using System.Reflection;
using System.Text.RegularExpressions;

namespace Spotter.Tests.Architecture;

/// <summary>Holds the code to the map in ARCHITECTURE.md.</summary>
public sealed partial class DirectionTests
{
    internal static readonly Dictionary<string, string[]> MayKnow = new(StringComparer.Ordinal)
    {
        ["Spotter.Core"] = [],
        ["Spotter.Jobs"] = ["Spotter.Core"],
        ["Spotter.Scaling"] = ["Spotter.Core", "Spotter.Jobs"],
        ["Spotter.Vision"] = ["Spotter.Core"],
        ["Spotter.Backends"] = ["Spotter.Core", "Spotter.Jobs", "Spotter.Scaling"],
        ["Spotter.Fleets"] = ["Spotter.Core", "Spotter.Jobs", "Spotter.Scaling"],
        ["Spotter.Engines"] = ["Spotter.Core", "Spotter.Jobs", "Spotter.Vision"],
        ["Spotter.Gateway"] = ["Spotter.Core", "Spotter.Engines", "Spotter.Jobs", "Spotter.Scaling"],
        ["Spotter.Engine"] = ["Spotter.Core", "Spotter.Jobs", "Spotter.Worker"],
        ["Spotter.Worker"] = ["Spotter.Core", "Spotter.Jobs"],
    };

    /// <summary>Modules that know another one all the same. Whoever mends one of these takes it off the list.</summary>
    private static readonly (string Project, string What)[] Known =
    [
        // They show jobs and send pictures as reading does: JobView, JobPresenter and BlobResult lie among what reads.
        ("Spotter.Gateway", "Intake/SubmitEndpoint.cs knows Results"),
        ("Spotter.Gateway", "Intake/UploadEndpoint.cs knows Results"),
        ("Spotter.Gateway", "Operations/OperationsEndpoints.cs knows Results"),
        ("Spotter.Gateway", "Workers/WorkerApi.cs knows Results"),
    ];

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

    /// <summary>Where modules stand side by side, and what a file of a folder says that is one; nothing where all folders are.</summary>
    public static TheoryData<string, string> Modules => new()
    {
        { "Spotter.Backends", "" },
        { "Spotter.Engines", @"class [^:]*: I\w*Engine\b" },
        { "Spotter.Fleets", "" },
        { "Spotter.Gateway", @"class [^:]*: IDoor\b" },
    };

    [Theory]
    [MemberData(nameof(Modules))]
    public void Modules_do_not_know_each_other(string project, string isModule)
    {
        var root = Path.Combine(SharedFiles.Repository, "src", project);
        var modules = (
            from folder in Directory.GetDirectories(root)
            let name = Path.GetFileName(folder)
            // Opening chooses between the backends, so it knows all of them.
            where name is not ("bin" or "obj" or "wwwroot" or "Opening")
            let files = Directory.GetFiles(folder, "*.cs", SearchOption.AllDirectories).Select(file => (Path: file, Text: File.ReadAllText(file))).ToList()
            where files.Exists(f => Regex.IsMatch(f.Text, isModule, RegexOptions.None, TimeSpan.FromSeconds(5)))
            select (Name: name, Files: files)).ToList();
        modules.ShouldNotBeEmpty();

        var known =
            from module in modules
            from file in module.Files
            from Match use in Regex.Matches(file.Text, $@"\b{Regex.Escape(project)}\.(?<other>\w+)", RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(5))
            let other = use.Groups["other"].Value
            where other != module.Name && modules.Exists(m => m.Name == other)
            select $"{Path.GetRelativePath(root, file.Path).Replace('\\', '/')} knows {other}";

        known.Distinct(StringComparer.Ordinal).ShouldBe(Known.Where(k => k.Project == project).Select(k => k.What), ignoreOrder: true);
    }

    [Fact]
    public void Doors_see_no_store()
    {
        var gateway = Path.Combine(SharedFiles.Repository, "src", "Spotter.Gateway");

        var knowing =
            from file in Directory.EnumerateFiles(gateway, "*.cs", SearchOption.AllDirectories)
            let path = Path.GetRelativePath(gateway, file).Replace('\\', '/')
            where !path.StartsWith("obj/", StringComparison.Ordinal) && Regex.IsMatch(File.ReadAllText(file), @"\bI(?:Job|Blob)Store\b", RegexOptions.None, TimeSpan.FromSeconds(5))
            select path;

        // What puts the gateway together, and what runs the senders of the outbox.
        knowing.ShouldBe(["Deliveries/DeliveryService.cs", "Hosting/GatewayHost.cs"], ignoreOrder: true);
    }

    [Fact]
    public void Only_the_vision_project_files_and_the_sandbox_call_native_code()
    {
        var offences =
            from file in Directory.EnumerateFiles(Path.Combine(SharedFiles.Repository, "src"), "*.cs", SearchOption.AllDirectories)
            let folder = Path.GetRelativePath(SharedFiles.Repository, file).Replace('\\', '/')
            where !folder.Contains("/obj/", StringComparison.Ordinal)
                && !folder.StartsWith("src/Spotter.Vision/", StringComparison.Ordinal)
                && !folder.StartsWith("src/Spotter.Backends/Local/", StringComparison.Ordinal)
                && !folder.StartsWith("src/Spotter.Core/Files/", StringComparison.Ordinal)
                && !folder.StartsWith("src/Spotter.Core/Confinement/", StringComparison.Ordinal)
            where NativeCall().IsMatch(File.ReadAllText(file))
            select folder;

        offences.ShouldBeEmpty();
    }

    [GeneratedRegex(@"DllImport|LibraryImport|NativeLibrary\.", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex NativeCall();
}
