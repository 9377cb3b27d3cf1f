namespace Spotter.Cloud;

/// <summary>What decides how many workers there are.</summary>
internal enum ScalingMode
{
    /// <summary>Spotter's controller in a gateway sets the group's size and ends idle machines by name.</summary>
    Ours,

    /// <summary>The group follows the metric Spotter/BacklogPerInstance, which a gateway sends.</summary>
    Tracking,

    /// <summary>The group follows the processors' load, and tells a topic of each launch and end.</summary>
    Cpu,

    /// <summary>There is no group: Spotter's controller launches machines from the template and ends them.</summary>
    Pool,
}

/// <summary>What gateways run on.</summary>
internal enum GatewayPlace
{
    /// <summary>Machines of an Auto Scaling group.</summary>
    Ec2,

    /// <summary>Containers of an ECS service, without machines to look after.</summary>
    Fargate,
}

/// <summary>How Telegram's messages come in.</summary>
internal enum TelegramMode
{
    /// <summary>There is no bot.</summary>
    Off,

    /// <summary>Telegram sends them to the load balancer, whose certificate an authority has signed.</summary>
    On,

    /// <summary>As <see cref="On"/>, with a certificate that Telegram has to be given.</summary>
    Selfsigned,
}

/// <summary>Who may call the gateways.</summary>
internal enum AccessMode
{
    /// <summary>Whoever has an API key.</summary>
    Keys,

    /// <summary>Whoever reaches the load balancer.</summary>
    Open,
}

/// <summary>Where workers stand, and gateways that are containers.</summary>
internal enum NetworkMode
{
    /// <summary>In the public subnets, without anything that may come in.</summary>
    Public,

    /// <summary>In subnets without a way to the internet; what they need of AWS comes through VPC endpoints.</summary>
    Private,
}

/// <summary>What the template is made from; <see cref="SettingReader"/> reads it and has the defaults' meaning in words.</summary>
internal sealed record StackSettings
{
    /// <summary>The stack's name, and how the names of all that is in it begin.</summary>
    public string Name { get; init; } = "spotter";

    public ScalingMode Scaling { get; init; } = ScalingMode.Ours;

    /// <summary>The models that get queues, each as TASK/NAME, and pairs of them as TASK/NAME/SECOND.</summary>
    public IReadOnlyList<string> Models { get; init; } = ["detect/starter"];

    public int Gateways { get; init; } = 2;

    public GatewayPlace GatewaysOn { get; init; } = GatewayPlace.Ec2;

    public string GatewayType { get; init; } = "t3.small";

    public int MaxWorkers { get; init; } = 4;

    /// <summary>Instance types of workers: one, or several of which the cheapest with capacity is taken, in <see cref="ScalingMode.Pool"/> the first.</summary>
    public IReadOnlyList<string> WorkerTypes { get; init; } = ["c7i.large", "c7a.large", "c6i.large", "c6a.large"];

    /// <summary>How much of the workers is not spot, in percent.</summary>
    public int OnDemandPercent { get; init; }

    /// <summary>Workers' machines that are kept ready and stopped, besides those that run.</summary>
    public int Warm { get; init; }

    /// <summary>Jobs per worker that the group aims at, in <see cref="ScalingMode.Tracking"/>.</summary>
    public int BacklogTarget { get; init; } = 10;

    /// <summary>Load in percent that the group aims at, in <see cref="ScalingMode.Cpu"/>.</summary>
    public int CpuTarget { get; init; } = 50;

    public NetworkMode Network { get; init; } = NetworkMode.Public;

    /// <summary>Networks that may reach the load balancer.</summary>
    public IReadOnlyList<string> Sources { get; init; } = ["0.0.0.0/0"];

    /// <summary>The name under which the load balancer is called; empty: its own.</summary>
    public string Domain { get; init; } = "";

    public AccessMode Access { get; init; } = AccessMode.Keys;

    public TelegramMode Telegram { get; init; } = TelegramMode.Off;

    /// <summary>Whether what comes in and what goes out have a bucket each.</summary>
    public bool HasTwoBuckets { get; init; }

    /// <summary>Days after which pictures are deleted, whatever Spotter does.</summary>
    public int KeepDays { get; init; } = 7;

    /// <summary>Web pages that may upload past the gateways, as https://example.org; empty: none.</summary>
    public IReadOnlyList<string> CorsOrigins { get; init; } = [];

    /// <summary>Days for which logs are kept.</summary>
    public int LogDays { get; init; } = 30;

    /// <summary>Seconds after which the oldest job of a queue has waited too long.</summary>
    public int MaxAgeSeconds { get; init; } = 900;

    /// <summary>Where alarms and warnings of the budget go; empty: nowhere but the topic.</summary>
    public string Email { get; init; } = "";

    /// <summary>What the account may cost a month, in USD, before there is a warning.</summary>
    public int BudgetUsd { get; init; } = 100;

    /// <summary>The earlier service whose messages are taken.</summary>
    public EarlierService Earlier { get; init; } = new();

    /// <summary>Whether gateways are containers.</summary>
    public bool HasContainers => GatewaysOn == GatewayPlace.Fargate;

    /// <summary>The ECR repository of the gateways' image, which <c>deploy/aws/up</c> makes before the stack.</summary>
    public string ImageRepository => $"{Name}/gateway";
}
