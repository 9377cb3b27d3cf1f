using System.Text.Json;
using System.Text.Json.Nodes;

namespace Spotter.Cloud.Tests;

/// <summary>
/// Each change of a template shows in a review. <c>Snapshots/ours.txt</c> has all of the default one, a line for each value; the others
/// have what differs from it. <c>SPOTTER_UPDATE_SNAPSHOTS=1 ./test aws</c> writes them anew.
/// </summary>
public sealed class SnapshotTests
{
    private const string First = "ours";

    public static TheoryData<string> All => Templates.All;

    [Theory]
    [MemberData(nameof(All))]
    public void A_template_is_the_one_that_was_reviewed(string name)
    {
        var file = Repository.File("tests", "Spotter.Cloud.Tests", "Snapshots", $"{name}.txt");
        var lines = Lines(Templates.Read(name));
        if (name != First)
            lines = Differences(Lines(Templates.Read(First)), lines);
        var text = string.Join('\n', lines) + "\n";
        if (Environment.GetEnvironmentVariable("SPOTTER_UPDATE_SNAPSHOTS") == "1")
            File.WriteAllText(file, text);

        text.ShouldBe(File.ReadAllText(file), $"{name}.txt differs. If that is wanted: SPOTTER_UPDATE_SNAPSHOTS=1 ./test aws, and look at the difference");
    }

    [Fact]
    public void The_first_start_is_not_repeated_in_snapshots() =>
        Lines(Templates.Read(First)).Count(l => l.Contains("(boot.sh)", StringComparison.Ordinal)).ShouldBe(2);

    private static List<string> Lines(JsonNode template)
    {
        var lines = new List<string>();
        Walk("", template, lines);
        return lines;
    }

    private static void Walk(string path, JsonNode? node, List<string> lines)
    {
        switch (node)
        {
            case JsonObject { Count: 1 } call when Looked(call) is { } text:
                // What machines run at their first start has many lines; one that changes shows alone.
                lines.AddRange(Short(text).Split('\n').Select(line => $"{path} = {line}"));
                break;
            case JsonObject { Count: > 0 } map:
                foreach (var (key, value) in map)
                    Walk(path.Length == 0 ? key : $"{path}.{key}", value, lines);
                break;
            case JsonArray { Count: > 0 } list:
                for (var i = 0; i < list.Count; i++)
                    Walk($"{path}[{i}]", list[i], lines);
                break;
            default:
                lines.Add($"{path} = {Shown(node).Replace("\n", "\\n", StringComparison.Ordinal)}");
                break;
        }
    }

    private static string Shown(JsonNode? node) =>
        node is JsonValue value && value.GetValueKind() == JsonValueKind.String ? Short((string)node!) : node?.ToJsonString() ?? "null";

    /// <summary>What CloudFormation puts together, as one text; null for anything else.</summary>
    private static string? Looked(JsonNode? node)
    {
        if (node is JsonValue value)
            return value.GetValueKind() == JsonValueKind.String ? (string)node! : null;
        if (node is not JsonObject { Count: 1 } call)
            return null;
        var (name, argument) = call.First();
        return (name, argument) switch
        {
            ("Ref", JsonValue) => $"${{{argument}}}",
            ("Fn::Sub", JsonValue) => (string)argument!,
            ("Fn::GetAtt", JsonArray) => $"${{{argument![0]}.{argument[1]}}}",
            ("Fn::Base64", _) => Looked(argument) is { } text ? $"base64 {text}" : null,
            ("Fn::Join", JsonArray) => argument![1]!.AsArray().Select(Looked).ToList() is var parts && parts.TrueForAll(p => p is not null)
                ? string.Join((string)argument[0]!, parts) : null,
            _ => null,
        };
    }

    private static string Short(string text)
    {
        var boot = text.IndexOf("# The first start of a machine", StringComparison.Ordinal);
        return boot < 0 ? text : text[..boot] + "(boot.sh)";
    }

    private static List<string> Differences(List<string> before, List<string> after)
    {
        var (old, now) = (before.ToHashSet(StringComparer.Ordinal), after.ToHashSet(StringComparer.Ordinal));
        return [.. before.Where(l => !now.Contains(l)).Select(l => $"- {l}"), .. after.Where(l => !old.Contains(l)).Select(l => $"+ {l}")];
    }
}
