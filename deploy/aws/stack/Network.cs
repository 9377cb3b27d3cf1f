using Amazon.CDK;
using Amazon.CDK.AWS.EC2;
using Amazon.CDK.AWS.IAM;
using Constructs;

namespace Spotter.Cloud;

/// <summary>The network: two zones, and who may connect to whom.</summary>
internal sealed class Network : Construct
{
    /// <summary>Where gateways listen, inside the network only.</summary>
    public const int GatewayPort = 8080;

    private GatewayVpcEndpoint? objects;
    private SecurityGroup? answers;

    public Network(Construct scope, StackSettings settings)
        : base(scope, "Network")
    {
        var isPrivate = settings.Network == NetworkMode.Private;
        var subnets = new List<ISubnetConfiguration> { new SubnetConfiguration { Name = "Public", SubnetType = SubnetType.PUBLIC, CidrMask = 24 } };
        if (isPrivate)
            subnets.Add(new SubnetConfiguration { Name = "Workers", SubnetType = SubnetType.PRIVATE_ISOLATED, CidrMask = 20 });
        Vpc = new Vpc(this, "Vpc", new VpcProps
        {
            IpAddresses = IpAddresses.Cidr("10.73.0.0/16"),
            MaxAzs = 2,
            NatGateways = 0,
            SubnetConfiguration = [.. subnets],
            // That would take a Lambda function; no machine is in the default group.
            RestrictDefaultSecurityGroup = false,
        });
        PublicSubnets = [.. Vpc.PublicSubnets.Select(s => s.SubnetId)];
        WorkerSubnets = isPrivate ? [.. Vpc.IsolatedSubnets.Select(s => s.SubnetId)] : PublicSubnets;

        LoadBalancer = Group("LoadBalancer", "The load balancer that clients reach");
        InnerLoadBalancer = Group("InnerLoadBalancer", "The load balancer that workers reach");
        Gateways = Group("Gateways", "Gateways");
        Workers = Group("Workers", "Workers: nothing may connect to them");

        foreach (var source in settings.Sources)
            LoadBalancer.AddIngressRule(Peer.Ipv4(source), Port.Tcp(443), "HTTPS");
        Connect(LoadBalancer, Gateways, Port.Tcp(GatewayPort));
        Connect(InnerLoadBalancer, Gateways, Port.Tcp(GatewayPort));
        Connect(Workers, InnerLoadBalancer, Port.Tcp(GatewayPort));
        // AWS, Telegram and webhooks' endpoints; all speak HTTPS. Names, time and the machine's metadata need no rule.
        Gateways.AddEgressRule(Peer.AnyIpv4(), Port.Tcp(443), "HTTPS");
        Workers.AddEgressRule(Peer.AnyIpv4(), Port.Tcp(443), isPrivate ? "VPC endpoints" : "HTTPS");
        if (isPrivate)
            AddEndpoints();
    }

    public Vpc Vpc { get; }

    public string[] PublicSubnets { get; }

    public string[] WorkerSubnets { get; }

    public SecurityGroup LoadBalancer { get; }

    public SecurityGroup InnerLoadBalancer { get; }

    public SecurityGroup Gateways { get; }

    public SecurityGroup Workers { get; }

    /// <summary>
    /// Lets workers fetch pictures and hand in drawings, by links that gateways sign, also where there is no way to the internet; and
    /// gateways that are containers there do what they may.
    /// </summary>
    public void Open(StackSettings settings, Storage storage)
    {
        objects?.AddToPolicy(new PolicyStatement(new PolicyStatementProps
        {
            Sid = "PicturesByLink",
            Principals = [new AnyPrincipal()],
            Actions = ["s3:GetObject", "s3:PutObject"],
            Resources = [Arns.Objects(storage.Inputs.BucketName, "in/*"), Arns.Objects(storage.Inputs.BucketName, "out/*")],
            Conditions = new Dictionary<string, object> { ["StringEquals"] = new Dictionary<string, object> { ["aws:PrincipalAccount"] = Aws.ACCOUNT_ID } },
        }));
        if (objects is null || !settings.HasContainers)
            return;
        foreach (var statement in Permissions.Pictures(storage.Inputs.BucketName, storage.Outputs.BucketName))
            objects.AddToPolicy(Permissions.Through(statement));
        // Where Amazon keeps the layers of images (https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html).
        objects.AddToPolicy(new PolicyStatement(new PolicyStatementProps
        {
            Sid = "Layers", Principals = [new AnyPrincipal()], Actions = ["s3:GetObject"], Resources = [Arns.Objects($"prod-{Aws.REGION}-starport-layer-bucket", "*")],
        }));
        var tables = Vpc.AddGatewayEndpoint("Tables", new GatewayVpcEndpointOptions { Service = GatewayVpcEndpointAwsService.DYNAMODB, Subnets = [Isolated] });
        tables.AddToPolicy(Permissions.Through(Permissions.Jobs(settings.Name)));
        answers!.AddIngressRule(Gateways, Port.Tcp(443), "Gateways");
        AddEndpoint("Registry", InterfaceVpcEndpointAwsService.ECR, [.. Permissions.Image(settings.ImageRepository)]);
        AddEndpoint("Images", InterfaceVpcEndpointAwsService.ECR_DOCKER, [.. Permissions.Image(settings.ImageRepository)]);
        AddEndpoint("Queues", InterfaceVpcEndpointAwsService.SQS, [Permissions.Deliver(settings.Name)]);
        if (settings.Scaling is ScalingMode.Ours or ScalingMode.Tracking)
            AddEndpoint("Groups", InterfaceVpcEndpointAwsService.AUTOSCALING, [Permissions.SeeGroups(), Permissions.ScaleGroup(Spotter.Cloud.Workers.GroupName(settings))]);
    }

    private static SubnetSelection Isolated => new() { SubnetType = SubnetType.PRIVATE_ISOLATED };

    private void AddEndpoint(string name, InterfaceVpcEndpointAwsService service, PolicyStatement[] lets)
    {
        var endpoint = Vpc.AddInterfaceEndpoint(name, new InterfaceVpcEndpointOptions { Service = service, Subnets = Isolated, SecurityGroups = [answers!], Open = false });
        foreach (var statement in lets)
            endpoint.AddToPolicy(Permissions.Through(statement));
    }

    private void AddEndpoints()
    {
        objects = Vpc.AddGatewayEndpoint("Objects", new GatewayVpcEndpointOptions { Service = GatewayVpcEndpointAwsService.S3, Subnets = [Isolated] });
        // What workers fetch, and nothing else: the release, and packages of Amazon Linux, which lie in a bucket of Amazon's.
        objects.AddToPolicy(new PolicyStatement(new PolicyStatementProps
        {
            Sid = "ReleaseAndPackages",
            Principals = [new AnyPrincipal()],
            Actions = ["s3:GetObject"],
            Resources =
            [
                Arns.Objects(SpotterStack.Of(this).ReleaseBucket, SpotterStack.Of(this).ReleaseKey),
                Arns.Objects($"al2023-repos-{Aws.REGION}-de612dc2", "*"),
            ],
        }));
        answers = Group("Endpoints", "VPC endpoints");
        answers.AddIngressRule(Workers, Port.Tcp(443), "Workers");
        foreach (var (name, service) in new[]
        {
            ("Secrets", InterfaceVpcEndpointAwsService.SECRETS_MANAGER),
            ("Logs", InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS),
            ("Metrics", InterfaceVpcEndpointAwsService.CLOUDWATCH_MONITORING),
        })
        {
            // Whatever the resource: the roles say which. Nobody of another account gets data out this way.
            AddEndpoint(name, service, [new PolicyStatement(new PolicyStatementProps
            {
                Sid = "ThisAccount",
                Actions = name switch
                {
                    "Secrets" => ["secretsmanager:GetSecretValue"],
                    "Logs" => ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"],
                    _ => ["cloudwatch:PutMetricData"],
                },
                Resources = ["*"],
            })]);
        }
    }

    private SecurityGroup Group(string id, string description) =>
        new(this, id, new SecurityGroupProps { Vpc = Vpc, Description = description, AllowAllOutbound = false });

    private static void Connect(SecurityGroup from, SecurityGroup to, Port port)
    {
        from.AddEgressRule(to, port);
        to.AddIngressRule(from, port);
    }
}
