using System.Globalization;
using System.Xml.Linq;
using Spotter.Core;

namespace Spotter.Fleets.Aws;

/// <summary>A machine of a pool.</summary>
/// <param name="Id">Its id, as <c>i-0123456789abcdef0</c>.</param>
/// <param name="Number">The number in its name; null when it has another name.</param>
/// <param name="State">Where it is in its life, as <c>pending</c>, <c>running</c> or <c>shutting-down</c>.</param>
/// <param name="Token">What it was launched by.</param>
/// <param name="LaunchedAt">When that was, by EC2's clock.</param>
internal sealed record PoolMachine(string Id, int? Number, string State, string Token, DateTimeOffset LaunchedAt)
{
    /// <summary>True while it boots or works; one that somebody has stopped may do so again.</summary>
    public bool IsUp => State is "pending" or "running";

    /// <summary>True once it is being ended, by whomever.</summary>
    public bool IsEnding => State is "shutting-down" or "terminated";
}

/// <summary>One machine that is to be launched.</summary>
/// <param name="Number">The number in its name.</param>
/// <param name="Place">What it is to be, and where.</param>
/// <param name="Token">What EC2 knows it by when it is asked again.</param>
/// <param name="BegunAt">When it was first asked for.</param>
internal sealed record MachineLaunch(int Number, LaunchPlace Place, string Token, long BegunAt);

/// <summary>
/// The calls for the EC2 machines with one value of the tag <c>spotter:pool</c>, all of one launch template. Each throws a
/// <see cref="SpotterException"/> that says in one sentence why it failed.
/// </summary>
/// <param name="client">EC2's.</param>
/// <param name="name">The tag's value, with which the machines' names begin.</param>
/// <param name="template">The launch template's id or name.</param>
internal sealed class Ec2Pool(AwsQueryClient client, string name, string template)
{
    private const string Tag = "spotter:pool";
    private const int MostAtOnce = 1000;

    // Those that have ended are listed for an hour, and nobody needs them.
    private static readonly string[] States = ["pending", "running", "shutting-down", "stopping", "stopped"];

    /// <summary>The tag's value.</summary>
    public string Name => name;

    /// <summary>All that have not ended, whoever launched them. One that was launched some seconds ago may be missing.</summary>
    public async Task<IReadOnlyList<PoolMachine>> DescribeAsync(CancellationToken cancel)
    {
        var machines = new List<PoolMachine>();
        string? next = null;
        do
        {
            var page = await client.CallAsync(
                "DescribeInstances",
                [
                    ("Filter.1.Name", $"tag:{Tag}"), ("Filter.1.Value.1", name),
                    ("Filter.2.Name", "instance-state-name"), .. States.Select((state, i) => (Numbered("Filter.2.Value", i), state)),
                    ("MaxResults", MostAtOnce.ToString(CultureInfo.InvariantCulture)), .. next is null ? [] : new[] { ("NextToken", next) },
                ],
                cancel);
            machines.AddRange(Machines(page));
            next = Text(page, "nextToken");
        }
        while (next is { Length: > 0 });
        return machines;
    }

    /// <summary>Launches a machine. Asked again with the same launch, EC2 names the one that it has launched already.</summary>
    public async Task<PoolMachine> LaunchAsync(MachineLaunch launch, CancellationToken cancel)
    {
        List<(string, string)> parameters =
        [
            (template.StartsWith("lt-", StringComparison.Ordinal) ? "LaunchTemplate.LaunchTemplateId" : "LaunchTemplate.LaunchTemplateName", template),
            ("LaunchTemplate.Version", "$Latest"), ("MinCount", "1"), ("MaxCount", "1"), ("ClientToken", launch.Token),
            // One that shuts itself down is not to lie there and cost its disk.
            ("InstanceInitiatedShutdownBehavior", "terminate"),
            ("TagSpecification.1.ResourceType", "instance"),
            ("TagSpecification.1.Tag.1.Key", "Name"), ("TagSpecification.1.Tag.1.Value", string.Create(CultureInfo.InvariantCulture, $"{name}-{launch.Number}")),
            ("TagSpecification.1.Tag.2.Key", Tag), ("TagSpecification.1.Tag.2.Value", name),
        ];
        if (launch.Place.Type is { } type)
            parameters.Add(("InstanceType", type));
        if (launch.Place.Subnet is { } subnet)
            parameters.Add(("SubnetId", subnet));
        try
        {
            return Machines(await client.CallAsync("RunInstances", parameters, cancel)).First();
        }
        catch (SpotterException error)
        {
            throw Refusal(error, launch.Place) is { } sentence ? new SpotterException(error.Code, sentence, error.InnerException) : error;
        }
    }

    /// <summary>Ends a machine; false when EC2 doesn't know it, or not yet.</summary>
    public async Task<bool> TerminateAsync(string machine, CancellationToken cancel)
    {
        try
        {
            await client.CallAsync("TerminateInstances", [("InstanceId.1", machine)], cancel);
            return true;
        }
        catch (SpotterException error) when (AwsQueryFaults.CodeOf(error) == "InvalidInstanceID.NotFound")
        {
            return false;
        }
    }

    /// <summary>What the operator has to correct, by name; null where the sentence there is says it.</summary>
    private string? Refusal(SpotterException error, LaunchPlace place) => AwsQueryFaults.CodeOf(error) switch
    {
        "InvalidLaunchTemplateId.NotFound" or "InvalidLaunchTemplateId.Malformed" or "InvalidLaunchTemplateName.NotFoundException" =>
            $"There is no launch template '{template}' in this region; make it, or correct the template or the region of the pool.",
        "InvalidSubnetID.NotFound" or "InvalidSubnetID.Malformed" or "InvalidSubnet" =>
            $"There is no subnet '{place.Subnet}' in this region; correct the subnets or the region of the pool.",
        "InvalidParameterCombination" when place.Subnet is not null =>
            $"EC2 takes no subnet for the launch template '{template}'; have it name security groups instead of network interfaces, or leave out the subnets of the pool.",
        _ => null,
    };

    private IEnumerable<PoolMachine> Machines(XElement root)
    {
        XName In(string tag) => root.Name.Namespace + tag;
        return root.Descendants(In("instancesSet")).Elements(In("item")).Select(i => new PoolMachine(
            Text(i, "instanceId")!,
            NumberOf(i.Elements(In("tagSet")).Elements(In("item")).Where(t => Text(t, "key") == "Name").Select(t => Text(t, "value")).FirstOrDefault()),
            Text(i.Element(In("instanceState"))!, "name")!,
            Text(i, "clientToken") ?? "",
            DateTimeOffset.Parse(Text(i, "launchTime")!, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal)));
    }

    private int? NumberOf(string? given) =>
        given is not null && given.StartsWith($"{name}-", StringComparison.Ordinal) && int.TryParse(given.AsSpan(name.Length + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number : null;

    private static string? Text(XElement parent, string tag) => parent.Element(parent.Name.Namespace + tag)?.Value;

    private static string Numbered(string key, int index) => string.Create(CultureInfo.InvariantCulture, $"{key}.{index + 1}");
}
