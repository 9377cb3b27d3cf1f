using System.Text.RegularExpressions;
using YamlDotNet.Serialization;

namespace Spotter.Tests.Deploy;

/// <summary>The workflows are YAML that GitHub takes, may do little, and call what is there.</summary>
public sealed partial class WorkflowTests
{
    private static readonly IDeserializer Yaml = new DeserializerBuilder().Build();

    private static readonly string[] Levels = ["read", "write", "none"];

    public static TheoryData<string> Workflows => [.. FilesIn("workflows")];

    [Fact]
    public void Other_files_for_GitHub_are_yaml()
    {
        foreach (var file in FilesIn("ISSUE_TEMPLATE").Select(f => Path.Combine("ISSUE_TEMPLATE", f)).Append("dependabot.yml"))
            Read(file).Count.ShouldBeGreaterThan(0, file);
        foreach (var update in List(Read("dependabot.yml")["updates"]).Select(Map))
        {
            foreach (var folder in update.TryGetValue("directories", out var several) ? List(several).Cast<string>() : [(string)update["directory"]])
                Directory.Exists(Path.Combine(SharedFiles.Repository, folder.TrimStart('/'))).ShouldBeTrue(folder);
        }
    }

    [Theory]
    [MemberData(nameof(Workflows))]
    public void A_workflow_says_what_it_may_do(string file)
    {
        var workflow = Read(Path.Combine("workflows", file));
        var jobs = Jobs(workflow);

        workflow.ShouldContainKey("on");
        workflow.ShouldContainKey("permissions");
        jobs.Count.ShouldBeGreaterThan(0);
        foreach (var permissions in jobs.Values.Append(workflow).Where(w => w.ContainsKey("permissions")).Select(w => w["permissions"]))
            Map(permissions).Values.ShouldAllBe(level => Levels.Contains((string)level));
        // For all jobs at once nothing may be written but a token for those that deploy.
        Map(workflow["permissions"]).Where(p => (string)p.Value == "write").ShouldAllBe(p => (string)p.Key == "id-token");
        foreach (var job in jobs.Values)
        {
            job.ShouldContainKey("timeout-minutes");
            job.ShouldContainKey("runs-on");
            foreach (var needed in job.TryGetValue("needs", out var needs) ? needs is string one ? [one] : List(needs).Cast<string>() : [])
                jobs.ShouldContainKey(needed);
        }
    }

    [Theory]
    [MemberData(nameof(Workflows))]
    public void It_pins_its_actions_and_calls_what_is_there(string file)
    {
        var steps = Jobs(Read(Path.Combine("workflows", file))).Values.SelectMany(job => List(job["steps"]).Select(Map)).ToList();
        var runs = string.Join('\n', steps.Where(s => s.ContainsKey("run")).Select(s => (string)s["run"]));

        steps.Where(s => s.ContainsKey("uses")).ShouldAllBe(s => Pinned().IsMatch((string)s["uses"]));
        steps.Where(s => ((string)s.GetValueOrDefault("uses", "")).StartsWith("actions/checkout@", StringComparison.Ordinal))
            .ShouldAllBe(s => (string)Map(s["with"])["persist-credentials"] == "false");
        foreach (Match path in Called().Matches(runs))
            File.Exists(Path.Combine(SharedFiles.Repository, path.Groups["path"].Value)).ShouldBeTrue($"{file} calls {path.Value}");
        // What others write, as the name of a branch, would be run as a part of the script.
        Unsafe().Matches(runs).Select(m => m.Value).ShouldBeEmpty();
    }

    [Fact]
    public void Every_lane_is_run_for_each_change_or_at_night()
    {
        var lanes = File.ReadAllText(Path.Combine(SharedFiles.Repository, "test")).Split('\n')[1].Split('[')[1].Split(']')[0].Split('|');
        string[] partsOfAll = ["unit", "e2e", "web", "kubernetes"];

        LanesOf("build.yml").Concat(LanesOf("nightly.yml")).Concat(partsOfAll).ShouldBe(lanes, ignoreOrder: true);
    }

    [Fact]
    public void One_version_is_set_and_shown_elsewhere()
    {
        var version = Version().Match(Text("Directory.Build.props")).Groups["version"].Value;

        version.ShouldNotBeEmpty();
        Text("CHANGELOG.md").ShouldContain($"\n## [{version}] - ");
        Text("deploy/kubernetes/core/kustomization.yaml").ShouldContain($"newTag: {version}\n");
        Text("deploy/kubernetes/components/gpu/kustomization.yaml").ShouldContain($"spotter-gpu:{version}\n");
        Text("deploy/helm/spotter/Chart.yaml").ShouldContain($"\nversion: {version}\nappVersion: {version}\n");
        Text("clients/python/pyproject.toml").ShouldContain($"\nversion = \"{version}\"\n");
        Text("clients/js/package.json").ShouldContain($"\"version\": \"{version}\",\n");
        foreach (var page in (string[])["README.md", "docs/install.md", "docs/kubernetes.md"])
            Shown().Matches(Text(page)).Select(m => m.Groups["version"].Value).Distinct(StringComparer.Ordinal).ShouldBe([version], page);
    }

    private static IEnumerable<string> LanesOf(string workflow)
    {
        var matrix = Map(Map(Jobs(Read(Path.Combine("workflows", workflow)))["test"]["strategy"])["matrix"]);
        return List(matrix["lane"]).Cast<string>().Concat(matrix.TryGetValue("include", out var more) ? List(more).Select(i => (string)Map(i)["lane"]) : []);
    }

    private static string Text(string file) => File.ReadAllText(Path.Combine(SharedFiles.Repository, file));

    private static IEnumerable<string> FilesIn(string folder) => Directory.EnumerateFiles(Path.Combine(SharedFiles.Repository, ".github", folder)).Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal);

    private static Dictionary<object, object> Read(string file) => Yaml.Deserialize<Dictionary<object, object>>(Text(Path.Combine(".github", file)));

    private static Dictionary<string, Dictionary<object, object>> Jobs(Dictionary<object, object> workflow) => Map(workflow["jobs"]).ToDictionary(j => (string)j.Key, j => Map(j.Value), StringComparer.Ordinal);

    private static Dictionary<object, object> Map(object value) => value.ShouldBeOfType<Dictionary<object, object>>();

    private static List<object> List(object value) => value.ShouldBeOfType<List<object>>();

    [GeneratedRegex("^[a-z-]+/[a-z-]+@v[0-9]+$", RegexOptions.NonBacktracking)]
    private static partial Regex Pinned();

    [GeneratedRegex(@"(?:^|[\s""])(?:\./)?(?<path>(?:test|release|spotter)(?=\s)|(?:\.ci|deploy|tools|tests)/[\w./-]+)", RegexOptions.ExplicitCapture | RegexOptions.Multiline, 1000)]
    private static partial Regex Called();

    [GeneratedRegex(@"\$\{\{\s*(?:github|inputs|vars|secrets)\.[^}]*\}\}", RegexOptions.NonBacktracking)]
    private static partial Regex Unsafe();

    [GeneratedRegex("<Version>(?<version>[^<]+)</Version>", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Version();

    [GeneratedRegex(@"\bspotter(?:-gpu)?[-_:](?<version>[0-9]+\.[0-9]+\.[0-9]+)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Shown();
}
