namespace Spotter.Fleets.Aws;

/// <summary>A service of Amazon's that speaks the Query protocol.</summary>
/// <param name="Name">What people call it.</param>
/// <param name="Id">What the SDK calls it, as in AWS_ENDPOINT_URL_ID.</param>
/// <param name="Host">The first part of its host's name, also the name for which requests are signed.</param>
/// <param name="Version">The version of its API.</param>
internal sealed record AwsQueryService(string Name, string Id, string Host, string Version)
{
    public static AwsQueryService AutoScaling { get; } = new("Auto Scaling", "Auto Scaling", "autoscaling", "2011-01-01");

    public static AwsQueryService Ec2 { get; } = new("EC2", "EC2", "ec2", "2016-11-15");

    public static AwsQueryService CloudWatch { get; } = new("CloudWatch", "CloudWatch", "monitoring", "2010-08-01");
}
