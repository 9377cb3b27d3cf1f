using System.Collections.Concurrent;
using System.Text.Json.Nodes;

namespace Spotter.Cloud.Tests;

/// <summary>The templates that the tests look at, each synthesised once.</summary>
internal static class Templates
{
    private static readonly ConcurrentDictionary<string, Lazy<string>> Made = new(StringComparer.Ordinal);

    /// <summary>Each way to scale, gateways in containers, and one stack with all that is off by default.</summary>
    private static readonly Dictionary<string, Dictionary<string, string>> Settings = new(StringComparer.Ordinal)
    {
        ["ours"] = [],
        ["tracking"] = new() { ["scaling"] = "tracking" },
        ["cpu"] = new() { ["scaling"] = "cpu" },
        ["pool"] = new() { ["scaling"] = "pool" },
        ["fargate"] = new() { ["gatewaysOn"] = "fargate" },
        ["inside"] = new() { ["gatewaysOn"] = "fargate", ["network"] = "private", ["scaling"] = "tracking", ["gateways"] = "3" },
        ["earlier"] = new()
        {
            ["compat"] = "s2", ["messagesRequestQueue"] = "identify", ["messagesResultQueue"] = "results",
            ["messagesBucket"] = "old-pictures", ["messagesTable"] = "predictions",
        },
        ["warm"] = new() { ["onDemand"] = "100", ["warm"] = "2" },
        ["options"] = new()
        {
            ["buckets"] = "2", ["network"] = "private", ["telegram"] = "selfsigned", ["access"] = "open",
            ["sources"] = "telegram,203.0.113.0/24", ["cors"] = "https://shop.example", ["email"] = "ops@shop.example", ["domain"] = "spotter.shop.example",
            ["models"] = "starter,classify/birds-2,detect/starter/birds-2", ["onDemand"] = "100", ["gateways"] = "3",
        },
    };

    public static IEnumerable<string> Names => Settings.Keys;

    public static TheoryData<string> All => [.. Names];

    /// <summary>The settings of a template.</summary>
    public static StackSettings SettingsOf(string name) => SettingReader.Read(Settings[name]);

    /// <summary>Its text.</summary>
    public static string Text(string name) => Made.GetOrAdd(name, n => new(() => Synthesis.Template(SettingsOf(n)))).Value;

    /// <summary>A copy of its own for each caller.</summary>
    public static JsonNode Read(string name) => JsonNode.Parse(Text(name))!;

    /// <summary>Its resources of a type.</summary>
    public static IReadOnlyDictionary<string, JsonNode> Resources(string name, string type) => Read(name)["Resources"]!.AsObject()
        .Where(r => (string)r.Value!["Type"]! == type)
        .ToDictionary(r => r.Key, r => r.Value!["Properties"]!, StringComparer.Ordinal);

    /// <summary>What machines of a role run at their first start; what CloudFormation puts in is left out.</summary>
    public static string UserData(string name, string role) => Resources(name, "AWS::EC2::LaunchTemplate").Values
        .Select(t => t["LaunchTemplateData"]!["UserData"]!["Fn::Base64"]!["Fn::Join"]![1]!.AsArray())
        .Select(parts => string.Concat(parts.Select(p => p is JsonValue ? (string)p! : "")))
        .Single(text => text.Contains($"\nrole={role}\n", StringComparison.Ordinal));

    /// <summary>The only one of a type.</summary>
    public static JsonNode Resource(string name, string type) => Resources(name, type).ShouldHaveSingleItem().Value;
}
