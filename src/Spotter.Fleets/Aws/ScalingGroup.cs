using System.Globalization;
using System.Xml.Linq;
using Spotter.Core;

namespace Spotter.Fleets.Aws;

/// <summary>An instance of a group.</summary>
/// <param name="Id">Its id, as <c>i-0123456789abcdef0</c>.</param>
/// <param name="State">Where it is in its life, as <c>Pending</c>, <c>InService</c> or <c>Terminating:Wait</c>.</param>
/// <param name="IsProtected">True when the group may not choose it where it lets instances go.</param>
internal sealed record GroupInstance(string Id, string State, bool IsProtected)
{
    /// <summary>True once it is being ended, by whomever.</summary>
    public bool IsTerminating => State.StartsWith("Terminat", StringComparison.Ordinal);

    /// <summary>True while a lifecycle hook keeps it from being ended.</summary>
    public bool WaitsToTerminate => State == "Terminating:Wait";

    /// <summary>True while it is only prepared, in the group's warm pool: it is no worker before the group takes it from there.</summary>
    public bool IsWarm => State.StartsWith("Warmed", StringComparison.Ordinal);

    /// <summary>True once nothing runs on it any more, or it is no longer the group's.</summary>
    public bool IsGone => State is "Terminated" or "Terminating:Proceed" or "Detaching" or "Detached";
}

/// <summary>How a group stands.</summary>
/// <param name="Min">Fewest instances that it may have.</param>
/// <param name="Max">Most instances that it may have.</param>
/// <param name="Desired">How many it is to have.</param>
/// <param name="ProtectsNew">True when new instances are protected from the beginning.</param>
/// <param name="Instances">Those it has; those of its warm pool are not among them.</param>
internal sealed record GroupState(int Min, int Max, int Desired, bool ProtectsNew, IReadOnlyList<GroupInstance> Instances)
{
    /// <summary>Those that boot or work.</summary>
    public IEnumerable<GroupInstance> Staying => Instances.Where(i => !i.IsTerminating && !i.IsGone);
}

/// <summary>The calls for one Auto Scaling group. Each throws a <see cref="SpotterException"/> that says in one sentence why it failed.</summary>
internal sealed class ScalingGroup(AwsQueryClient client, string name)
{
    // The service takes no more in one call.
    private const int MostAtOnce = 50;

    public string Name => name;

    public async Task<GroupState> DescribeAsync(CancellationToken cancel)
    {
        var root = await client.CallAsync("DescribeAutoScalingGroups", [("AutoScalingGroupNames.member.1", name)], cancel);
        XName In(string tag) => root.Name.Namespace + tag;
        var group = root.Descendants(In("AutoScalingGroups")).Elements(In("member")).FirstOrDefault()
            ?? throw new SpotterException(ErrorCodes.StoreUnavailable, $"There is no Auto Scaling group '{name}' in this region; make it, or correct the group's name or the region.");
        int Number(string tag) => int.Parse(group.Element(In(tag))!.Value, CultureInfo.InvariantCulture);
        bool IsTrue(XElement of, string tag) => string.Equals(of.Element(In(tag))?.Value, "true", StringComparison.OrdinalIgnoreCase);
        return new GroupState(
            Number("MinSize"), Number("MaxSize"), Number("DesiredCapacity"), IsTrue(group, "NewInstancesProtectedFromScaleIn"),
            [
                .. group.Elements(In("Instances")).Elements(In("member"))
                    .Select(i => new GroupInstance(i.Element(In("InstanceId"))!.Value, i.Element(In("LifecycleState"))!.Value, IsTrue(i, "ProtectedFromScaleIn")))
                    .Where(i => !i.IsWarm),
            ]);
    }

    public Task SetDesiredAsync(int desired, CancellationToken cancel) =>
        CallAsync("SetDesiredCapacity", [("DesiredCapacity", desired.ToString(CultureInfo.InvariantCulture)), ("HonorCooldown", "false")], cancel);

    /// <summary>Has new instances protected from the beginning.</summary>
    public Task ProtectNewAsync(CancellationToken cancel) => CallAsync("UpdateAutoScalingGroup", [("NewInstancesProtectedFromScaleIn", "true")], cancel);

    public async Task ProtectAsync(IEnumerable<string> instances, bool isProtected, CancellationToken cancel)
    {
        foreach (var some in instances.Chunk(MostAtOnce))
        {
            await CallAsync(
                "SetInstanceProtection",
                [
                    ("ProtectedFromScaleIn", isProtected ? "true" : "false"),
                    .. some.Select((id, i) => (string.Create(CultureInfo.InvariantCulture, $"InstanceIds.member.{i + 1}"), id)),
                ],
                cancel);
        }
    }

    /// <summary>Ends this very instance, and has the group want one less.</summary>
    public Task TerminateAsync(string instance, CancellationToken cancel) =>
        client.CallAsync("TerminateInstanceInAutoScalingGroup", [("InstanceId", instance), ("ShouldDecrementDesiredCapacity", "true")], cancel);

    /// <summary>Has the group go on with an instance that a lifecycle hook holds.</summary>
    public Task ContinueAsync(string hook, string instance, CancellationToken cancel) =>
        CallAsync("CompleteLifecycleAction", [("LifecycleHookName", hook), ("LifecycleActionResult", "CONTINUE"), ("InstanceId", instance)], cancel);

    private Task CallAsync(string action, IEnumerable<(string, string)> parameters, CancellationToken cancel) =>
        client.CallAsync(action, [("AutoScalingGroupName", name), .. parameters], cancel);
}
