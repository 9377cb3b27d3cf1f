using System.Xml.Linq;

namespace Spotter.EndToEnd.Aws;

/// <summary>A machine of a pool in moto.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Name">Its name.</param>
/// <param name="IsUp">True while it has not been ended.</param>
/// <param name="Type">Its instance type.</param>
/// <param name="Subnet">Where it stands.</param>
internal sealed record MotoMachine(string Id, string Name, bool IsUp, string Type, string Subnet);

/// <summary>A launch template and two subnets in moto, and the machines that are launched from it. Those are only names there.</summary>
internal sealed class MotoPool(MotoServer moto) : IDisposable
{
    /// <summary>The tag's value.</summary>
    public const string Name = "spotter";

    private readonly MotoQuery query = new(moto);

    /// <summary>The template's id.</summary>
    public string Template { get; private set; } = "";

    /// <summary>The subnets' ids.</summary>
    public IReadOnlyList<string> Subnets { get; private set; } = [];

    /// <summary>Makes it, with tags as the stack's has them.</summary>
    public async Task MakeAsync()
    {
        Template = MotoQuery.Values(
            await Ec2Async(
                "CreateLaunchTemplate",
                ("LaunchTemplateName", "workers"), ("LaunchTemplateData.ImageId", "ami-12c6146b"), ("LaunchTemplateData.InstanceType", "t3.micro"),
                ("LaunchTemplateData.TagSpecification.1.ResourceType", "instance"),
                ("LaunchTemplateData.TagSpecification.1.Tag.1.Key", "Name"), ("LaunchTemplateData.TagSpecification.1.Tag.1.Value", "spotter-worker"),
                ("LaunchTemplateData.TagSpecification.1.Tag.2.Key", "spotter:pool"), ("LaunchTemplateData.TagSpecification.1.Tag.2.Value", Name)),
            "launchTemplateId").Single();
        Subnets = [.. MotoQuery.Values(await Ec2Async("DescribeSubnets"), "subnetId").Take(2)];
    }

    /// <summary>All machines that there ever were, of the pool or not.</summary>
    public async Task<IReadOnlyList<MotoMachine>> MachinesAsync() =>
    [
        .. (await Ec2Async("DescribeInstances", ("MaxResults", "1000"))).Descendants().Where(e => e.Name.LocalName == "instancesSet").Elements().Select(i => new MotoMachine(
            Text(i, "instanceId"), NameOf(i), Text(Child(i, "instanceState")!, "name") is "pending" or "running", Text(i, "instanceType"), Text(i, "subnetId"))),
    ];

    /// <summary>The ids of those that have not been ended.</summary>
    public async Task<IReadOnlyList<string>> UpAsync() => [.. (await MachinesAsync()).Where(m => m.IsUp).Select(m => m.Id)];

    public void Dispose() => query.Dispose();

    private Task<XElement> Ec2Async(string action, params IEnumerable<(string, string)> parameters) => query.CallAsync("ec2", "2016-11-15", action, parameters);

    private static string NameOf(XElement instance) => Child(instance, "tagSet")!.Elements().Where(t => Text(t, "key") == "Name").Select(t => Text(t, "value")).Single();

    private static XElement? Child(XElement of, string name) => of.Elements().FirstOrDefault(e => e.Name.LocalName == name);

    private static string Text(XElement of, string name) => Child(of, name)?.Value ?? "";
}
