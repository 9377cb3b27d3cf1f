using System.Globalization;
using System.Xml.Linq;
using Amazon.Runtime;
using Spotter.Core;
using Spotter.Fleets.Aws;

namespace Spotter.Tests.Aws;

/// <summary>An Auto Scaling group of its own, with a launch template, in moto.</summary>
internal sealed class MotoGroup(Moto moto) : IDisposable
{
    private readonly List<AwsQueryClient> clients = [];
    private AwsQueryClient? autoScaling;

    public string Name { get; } = "g" + RandomSource.System.NextHex(8);

    public AwsPlace Place => new() { Endpoint = moto.Server.Address, Region = "eu-central-1", Credentials = new BasicAWSCredentials("testing", "testing") };

    public ScalingGroup Group => new(AutoScaling, Name);

    private AwsQueryClient AutoScaling => autoScaling ??= Open(AwsQueryService.AutoScaling);

    public AwsQueryClient Open(AwsQueryService service)
    {
        var client = AwsQueryClient.Open(service, Place);
        clients.Add(client);
        return client;
    }

    /// <summary>Makes it, without instances.</summary>
    public async Task MakeAsync(int min = 0, int max = 10)
    {
        var ec2 = Open(new AwsQueryService("EC2", "EC2", "ec2", "2016-11-15"));
        await ec2.CallAsync(
            "CreateLaunchTemplate",
            [("LaunchTemplateName", Name), ("LaunchTemplateData.ImageId", "ami-12c6146b"), ("LaunchTemplateData.InstanceType", "t3.micro")], default);
        await CallAsync(
            "CreateAutoScalingGroup", ("LaunchTemplate.LaunchTemplateName", Name), ("LaunchTemplate.Version", "$Latest"), ("AvailabilityZones.member.1", "eu-central-1a"),
            ("MinSize", Text(min)), ("MaxSize", Text(max)), ("DesiredCapacity", Text(min)));
    }

    /// <summary>Calls an action on the group, past what is tested.</summary>
    public Task<XElement> CallAsync(string action, params IReadOnlyList<(string, string)> parameters) =>
        AutoScaling.CallAsync(action, [("AutoScalingGroupName", Name), .. parameters], default);

    public void Dispose() => clients.ForEach(c => c.Dispose());

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
