using Amazon.CDK.AWS.AutoScaling;
using Amazon.CDK.AWS.SNS;
using Constructs;

namespace Spotter.Cloud;

/// <summary>The workers: a launch template, and unless Spotter launches each itself, a group that begins with none.</summary>
internal sealed class Workers : Construct
{
    /// <summary>The hook for machines that are to end.</summary>
    public const string DrainHook = "drain";

    /// <summary>The hook for machines that start for the first time, in a warm pool, or leave it.</summary>
    public const string ReadyHook = "ready";

    public Workers(Construct scope, StackSettings settings, Network network, MachineKind kind, ITopic events)
        : base(scope, "Workers")
    {
        Machines = new Machines(this, "Machines", settings, kind);
        if (settings.Scaling == ScalingMode.Pool)
            return;
        Group = new CfnAutoScalingGroup(this, "Group", new CfnAutoScalingGroupProps
        {
            AutoScalingGroupName = GroupName(settings),
            MinSize = "0", MaxSize = $"{settings.MaxWorkers}",
            // Only where nothing would ever ask for the first one. Elsewhere an update of the stack must not set the size back.
            DesiredCapacity = settings.Scaling == ScalingMode.Cpu ? "1" : null,
            VpcZoneIdentifier = network.WorkerSubnets,
            MixedInstancesPolicy = settings.Warm > 0 ? null : Mix(settings),
            LaunchTemplate = settings.Warm > 0 ? new CfnAutoScalingGroup.LaunchTemplateSpecificationProperty
            {
                LaunchTemplateId = Machines.Template.Ref, Version = Machines.Template.AttrLatestVersionNumber,
            } : null,
            HealthCheckType = "EC2", HealthCheckGracePeriod = 120,
            // Spotter replaces an instance that is likely to be taken back, as soon as its worker says so.
            CapacityRebalance = settings.Scaling != ScalingMode.Ours && settings.OnDemandPercent < 100,
            LifecycleHookSpecificationList = Hooks(settings).ToArray() is { Length: > 0 } hooks ? hooks : null,
            // Spotter ends idle workers by name; nobody else may end a busy one.
            NewInstancesProtectedFromScaleIn = settings.Scaling == ScalingMode.Ours,
            NotificationConfigurations = settings.Scaling != ScalingMode.Cpu ? null : new[]
            {
                new CfnAutoScalingGroup.NotificationConfigurationProperty
                {
                    TopicArn = events.TopicArn,
                    NotificationTypes =
                    [
                        "autoscaling:EC2_INSTANCE_LAUNCH", "autoscaling:EC2_INSTANCE_LAUNCH_ERROR",
                        "autoscaling:EC2_INSTANCE_TERMINATE", "autoscaling:EC2_INSTANCE_TERMINATE_ERROR",
                    ],
                },
            },
        });
        if (settings.Warm > 0)
        {
            // The same twice: as many as that, however many there are besides.
            _ = new CfnWarmPool(this, "Warm", new CfnWarmPoolProps
            {
                AutoScalingGroupName = Group.Ref, PoolState = "Stopped", MinSize = settings.Warm, MaxGroupPreparedCapacity = settings.Warm,
            });
            Machines.Role.AddToPolicy(Permissions.CompleteHooks(GroupName(settings)));
        }
        if (TargetOf(settings) is { } target)
        {
            _ = new CfnScalingPolicy(this, "Policy", new CfnScalingPolicyProps
            {
                AutoScalingGroupName = Group.Ref, PolicyType = "TargetTrackingScaling", TargetTrackingConfiguration = target, EstimatedInstanceWarmup = 60,
            });
        }
    }

    public Machines Machines { get; }

    /// <summary>The group; null when Spotter launches each machine itself.</summary>
    public CfnAutoScalingGroup? Group { get; }

    /// <summary>The group's name.</summary>
    public static string GroupName(StackSettings settings) => $"{settings.Name}-workers";

    private static IEnumerable<CfnAutoScalingGroup.LifecycleHookSpecificationProperty> Hooks(StackSettings settings)
    {
        // Whoever ends a machine, its worker has time to finish. Spotter completes the hook; where it can't, the machine goes all the same.
        if (settings.Scaling == ScalingMode.Ours)
            yield return Hook(DrainHook, "autoscaling:EC2_INSTANCE_TERMINATING", 300, "CONTINUE");
        // Otherwise a machine would be stopped in the middle of its first start, which is not repeated.
        if (settings.Warm > 0)
            yield return Hook(ReadyHook, "autoscaling:EC2_INSTANCE_LAUNCHING", 600, "ABANDON");
    }

    private static CfnAutoScalingGroup.LifecycleHookSpecificationProperty Hook(string name, string transition, int seconds, string otherwise) =>
        new() { LifecycleHookName = name, LifecycleTransition = transition, HeartbeatTimeout = seconds, DefaultResult = otherwise };

    private CfnAutoScalingGroup.MixedInstancesPolicyProperty Mix(StackSettings settings) => new()
    {
        InstancesDistribution = new CfnAutoScalingGroup.InstancesDistributionProperty
        {
            OnDemandBaseCapacity = 0, OnDemandPercentageAboveBaseCapacity = settings.OnDemandPercent, SpotAllocationStrategy = "price-capacity-optimized",
        },
        LaunchTemplate = new CfnAutoScalingGroup.LaunchTemplateProperty
        {
            LaunchTemplateSpecification = new CfnAutoScalingGroup.LaunchTemplateSpecificationProperty
            {
                LaunchTemplateId = Machines.Template.Ref, Version = Machines.Template.AttrLatestVersionNumber,
            },
            Overrides = settings.WorkerTypes.Select(type => new CfnAutoScalingGroup.LaunchTemplateOverridesProperty { InstanceType = type }).ToArray(),
        },
    };

    private static CfnScalingPolicy.TargetTrackingConfigurationProperty? TargetOf(StackSettings settings) => settings.Scaling switch
    {
        ScalingMode.Tracking => new()
        {
            TargetValue = settings.BacklogTarget,
            CustomizedMetricSpecification = new CfnScalingPolicy.CustomizedMetricSpecificationProperty
            {
                Namespace = BacklogMetric.Namespace, MetricName = BacklogMetric.Name, Statistic = "Average",
                Dimensions = new[] { new CfnScalingPolicy.MetricDimensionProperty { Name = BacklogMetric.Dimension, Value = GroupName(settings) } },
            },
        },
        ScalingMode.Cpu => new()
        {
            TargetValue = settings.CpuTarget,
            PredefinedMetricSpecification = new CfnScalingPolicy.PredefinedMetricSpecificationProperty { PredefinedMetricType = "ASGAverageCPUUtilization" },
        },
        _ => null,
    };
}
