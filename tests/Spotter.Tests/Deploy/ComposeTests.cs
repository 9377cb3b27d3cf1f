using System.Text.RegularExpressions;
using Spotter.Cli.Commands;
using Spotter.Cli.Settings;
using YamlDotNet.Serialization;
using YamlDotNet.Serialization.NamingConventions;

namespace Spotter.Tests.Deploy;

/// <summary>What compose.yaml and the Dockerfile say is what the program understands.</summary>
public sealed partial class ComposeTests
{
    private static readonly Dictionary<string, ComposeService> Services = Read();

    private static readonly List<string> OurNames = [.. Services.Where(s => s.Value.Image == "spotter").Select(s => s.Key)];

    public static TheoryData<string> Ours => [.. OurNames];

    [Fact]
    public void A_gateway_and_workers_run_the_image_that_is_built_here()
    {
        OurNames.ShouldBe(["gateway", "worker"], ignoreOrder: true);
        Services["gateway"].Build.ShouldBe(".");
        // Nobody but this machine reaches what is open.
        Services["gateway"].Ports.ShouldBe(["127.0.0.1:8080:8080"]);
        Services.Values.SelectMany(s => s.Ports).ShouldAllBe(port => port.StartsWith("127.0.0.1:"));
        Services.Where(s => s.Value.Ports.Count > 0 && s.Value.Profiles.Count == 0).Select(s => s.Key).ShouldBe(["gateway"]);
    }

    [Theory]
    [MemberData(nameof(Ours))]
    public void The_program_takes_its_command_and_knows_its_settings(string name)
    {
        var service = Services[name];
        var known = VariablesIn(SettingsPage.Markdown());

        CommandLine.Parse(service.Command).Errors.ShouldBeEmpty();
        service.Environment.Keys.Except(known, StringComparer.Ordinal).ShouldBeEmpty();
        service.ReadOnly.ShouldBeTrue();
        service.CapDrop.ShouldBe(["ALL"]);
    }

    [Fact]
    public void The_image_knows_its_settings_and_runs_as_nobody_in_particular()
    {
        var file = File.ReadAllText(Path.Combine(SharedFiles.Repository, "Dockerfile"));

        VariablesIn(file).Except(VariablesIn(SettingsPage.Markdown()), StringComparer.Ordinal).ShouldBeEmpty();
        file.ShouldContain("\nUSER 10001:10001\n");
        // No shell is needed: each command is a list.
        foreach (var command in ((string[])["ENTRYPOINT", "CMD"]).SelectMany(word => CommandLines(file, word)))
            command.ShouldStartWith("[");
        CommandLine.Parse(["health"]).Errors.ShouldBeEmpty();
    }

    [Fact]
    public void What_watches_it_finds_its_files()
    {
        foreach (var name in (string[])["prometheus", "grafana"])
        {
            Services[name].Profiles.ShouldBe(["monitoring"]);
            foreach (var mount in Services[name].Volumes.Where(v => v.StartsWith("./", StringComparison.Ordinal)))
            {
                Directory.Exists(Path.Combine(SharedFiles.Repository, mount[2..].Split(':')[0])).ShouldBeTrue(mount);
                mount.ShouldEndWith(":ro");
            }
        }
    }

    private static IEnumerable<string> CommandLines(string file, string word) =>
        file.Split('\n').Where(line => line.StartsWith($"{word} ", StringComparison.Ordinal)).Select(line => line[(word.Length + 1)..]);

    private static List<string> VariablesIn(string text) => [.. Variable().Matches(text).Select(m => m.Value).Distinct(StringComparer.Ordinal)];

    private static Dictionary<string, ComposeService> Read()
    {
        var text = File.ReadAllText(Path.Combine(SharedFiles.Repository, "compose.yaml"));
        var parser = new YamlDotNet.Core.MergingParser(new YamlDotNet.Core.Parser(new StringReader(text)));
        return new DeserializerBuilder().WithNamingConvention(UnderscoredNamingConvention.Instance).IgnoreUnmatchedProperties().Build().Deserialize<ComposeFile>(parser).Services;
    }

    [GeneratedRegex("SPOTTER__[A-Z0-9_]+", RegexOptions.NonBacktracking)]
    private static partial Regex Variable();

    private sealed class ComposeFile
    {
        public Dictionary<string, ComposeService> Services { get; set; } = [];
    }

    private sealed class ComposeService
    {
        public string Image { get; set; } = "";

        public string? Build { get; set; }

        public List<string> Command { get; set; } = [];

        public Dictionary<string, string> Environment { get; set; } = [];

        public List<string> Ports { get; set; } = [];

        public List<string> Volumes { get; set; } = [];

        public List<string> Profiles { get; set; } = [];

        public List<string> CapDrop { get; set; } = [];

        public bool ReadOnly { get; set; }
    }
}
