using System.Text.Json;
using System.Text.Json.Nodes;

namespace Spotter.Cli.Watch;

/// <summary>
/// Tells Home Assistant of a source, by its MQTT discovery: one device with a number of objects, an occupancy for each label, and the
/// last picture. Everything that the messages say of values is read from the topics that are there without Home Assistant too.
/// </summary>
internal static class HomeAssistant
{
    private const string Prefix = "homeassistant";

    /// <summary>The label whose occupancy is shown when none are named.</summary>
    public const string DefaultLabel = "person";

    /// <summary>The messages.</summary>
    /// <param name="name">The source's name, for people.</param>
    /// <param name="topics">Its topics.</param>
    /// <param name="labels">The labels that have an occupancy of their own; the default one when there are none.</param>
    /// <param name="hasImage">True when pictures are sent.</param>
    public static IReadOnlyList<MqttMessage> Discovery(string name, MqttTopics topics, IReadOnlyList<string> labels, bool hasImage)
    {
        var messages = new List<MqttMessage>
        {
            Entity("sensor", "objects", new()
            {
                ["name"] = "Objects",
                ["state_topic"] = topics.State,
                ["value_template"] = "{{ value_json.count }}",
                ["json_attributes_topic"] = topics.State,
                ["state_class"] = "measurement",
                ["icon"] = "mdi:shape-outline",
            }),
        };
        foreach (var label in labels.Count == 0 ? [DefaultLabel] : labels.Distinct(StringComparer.Ordinal))
        {
            messages.Add(Entity("binary_sensor", $"{MqttTopics.IdOf(label) ?? "label"}_occupancy", new()
            {
                ["name"] = $"{char.ToUpperInvariant(label[0])}{label[1..]}",
                ["device_class"] = "occupancy",
                ["state_topic"] = topics.State,
                ["value_template"] = $"{{{{ 'ON' if value_json.counts.get({Literal(label)}, 0) > 0 else 'OFF' }}}}",
            }));
        }
        if (hasImage)
            messages.Add(Entity("image", "picture", new() { ["name"] = "Picture", ["image_topic"] = topics.Image, ["content_type"] = "image/jpeg" }));
        return messages;

        MqttMessage Entity(string component, string what, JsonObject config)
        {
            config["unique_id"] = $"spotter_{topics.Id}_{what}";
            config["availability_topic"] = topics.Availability;
            config["device"] = new JsonObject
            {
                ["identifiers"] = new JsonArray($"spotter_{topics.Id}"),
                ["name"] = name,
                ["manufacturer"] = "Spotter",
                ["sw_version"] = Version,
            };
            config["origin"] = new JsonObject { ["name"] = "Spotter", ["sw_version"] = Version };
            return new($"{Prefix}/{component}/spotter_{topics.Id}/{what}/config", config.ToJsonString());
        }
    }

    private static string Version => typeof(HomeAssistant).Assembly.GetName().Version is { } version ? version.ToString(3) : "0";

    /// <summary>A label within a template: a literal whose characters can end neither it nor the template.</summary>
    private static string Literal(string label) =>
        JsonSerializer.Serialize(label, WatchJson.Default.String)
            .Replace("{", "\\u007B", StringComparison.Ordinal).Replace("}", "\\u007D", StringComparison.Ordinal).Replace("%", "\\u0025", StringComparison.Ordinal);
}
