using System.Text.Json;
using Spotter.Cli.Watch;

namespace Spotter.Tests.Cli.Watch;

public sealed class MqttTests
{
    private static readonly MqttTopics Topics = new("spotter", "front_door");

    [Theory]
    [InlineData("mqtt://broker", "broker", 1883, false, null, null)]
    [InlineData("mqtt://broker:1884/", "broker", 1884, false, null, null)]
    [InlineData("mqtts://broker", "broker", 8883, true, null, null)]
    [InlineData("mqtts://ha:p%40ss%3A@10.0.0.2:1", "10.0.0.2", 1, true, "ha", "p@ss:")]
    [InlineData("mqtt://ha@broker", "broker", 1883, false, "ha", "")]
    public void A_broker_s_address_is_read_and_its_password_not_shown(string text, string host, int port, bool isSecure, string? user, string? password)
    {
        var address = MqttAddress.TryParse(text)!;

        (address.Host, address.Port, address.IsSecure, address.Credentials?.UserName, address.Credentials?.Password).ShouldBe((host, port, isSecure, user, password));
        address.ToString().ShouldBe($"the broker {(isSecure ? "mqtts" : "mqtt")}://{host}:{port}");
    }

    [Theory]
    [InlineData("broker:1883")]
    [InlineData("http://broker")]
    [InlineData("mqtt://")]
    [InlineData("mqtt://broker/topic")]
    public void Anything_else_is_no_broker(string text) => MqttAddress.TryParse(text).ShouldBeNull();

    [Theory]
    [InlineData("Front Door", "front_door")]
    [InlineData("10.0.0.5", "10_0_0_5")]
    [InlineData("Einfahrt Süd/+#", "einfahrt_s_d")]
    [InlineData("cam-1", "cam-1")]
    [InlineData("東", null)]
    public void A_name_becomes_a_level_of_topics(string name, string? id) => MqttTopics.IdOf(name).ShouldBe(id);

    [Theory]
    [InlineData("spotter", true)]
    [InlineData("home/cameras", true)]
    [InlineData("", false)]
    [InlineData("/a", false)]
    [InlineData("a/", false)]
    [InlineData("a/+", false)]
    [InlineData("a#", false)]
    [InlineData("$SYS", false)]
    public void A_prefix_is_a_topic(string text, bool isOne) => MqttTopics.IsPrefix(text).ShouldBe(isOne);

    [Fact]
    public void Home_Assistant_is_told_of_one_device()
    {
        var messages = HomeAssistant.Discovery("Front Door", Topics, ["person", "traffic light"], hasImage: true);

        messages.Select(m => m.Topic).ShouldBe(
        [
            "homeassistant/sensor/spotter_front_door/objects/config",
            "homeassistant/binary_sensor/spotter_front_door/person_occupancy/config",
            "homeassistant/binary_sensor/spotter_front_door/traffic_light_occupancy/config",
            "homeassistant/image/spotter_front_door/picture/config",
        ]);
        var configs = messages.Select(m => JsonDocument.Parse(m.Payload).RootElement).ToList();
        configs.ShouldAllBe(c => c.GetProperty("device").GetProperty("identifiers")[0].GetString() == "spotter_front_door");
        configs.ShouldAllBe(c => c.GetProperty("device").GetProperty("name").GetString() == "Front Door");
        configs.ShouldAllBe(c => c.GetProperty("availability_topic").GetString() == "spotter/front_door/availability");
        configs.Select(c => c.GetProperty("unique_id").GetString()).Distinct(StringComparer.Ordinal).Count().ShouldBe(4);
        Text(configs[0], "state_topic").ShouldBe("spotter/front_door/state");
        Text(configs[0], "value_template").ShouldBe("{{ value_json.count }}");
        Text(configs[1], "device_class").ShouldBe("occupancy");
        Text(configs[1], "value_template").ShouldBe("{{ 'ON' if value_json.counts.get(\"person\", 0) > 0 else 'OFF' }}");
        Text(configs[3], "image_topic").ShouldBe("spotter/front_door/image");
    }

    [Fact]
    public void Without_labels_there_is_an_occupancy_of_persons_and_without_pictures_no_picture() =>
        HomeAssistant.Discovery("x", new("spotter", "x"), [], hasImage: false).Select(m => m.Topic).ShouldBe(
            ["homeassistant/sensor/spotter_x/objects/config", "homeassistant/binary_sensor/spotter_x/person_occupancy/config"]);

    [Fact]
    public void A_label_ends_no_template()
    {
        var config = JsonDocument.Parse(HomeAssistant.Discovery("x", Topics, ["a\"'}} {{ evil }} {% x %}"], hasImage: false)[1].Payload).RootElement;

        var template = Text(config, "value_template")!;
        template.Split("{{").Length.ShouldBe(2);
        template.Split("}}").Length.ShouldBe(2);
        template.ShouldNotContain("{%");
        template.Count(c => c == '"').ShouldBe(2);
        template.Count(c => c == '\'').ShouldBe(4);
    }

    private static string? Text(JsonElement config, string name) => config.GetProperty(name).GetString();
}
