using System.Globalization;
using Spotter.Fleets.Aws;
using Spotter.Scaling.Publishing;

namespace Spotter.Tests.Aws;

[NeedsMoto]
[Collection(Moto.Name)]
public sealed class CloudWatchSinkTests(Moto moto) : IDisposable
{
    private readonly MotoGroup group = new(moto);

    public void Dispose() => group.Dispose();

    [Fact]
    public async Task What_is_published_is_what_CloudWatch_then_says()
    {
        using var sink = new CloudWatchSink(group.Place, group.Name, [("Group", group.Name), ("Stage", "test & trial")], groupName: null, TimeProvider.System);

        await sink.PublishAsync(new BacklogMetrics(100, 7, TimeSpan.FromSeconds(12.5), 3, 100 / 3.0), default);

        (await ValueAsync("BacklogPerInstance")).ShouldBe(33.333, 0.001);
        (await ValueAsync("QueuedJobs")).ShouldBe(100);
        (await ValueAsync("RunningJobs")).ShouldBe(7);
        (await ValueAsync("OldestJobAge")).ShouldBe(12.5);
        (await ValueAsync("DesiredInstances")).ShouldBe(3);
    }

    [Fact]
    public async Task The_group_s_desired_capacity_counts_where_a_group_is_named()
    {
        await group.MakeAsync();
        await group.CallAsync("SetDesiredCapacity", ("DesiredCapacity", "4"));
        using var sink = new CloudWatchSink(group.Place, group.Name, [], group.Name, TimeProvider.System);

        (await sink.DesiredAsync(default)).ShouldBe(4);
    }

    private async Task<double> ValueAsync(string metric)
    {
        var now = TimeProvider.System.GetUtcNow();
        string At(int minutes) => now.AddMinutes(minutes).ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
        var root = await group.Open(AwsQueryService.CloudWatch).CallAsync(
            "GetMetricStatistics",
            [
                ("Namespace", group.Name), ("MetricName", metric), ("StartTime", At(-10)), ("EndTime", At(10)), ("Period", "3600"), ("Statistics.member.1", "Maximum"),
                ("Dimensions.member.1.Name", "Group"), ("Dimensions.member.1.Value", group.Name), ("Dimensions.member.2.Name", "Stage"), ("Dimensions.member.2.Value", "test & trial"),
            ],
            default);
        return double.Parse(root.Descendants(root.Name.Namespace + "Maximum").ShouldHaveSingleItem().Value, CultureInfo.InvariantCulture);
    }
}
