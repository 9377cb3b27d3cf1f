using System.Globalization;
using System.Xml.Linq;

namespace Spotter.EndToEnd.Aws;

/// <summary>An Auto Scaling group in moto, called past Spotter. Its instances are only names there.</summary>
internal sealed class MotoGroup(MotoServer moto) : IDisposable
{
    public const string Name = "workers";

    private readonly MotoQuery query = new(moto);

    /// <summary>Makes it, without instances.</summary>
    public async Task MakeAsync(int max)
    {
        await query.CallAsync(
            "ec2", "2016-11-15", "CreateLaunchTemplate",
            ("LaunchTemplateName", Name), ("LaunchTemplateData.ImageId", "ami-12c6146b"), ("LaunchTemplateData.InstanceType", "t3.micro"));
        await AutoScalingAsync(
            "CreateAutoScalingGroup",
            ("LaunchTemplate.LaunchTemplateName", Name), ("LaunchTemplate.Version", "$Latest"), ("AvailabilityZones.member.1", $"{MotoQuery.Region}a"), ("MinSize", "0"),
            ("MaxSize", max.ToString(CultureInfo.InvariantCulture)), ("DesiredCapacity", "0"));
    }

    /// <summary>How many instances it is to have, and those that it has.</summary>
    public async Task<(int Desired, IReadOnlyList<string> Instances)> DescribeAsync()
    {
        var group = await AutoScalingAsync("DescribeAutoScalingGroups");
        return (int.Parse(MotoQuery.Values(group, "DesiredCapacity").Single(), CultureInfo.InvariantCulture), MotoQuery.Values(group, "InstanceId"));
    }

    /// <summary>The metrics of Spotter, each as <c>Namespace/Name Dimension=Value</c>.</summary>
    public async Task<IReadOnlyList<string>> MetricsAsync()
    {
        var listed = await query.CallAsync("monitoring", "2010-08-01", "ListMetrics", ("Namespace", "Spotter"));
        return [.. listed.Descendants().Where(e => e.Name.LocalName == "MetricName").Select(e => e.Parent!)
            .Select(m => $"{MotoQuery.Values(m, "Namespace").Single()}/{MotoQuery.Values(m, "MetricName").Single()} {string.Join(',', MotoQuery.Values(m, "Name").Zip(MotoQuery.Values(m, "Value"), (n, v) => $"{n}={v}"))}").Order(StringComparer.Ordinal)];
    }

    /// <summary>The largest value of a metric in the last ten minutes; null when there is none.</summary>
    public async Task<double?> MaximumAsync(string metric)
    {
        static string Text(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
        var now = TimeProvider.System.GetUtcNow();
        var found = await query.CallAsync(
            "monitoring", "2010-08-01", "GetMetricStatistics",
            ("Namespace", "Spotter"), ("MetricName", metric), ("Dimensions.member.1.Name", "AutoScalingGroupName"), ("Dimensions.member.1.Value", Name),
            ("StartTime", Text(now.AddMinutes(-9))), ("EndTime", Text(now.AddMinutes(1))), ("Period", "600"), ("Statistics.member.1", "Maximum"));
        return MotoQuery.Values(found, "Maximum").Select(v => (double?)double.Parse(v, CultureInfo.InvariantCulture)).Max();
    }

    public void Dispose() => query.Dispose();

    private Task<XElement> AutoScalingAsync(string action, params IEnumerable<(string, string)> parameters) =>
        query.CallAsync("autoscaling", "2011-01-01", action, [(action.StartsWith("Describe", StringComparison.Ordinal) ? "AutoScalingGroupNames.member.1" : "AutoScalingGroupName", Name), .. parameters]);
}
