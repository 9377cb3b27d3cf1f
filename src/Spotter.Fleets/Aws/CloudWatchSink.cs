using System.Globalization;
using Spotter.Scaling.Publishing;

namespace Spotter.Fleets.Aws;

/// <summary>Sends metrics to CloudWatch.</summary>
internal sealed class CloudWatchSink : IMetricSink, IDisposable
{
    private readonly string space;
    private readonly IReadOnlyList<(string Name, string Value)> dimensions;
    private readonly TimeProvider time;
    private readonly AwsQueryClient cloudWatch;
    private readonly AwsQueryClient? autoScaling;
    private readonly ScalingGroup? group;

    /// <summary>Reaches nothing yet.</summary>
    /// <param name="place">Where the services are.</param>
    /// <param name="space">The namespace.</param>
    /// <param name="dimensions">What all metrics are told apart by.</param>
    /// <param name="groupName">The Auto Scaling group that is scaled by them; null when that is not known.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="Core.SpotterException">There is no region.</exception>
    public CloudWatchSink(AwsPlace place, string space, IReadOnlyList<(string Name, string Value)> dimensions, string? groupName, TimeProvider time)
    {
        (this.space, this.dimensions, this.time) = (space, dimensions, time);
        cloudWatch = AwsQueryClient.Open(AwsQueryService.CloudWatch, place);
        if (groupName is null)
            return;
        autoScaling = AwsQueryClient.Open(AwsQueryService.AutoScaling, place);
        group = new ScalingGroup(autoScaling, groupName);
    }

    /// <inheritdoc/>
    public async Task<int?> DesiredAsync(CancellationToken cancel) => group is null ? null : (await group.DescribeAsync(cancel)).Desired;

    /// <inheritdoc/>
    public Task PublishAsync(BacklogMetrics metrics, CancellationToken cancel)
    {
        var at = time.GetUtcNow().ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
        (string Name, string Unit, double Value)[] all =
        [
            ("BacklogPerInstance", "Count", metrics.PerInstance),
            ("QueuedJobs", "Count", metrics.Queued),
            ("RunningJobs", "Count", metrics.Running),
            ("OldestJobAge", "Seconds", metrics.OldestAge.TotalSeconds),
            ("DesiredInstances", "Count", metrics.Desired),
        ];
        var parameters = new List<(string, string)> { ("Namespace", space) };
        for (var i = 0; i < all.Length; i++)
        {
            var datum = string.Create(CultureInfo.InvariantCulture, $"MetricData.member.{i + 1}.");
            parameters.AddRange([
                (datum + "MetricName", all[i].Name), (datum + "Unit", all[i].Unit), (datum + "Timestamp", at),
                (datum + "Value", all[i].Value.ToString("R", CultureInfo.InvariantCulture)),
            ]);
            for (var d = 0; d < dimensions.Count; d++)
            {
                var dimension = string.Create(CultureInfo.InvariantCulture, $"{datum}Dimensions.member.{d + 1}.");
                parameters.AddRange([(dimension + "Name", dimensions[d].Name), (dimension + "Value", dimensions[d].Value)]);
            }
        }
        return cloudWatch.CallAsync("PutMetricData", parameters, cancel);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        cloudWatch.Dispose();
        autoScaling?.Dispose();
    }
}
