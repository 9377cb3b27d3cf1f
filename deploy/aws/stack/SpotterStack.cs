using Amazon.CDK;
using Amazon.CDK.AWS.IAM;
using Constructs;

namespace Spotter.Cloud;

/// <summary>All that Spotter needs in an account, for one set of settings.</summary>
internal sealed class SpotterStack : Stack
{
    /// <summary>The stack's name among constructs; that in AWS is <see cref="StackSettings.Name"/>.</summary>
    public const string Id = "Spotter";

    public SpotterStack(Construct scope, StackSettings settings, IStackProps props)
        : base(scope, Id, props)
    {
        Tags.SetTag("spotter:stack", settings.Name);
        ReleaseBucket = Parameter("ReleaseBucket", "The bucket of the release, as deploy/aws/package makes it");
        ReleaseKey = Parameter("ReleaseKey", "The name of the release in that bucket");
        ReleaseSha256 = Parameter("ReleaseSha256", "The SHA-256 of the release, in hexadecimal", pattern: "[0-9a-f]{64}");
        ImageId = Parameter("ImageId", "The image of the machines: Amazon Linux 2023 for x86-64", "AWS::EC2::Image::Id");
        var certificate = Parameter("CertificateArn", "The certificate of the load balancer, in AWS Certificate Manager");

        var network = new Network(this, settings);
        var storage = new Storage(this, settings);
        var queues = new Queues(this, settings);
        _ = new UploadEvents(this, settings, storage);
        network.Open(settings, storage);
        var notices = new Notices(this, settings);
        var balancers = new LoadBalancers(this, settings, network, certificate);
        var workers = new Workers(this, settings, network, WorkerKind(settings, network, balancers), notices.Topic);
        var stores = ProgramSettings.Stores(Aws.REGION, settings.Name, settings.Name, storage.Inputs.BucketName);
        var scaling = ProgramSettings.Scaling(settings, Workers.GroupName(settings), workers.Machines.Template.Ref, network.WorkerSubnets);
        var environment = stores.Concat(ProgramSettings.Gateway(settings, balancers.Host)).Concat(settings.Earlier.Environment()).Concat(scaling).ToDictionary(StringComparer.Ordinal);
        var mayDo = MayDo(settings, storage).ToArray();
        var role = settings.HasContainers
            ? new FargateGateways(this, settings, network, balancers, environment, mayDo).Role
            : new Gateways(this, settings, network, balancers, GatewayKind(settings, network, environment), mayDo).Machines.Role;
        var autoscaler = Autoscaler(settings, network, workers).ToArray();
        if (autoscaler.Length > 0)
        {
            // A policy of its own: it says what the controller does, and whoever runs that elsewhere gives it to another role.
            _ = new Policy(this, "Autoscaler", new PolicyProps { PolicyName = "autoscaler", Statements = autoscaler, Roles = [role] });
        }
        _ = new Watching(this, settings, queues, balancers, notices);

        Output("Url", $"https://{balancers.Host}", "Where clients find the service");
        Output("LoadBalancer", balancers.Public.AttrDnsName, "What a domain's name has to point at");
        Output("TargetGroup", balancers.Clients.Ref, "Shows whether the gateways answer");
        if (settings.HasContainers)
            Output("Cluster", settings.Name, "The ECS cluster of the gateways");
        Output("Table", storage.Table.Ref, "The table of jobs");
        Output("QueuePrefix", settings.Name, "How the names of all queues begin");
        Output("DeadLetterQueue", queues.Dead.QueueUrl, "What five receives could not deliver");
        Output("InputBucket", storage.Inputs.BucketName, "Pictures as they came");
        Output("OutputBucket", storage.Outputs.BucketName, "Pictures that Spotter made");
        Output("WorkerTemplate", workers.Machines.Template.Ref, "The launch template of workers");
        if (workers.Group is not null)
            Output("WorkerGroup", workers.Group.Ref, "The group of workers");
        Output("NoticesTopic", notices.Topic.TopicArn, "Alarms, launches, the budget");
        Output("Environment", string.Join(' ', stores.Select(s => $"{s.Key}={s.Value}")), "Settings of a gateway that serves this stack's jobs");
        if (scaling.Count > 0)
            Output("Scaling", string.Join(' ', scaling.Select(s => $"{s.Key}={s.Value}")), "Settings of a gateway that sees to this stack's workers");
    }

    public string ReleaseBucket { get; }

    public string ReleaseKey { get; }

    public string ReleaseSha256 { get; }

    public string ImageId { get; }

    /// <summary>The stack that a construct is part of.</summary>
    public static new SpotterStack Of(IConstruct construct) => (SpotterStack)construct.Node.Scopes.First(s => s is SpotterStack);

    /// <summary>A parameter of the template.</summary>
    public string Parameter(string id, string description, string type = "String", string? pattern = null) =>
        new CfnParameter(this, id, new CfnParameterProps { Type = type, Description = description, AllowedPattern = pattern, MinLength = type == "String" ? 1 : null }).ValueAsString;

    private static IEnumerable<PolicyStatement> MayDo(StackSettings settings, Storage storage) =>
    [
        Permissions.Jobs(settings.Name),
        Permissions.Deliver(settings.Name),
        .. Permissions.Pictures(storage.Inputs.BucketName, storage.Outputs.BucketName),
        .. Permissions.Earlier(settings.Earlier),
    ];

    private IEnumerable<PolicyStatement> Autoscaler(StackSettings settings, Network network, Workers workers) => settings.Scaling switch
    {
        ScalingMode.Ours => [Permissions.SeeGroups(), Permissions.ScaleGroup(Workers.GroupName(settings))],
        ScalingMode.Tracking => [Permissions.SeeGroups(), Permissions.Metrics()],
        ScalingMode.Pool => Permissions.Pool(
            settings.Name, workers.Machines.Template.Ref, workers.Machines.Role.RoleArn, ImageId, network.WorkerSubnets, network.Workers.SecurityGroupId),
        _ => [],
    };

    private static MachineKind WorkerKind(StackSettings settings, Network network, LoadBalancers balancers) => new(
        "worker", "worker", settings.WorkerTypes[0], network.Workers,
        ProgramSettings.Worker(Aws.REGION, $"http://{balancers.Inner.AttrDnsName}:{Network.GatewayPort}"), ProgramSettings.WorkerSecrets(settings), "none", settings.Warm > 0 ? Workers.ReadyHook : null);

    private static MachineKind GatewayKind(StackSettings settings, Network network, IReadOnlyDictionary<string, string> environment) => new(
        "gateway", ProgramSettings.GatewayCommand(settings), settings.GatewayType, network.Gateways,
        environment, ProgramSettings.GatewaySecrets(settings), Gateways.GroupId);

    private void Output(string id, string value, string description) => _ = new CfnOutput(this, id, new CfnOutputProps { Value = value, Description = description });
}
