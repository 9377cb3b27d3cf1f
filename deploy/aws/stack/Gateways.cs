using Amazon.CDK;
using Amazon.CDK.AWS.AutoScaling;
using Amazon.CDK.AWS.ElasticLoadBalancingV2;
using Amazon.CDK.AWS.IAM;
using Constructs;

namespace Spotter.Cloud;

/// <summary>The load balancers: one for clients, and one inside the network for workers. Neither shows what the other is for.</summary>
internal sealed class LoadBalancers : Construct
{
    /// <summary>The calls of workers.</summary>
    private const string WorkerApi = "/v1/workers/*";

    public LoadBalancers(Construct scope, StackSettings settings, Network network, string certificate)
        : base(scope, "LoadBalancers")
    {
        Public = new CfnLoadBalancer(this, "Public", new CfnLoadBalancerProps
        {
            Type = "application", Scheme = "internet-facing", Subnets = network.PublicSubnets, SecurityGroups = [network.LoadBalancer.SecurityGroupId],
            LoadBalancerAttributes = Attributes(("routing.http.drop_invalid_header_fields.enabled", "true"), ("idle_timeout.timeout_seconds", "120")),
        });
        Inner = new CfnLoadBalancer(this, "Inner", new CfnLoadBalancerProps
        {
            Type = "application", Scheme = "internal", Subnets = network.PublicSubnets, SecurityGroups = [network.InnerLoadBalancer.SecurityGroupId],
            LoadBalancerAttributes = Attributes(("routing.http.drop_invalid_header_fields.enabled", "true"), ("idle_timeout.timeout_seconds", "120")),
        });
        Clients = Targets("Clients", settings, network);
        // A worker talks to the gateway that it has joined. It drops the cookie when that one does not answer or sends it away.
        Workers = Targets("Workers", settings, network, ("stickiness.enabled", "true"), ("stickiness.type", "lb_cookie"));
        var https = new CfnListener(this, "Https", new CfnListenerProps
        {
            LoadBalancerArn = Public.Ref, Port = 443, Protocol = "HTTPS", SslPolicy = "ELBSecurityPolicy-TLS13-1-2-2021-06",
            Certificates = new[] { new CfnListener.CertificateProperty { CertificateArn = certificate } },
            DefaultActions = new[] { new CfnListener.ActionProperty { Type = "forward", TargetGroupArn = Clients.Ref } },
        });
        _ = new CfnListenerRule(this, "NoWorkersOutside", new CfnListenerRuleProps
        {
            ListenerArn = https.Ref, Priority = 1, Conditions = Paths(WorkerApi),
            Actions = new[] { new CfnListenerRule.ActionProperty { Type = "fixed-response", FixedResponseConfig = new CfnListenerRule.FixedResponseConfigProperty { StatusCode = "404" } } },
        });
        var inner = new CfnListener(this, "InnerHttp", new CfnListenerProps
        {
            LoadBalancerArn = Inner.Ref, Port = Network.GatewayPort, Protocol = "HTTP",
            DefaultActions = new[] { new CfnListener.ActionProperty { Type = "fixed-response", FixedResponseConfig = new CfnListener.FixedResponseConfigProperty { StatusCode = "404" } } },
        });
        Inside = new CfnListenerRule(this, "WorkersInside", new CfnListenerRuleProps
        {
            ListenerArn = inner.Ref, Priority = 1, Conditions = Paths(WorkerApi),
            Actions = new[] { new CfnListenerRule.ActionProperty { Type = "forward", TargetGroupArn = Workers.Ref } },
        });
        Outside = https;
        Host = settings.Domain.Length > 0 ? settings.Domain : Public.AttrDnsName;
    }

    public CfnLoadBalancer Public { get; }

    public CfnLoadBalancer Inner { get; }

    public CfnTargetGroup Clients { get; }

    public CfnTargetGroup Workers { get; }

    /// <summary>What sends clients to the gateways.</summary>
    public CfnListener Outside { get; }

    /// <summary>What sends workers to the gateways.</summary>
    public CfnListenerRule Inside { get; }

    /// <summary>The name under which clients call the service.</summary>
    public string Host { get; }

    private CfnTargetGroup Targets(string id, StackSettings settings, Network network, params (string Key, string Value)[] attributes) => new(this, id, new CfnTargetGroupProps
    {
        VpcId = network.Vpc.VpcId, Port = Network.GatewayPort, Protocol = "HTTP", TargetType = settings.HasContainers ? "ip" : "instance",
        // Whether it lives, not whether its stores do: an outage of the table must not have the group replace all gateways.
        HealthCheckPath = "/healthz", HealthCheckIntervalSeconds = 10, HealthCheckTimeoutSeconds = 5, HealthyThresholdCount = 2, UnhealthyThresholdCount = 3,
        TargetGroupAttributes = attributes.Prepend(("deregistration_delay.timeout_seconds", "60"))
            .Select(a => new CfnTargetGroup.TargetGroupAttributeProperty { Key = a.Item1, Value = a.Item2 }).ToArray(),
    });

    private static CfnListenerRule.RuleConditionProperty[] Paths(string path) =>
        [new() { Field = "path-pattern", PathPatternConfig = new CfnListenerRule.PathPatternConfigProperty { Values = [path] } }];

    private static CfnLoadBalancer.LoadBalancerAttributeProperty[] Attributes(params (string Key, string Value)[] pairs) =>
        [.. pairs.Select(p => new CfnLoadBalancer.LoadBalancerAttributeProperty { Key = p.Key, Value = p.Value })];
}

/// <summary>The gateways: a fixed number of machines over two zones, each replaced when it is ill.</summary>
internal sealed class Gateways : Construct
{
    /// <summary>The group's name in the template.</summary>
    public const string GroupId = "GatewayGroup";

    public Gateways(Construct scope, StackSettings settings, Network network, LoadBalancers balancers, MachineKind kind, IEnumerable<PolicyStatement> mayDo)
        : base(scope, "Gateways")
    {
        Machines = new Machines(this, "Machines", settings, kind);
        foreach (var statement in mayDo.Append(Permissions.Signal(settings.Name)))
            Machines.Role.AddToPolicy(statement);
        var group = new CfnAutoScalingGroup(this, "Group", new CfnAutoScalingGroupProps
        {
            AutoScalingGroupName = $"{settings.Name}-gateways",
            MinSize = $"{settings.Gateways}", MaxSize = $"{settings.Gateways}",
            VpcZoneIdentifier = network.PublicSubnets,
            LaunchTemplate = new CfnAutoScalingGroup.LaunchTemplateSpecificationProperty
            {
                LaunchTemplateId = Machines.Template.Ref, Version = Machines.Template.AttrLatestVersionNumber,
            },
            TargetGroupArns = [balancers.Clients.Ref, balancers.Workers.Ref],
            HealthCheckType = "ELB", HealthCheckGracePeriod = 300,
        });
        group.OverrideLogicalId(GroupId);
        // One after the other, each only when the one before answers.
        group.CfnOptions.UpdatePolicy = new CfnUpdatePolicy
        {
            AutoScalingRollingUpdate = new CfnAutoScalingRollingUpdate
            {
                MinInstancesInService = settings.Gateways - 1, MaxBatchSize = 1, WaitOnResourceSignals = true, PauseTime = "PT10M",
                SuspendProcesses = ["HealthCheck", "ReplaceUnhealthy", "AZRebalance", "AlarmNotification", "ScheduledActions"],
            },
        };
        Group = group;
    }

    public Machines Machines { get; }

    public CfnAutoScalingGroup Group { get; }
}
