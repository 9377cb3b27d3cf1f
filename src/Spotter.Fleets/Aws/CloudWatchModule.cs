using Spotter.Core.Settings;
using Spotter.Scaling.Publishing;

namespace Spotter.Fleets.Aws;

/// <summary>Metrics in CloudWatch, for a policy of an Auto Scaling group.</summary>
internal sealed class CloudWatchModule : IMetricSinkModule
{
    private static readonly Setting<string> Namespace = new("publish.namespace", "The namespace of the metrics.", SettingValues.Text("NAME"), "Spotter") { Flag = "--publish-namespace" };

    private static readonly Setting<(string Name, string Value)> Dimensions = new(
        "publish.dimensions", "A dimension of the metrics.", new("a text like Name=Value", "NAME=VALUE", Divide) { Write = d => $"{d.Name}={d.Value}" }, default)
    { Flag = "--publish-dimension", IsList = true };

    private static readonly Setting<string?> Group = new(
        "publish.group", "The Auto Scaling group whose desired capacity counts as the number of instances. Default: the workers that this gateway knows.", SettingValues.OptionalText("NAME"), null)
    { Flag = "--publish-group" };

    private static readonly Setting<string?> Region = new(
        "publish.region", "The region. Default: what the environment, the profile or the machine says.", SettingValues.OptionalText("REGION"), null) { Flag = "--publish-region" };

    private static readonly Setting<string?> Endpoint = new(
        "publish.endpoint", "A server that speaks as Amazon's do, for tests. Default: Amazon's.", SettingValues.HttpAddress, null) { Flag = "--publish-endpoint" };

    public string Name => "cloudwatch";

    public IReadOnlyList<Setting> Settings { get; } = [Namespace, Dimensions, Group, Region, Endpoint];

    public IMetricSink Create(SettingReader settings, TimeProvider time)
    {
        var place = new AwsPlace { Region = settings.Get(Region), Endpoint = settings.Get(Endpoint) is { } endpoint ? new Uri(endpoint) : null };
        return new CloudWatchSink(place, settings.Get(Namespace), settings.GetList(Dimensions), settings.Get(Group), time);
    }

    private static (bool, (string, string)) Divide(string text) =>
        text.Split('=', 2) is [{ Length: > 0 } name, { Length: > 0 } value] ? (true, (name, value)) : (false, default);
}
