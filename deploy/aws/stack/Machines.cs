using Amazon.CDK;
using Amazon.CDK.AWS.EC2;
using Amazon.CDK.AWS.IAM;
using Amazon.CDK.AWS.Logs;
using Constructs;

namespace Spotter.Cloud;

/// <summary>What machines of one role are like.</summary>
/// <param name="Role">The role, as parts of the stack are called.</param>
/// <param name="Command">The program's command.</param>
/// <param name="InstanceType">The type, where no group chooses among several.</param>
/// <param name="SecurityGroup">Who may connect.</param>
/// <param name="Environment">What the program is told.</param>
/// <param name="Secrets">Files of secrets, and the secrets' names.</param>
/// <param name="Group">The group's name in the template, for what a rolling update waits for.</param>
/// <param name="ReadyHook">The lifecycle hook that waits for a machine to be ready; null when there is none.</param>
internal sealed record MachineKind(
    string Role, string Command, string InstanceType, SecurityGroup SecurityGroup,
    IReadOnlyDictionary<string, string> Environment, IReadOnlyDictionary<string, string> Secrets, string Group, string? ReadyHook = null);

/// <summary>A launch template with the role, the log and the first start of its machines.</summary>
internal sealed class Machines : Construct
{
    public Machines(Construct scope, string id, StackSettings settings, MachineKind kind)
        : base(scope, id)
    {
        var stack = SpotterStack.Of(this);
        var log = $"/spotter/{settings.Name}/{kind.Role}";
        _ = new CfnLogGroup(this, "Log", new CfnLogGroupProps { LogGroupName = log, RetentionInDays = settings.LogDays }).With(RemovalPolicy.DESTROY);
        Role = new Role(this, "Role", new RoleProps
        {
            AssumedBy = new ServicePrincipal("ec2.amazonaws.com"),
            Description = $"What a {kind.Role} of {settings.Name} may do",
        });
        foreach (var statement in (IEnumerable<PolicyStatement>)
            [Permissions.Release(stack.ReleaseBucket, stack.ReleaseKey), Permissions.Log(log), Permissions.Metrics(), .. Permissions.Secrets([.. kind.Secrets.Values])])
            Role.AddToPolicy(statement);
        var profile = new CfnInstanceProfile(this, "Profile", new CfnInstanceProfileProps { Roles = [Role.RoleName] });
        Template = new CfnLaunchTemplate(this, "Template", new CfnLaunchTemplateProps
        {
            LaunchTemplateData = new CfnLaunchTemplate.LaunchTemplateDataProperty
            {
                ImageId = stack.ImageId,
                InstanceType = kind.InstanceType,
                IamInstanceProfile = new CfnLaunchTemplate.IamInstanceProfileProperty { Arn = profile.AttrArn },
                // Version 2 only, and no further than the machine itself: what makes a process fetch an address gets no credentials.
                MetadataOptions = new CfnLaunchTemplate.MetadataOptionsProperty { HttpEndpoint = "enabled", HttpTokens = "required", HttpPutResponseHopLimit = 1 },
                // No network interface: whoever launches a machine names its subnet, which says whether it has a public address.
                SecurityGroupIds = [kind.SecurityGroup.SecurityGroupId],
                BlockDeviceMappings = new[]
                {
                    new CfnLaunchTemplate.BlockDeviceMappingProperty
                    {
                        DeviceName = "/dev/xvda",
                        Ebs = new CfnLaunchTemplate.EbsProperty { VolumeSize = 16, VolumeType = "gp3", Encrypted = true, DeleteOnTermination = true },
                    },
                },
                TagSpecifications = new[]
                {
                    new CfnLaunchTemplate.TagSpecificationProperty { ResourceType = "instance", Tags = TagsOf(settings, kind) },
                    new CfnLaunchTemplate.TagSpecificationProperty { ResourceType = "volume", Tags = TagsOf(settings, kind) },
                },
                UserData = Fn.Base64(UserDataOf(settings, kind, log, stack)),
            },
        });
        // A machine may start only when it may do what it needs, and must not lose that before it has ended.
        if (Role.Node.TryFindChild("DefaultPolicy") is { } policy)
            Template.Node.AddDependency(policy);
    }

    public Role Role { get; }

    public CfnLaunchTemplate Template { get; }

    private static CfnTag[] TagsOf(StackSettings settings, MachineKind kind)
    {
        List<CfnTag> tags = [new() { Key = "Name", Value = $"{settings.Name}-{kind.Role}" }, new() { Key = "spotter:stack", Value = settings.Name }];
        // The controller may end machines with this tag and no others.
        if (kind.Role == "worker" && settings.Scaling == ScalingMode.Pool)
            tags.Add(new CfnTag { Key = "spotter:pool", Value = settings.Name });
        return [.. tags];
    }

    private static string UserDataOf(StackSettings settings, MachineKind kind, string log, SpotterStack stack) =>
        $"""
        #!/bin/bash
        role={kind.Role}
        command={kind.Command}
        stack={settings.Name}
        group={kind.Group}
        ready_hook={kind.ReadyHook}
        region={Aws.REGION}
        port={Network.GatewayPort}
        log_group={log}
        release=s3://{stack.ReleaseBucket}/{stack.ReleaseKey}
        release_sha256={stack.ReleaseSha256}
        environment='{string.Join('\n', kind.Environment.Select(e => $"{e.Key}={e.Value}"))}'
        secrets='{string.Join('\n', kind.Secrets.Select(s => $"{s.Key} {s.Value}"))}'

        {BootScript}
        """;

    private static string BootScript
    {
        get
        {
            using var reader = new StreamReader(typeof(Machines).Assembly.GetManifestResourceStream("boot.sh")!);
            return reader.ReadToEnd().TrimEnd() + "\n";
        }
    }
}

/// <summary>Small words for what is said often.</summary>
internal static class ResourceWords
{
    /// <summary>Says what becomes of a resource when the stack goes.</summary>
    public static T With<T>(this T resource, RemovalPolicy policy)
        where T : CfnResource
    {
        resource.ApplyRemovalPolicy(policy);
        return resource;
    }
}
