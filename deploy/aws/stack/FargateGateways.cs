using Amazon.CDK;
using Amazon.CDK.AWS.ECS;
using Amazon.CDK.AWS.IAM;
using Amazon.CDK.AWS.Logs;
using Constructs;

namespace Spotter.Cloud;

/// <summary>The gateways as containers on Fargate: a fixed number of tasks over two zones, each replaced when it is ill.</summary>
internal sealed class FargateGateways : Construct
{
    private const string Name = "gateway";

    /// <summary>A user of the image, which has no rights; a number, as ECS looks no name up.</summary>
    private const string User = "10001";

    /// <summary>The folders that a gateway writes to; all else is read only.</summary>
    private static readonly Dictionary<string, string> Folders =
        new(StringComparer.Ordinal) { ["data"] = "/var/lib/spotter", ["run"] = "/run/spotter", ["scratch"] = "/tmp" };

    public FargateGateways(
        Construct scope, StackSettings settings, Network network, LoadBalancers balancers, IReadOnlyDictionary<string, string> environment, IEnumerable<PolicyStatement> mayDo)
        : base(scope, "Gateways")
    {
        var log = new CfnLogGroup(this, "Log", new CfnLogGroupProps { LogGroupName = $"/spotter/{settings.Name}/{Name}", RetentionInDays = settings.LogDays }).With(RemovalPolicy.DESTROY);
        Role = MakeRole("Role", $"What a gateway of {settings.Name} may do", mayDo);
        var starter = MakeRole("Starter", $"What ECS may do to start a gateway of {settings.Name}",
        [
            .. Permissions.Image(settings.ImageRepository), Permissions.ContainerLog(log.LogGroupName!), Permissions.HandSecrets(ProgramSettings.GatewaySecrets(settings).Values),
        ]);
        var task = new CfnTaskDefinition(this, "Task", new CfnTaskDefinitionProps
        {
            Family = $"{settings.Name}-{Name}",
            RequiresCompatibilities = ["FARGATE"],
            NetworkMode = "awsvpc",
            Cpu = "1024", Memory = "2048",
            RuntimePlatform = new CfnTaskDefinition.RuntimePlatformProperty { CpuArchitecture = "X86_64", OperatingSystemFamily = "LINUX" },
            ExecutionRoleArn = starter.RoleArn,
            TaskRoleArn = Role.RoleArn,
            Volumes = Folders.Keys.Select(name => new CfnTaskDefinition.VolumeProperty { Name = name }).ToArray(),
            ContainerDefinitions = new[] { ContainerOf(settings, environment, log) },
        });
        var cluster = new CfnCluster(this, "Cluster", new CfnClusterProps { ClusterName = settings.Name });
        var service = new CfnService(this, "Service", new CfnServiceProps
        {
            ServiceName = $"{settings.Name}-gateways",
            Cluster = cluster.Ref,
            TaskDefinition = task.Ref,
            LaunchType = "FARGATE", PlatformVersion = "1.4.0",
            DesiredCount = settings.Gateways,
            // New ones first; they are let go of again when they don't come up.
            DeploymentConfiguration = new CfnService.DeploymentConfigurationProperty
            {
                MinimumHealthyPercent = 100, MaximumPercent = 200,
                DeploymentCircuitBreaker = new CfnService.DeploymentCircuitBreakerProperty { Enable = true, Rollback = true },
            },
            HealthCheckGracePeriodSeconds = 120,
            NetworkConfiguration = new CfnService.NetworkConfigurationProperty
            {
                AwsvpcConfiguration = new CfnService.AwsVpcConfigurationProperty
                {
                    Subnets = network.WorkerSubnets, SecurityGroups = [network.Gateways.SecurityGroupId],
                    // In public subnets there is no other way to AWS.
                    AssignPublicIp = settings.Network == NetworkMode.Private ? "DISABLED" : "ENABLED",
                },
            },
            LoadBalancers = new[] { balancers.Clients, balancers.Workers }.Select(targets => new CfnService.LoadBalancerProperty
            {
                ContainerName = Name, ContainerPort = Network.GatewayPort, TargetGroupArn = targets.Ref,
            }).ToArray(),
            PropagateTags = "SERVICE",
        });
        // ECS takes no targets that no load balancer has; and a task may start only when it may do what it needs, and must not lose that before it has ended.
        foreach (var first in (IDependable[])[balancers.Outside, balancers.Inside, Role, starter])
            service.Node.AddDependency(first);
    }

    /// <summary>The role of the program.</summary>
    public Role Role { get; }

    private static CfnTaskDefinition.ContainerDefinitionProperty ContainerOf(StackSettings settings, IReadOnlyDictionary<string, string> environment, CfnLogGroup log) => new()
    {
        Name = Name,
        Image = Fn.Sub($"${{AWS::AccountId}}.dkr.ecr.${{AWS::Region}}.${{AWS::URLSuffix}}/{settings.ImageRepository}:${{ReleaseSha256}}"),
        Command = [ProgramSettings.GatewayCommand(settings)],
        Essential = true,
        User = User,
        ReadonlyRootFilesystem = true,
        LinuxParameters = new CfnTaskDefinition.LinuxParametersProperty
        {
            InitProcessEnabled = true, Capabilities = new CfnTaskDefinition.KernelCapabilitiesProperty { Drop = ["ALL"] },
        },
        MountPoints = Folders.Select(f => new CfnTaskDefinition.MountPointProperty { SourceVolume = f.Key, ContainerPath = f.Value, ReadOnly = false }).ToArray(),
        PortMappings = new[] { new CfnTaskDefinition.PortMappingProperty { ContainerPort = Network.GatewayPort, Protocol = "tcp" } },
        Environment = environment.Append(new("SECRETS", string.Join(' ', ProgramSettings.GatewaySecrets(settings).Keys)))
            .Select(e => new CfnTaskDefinition.KeyValuePairProperty { Name = e.Key, Value = e.Value }).ToArray(),
        Secrets = ProgramSettings.GatewaySecrets(settings).Select(s => new CfnTaskDefinition.SecretProperty
        {
            Name = $"SECRET_{Variable(s.Key)}", ValueFrom = SpotterStack.Of(log).Parameter(ParameterOf(s.Value), $"The ARN of the secret {s.Value}"),
        }).ToArray(),
        // ECS looks at no health check of the image.
        HealthCheck = new CfnTaskDefinition.HealthCheckProperty { Command = ["CMD", "/opt/healthy"], Interval = 10, Timeout = 5, Retries = 3, StartPeriod = 60 },
        // It lets the calls end that it has.
        StopTimeout = 90,
        LogConfiguration = new CfnTaskDefinition.LogConfigurationProperty
        {
            LogDriver = "awslogs",
            Options = new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["awslogs-group"] = log.Ref, ["awslogs-region"] = Aws.REGION, ["awslogs-stream-prefix"] = Name,
                // A log that can't be written must not hold a gateway up.
                ["mode"] = "non-blocking", ["max-buffer-size"] = "4m",
            },
        },
    };

    /// <summary>As a variable can be called; <c>deploy/aws/image/start</c> knows it too.</summary>
    private static string Variable(string file) => file.Replace('-', '_').Replace('.', '_').ToUpperInvariant();

    /// <summary>
    /// The parameter with a secret's ARN, which <c>deploy/aws/up</c> looks up: AWS takes the end of <c>webhook-secret</c> for the six characters
    /// that it adds to each name, and finds no secret then.
    /// </summary>
    private static string ParameterOf(string secret) => "Secret" + string.Concat(secret.Split('/')[1].Split('-').Select(word => char.ToUpperInvariant(word[0]) + word[1..]));

    private Role MakeRole(string id, string description, IEnumerable<PolicyStatement> mayDo)
    {
        var role = new Role(this, id, new RoleProps
        {
            AssumedBy = new ServicePrincipal("ecs-tasks.amazonaws.com", new ServicePrincipalOpts
            {
                Conditions = new Dictionary<string, object> { ["StringEquals"] = new Dictionary<string, object> { ["aws:SourceAccount"] = Aws.ACCOUNT_ID } },
            }),
            Description = description,
        });
        foreach (var statement in mayDo)
            role.AddToPolicy(statement);
        return role;
    }
}
