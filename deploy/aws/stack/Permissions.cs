using Amazon.CDK;
using Amazon.CDK.AWS.IAM;

namespace Spotter.Cloud;

/// <summary>
/// What each process may do. No action and no resource is left open unless AWS has no narrower one; then a condition narrows it,
/// and a comment says so. The tests walk all statements of all modes.
/// </summary>
internal static class Permissions
{
    /// <summary>The namespace of all metrics, Spotter's and the machines'.</summary>
    public const string MetricNamespace = "Spotter";

    /// <summary>Reads and writes jobs.</summary>
    public static PolicyStatement Jobs(string table) => Allow(
        "Jobs",
        [
            "dynamodb:BatchGetItem", "dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:DescribeTable", "dynamodb:GetItem",
            "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem",
        ],
        [Arns.Here("dynamodb", $"table/{table}"), Arns.Here("dynamodb", $"table/{table}/index/owner"), Arns.Here("dynamodb", $"table/{table}/index/unlucky")]);

    /// <summary>Sends and takes ids of jobs. The queues are made by the stack.</summary>
    public static PolicyStatement Deliver(string prefix) => Allow(
        "Deliver",
        [
            "sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:ReceiveMessage",
            "sqs:SendMessage",
        ],
        [Arns.Queues(prefix)]);

    /// <summary>Keeps pictures, and the mark that says whose the bucket is.</summary>
    public static IEnumerable<PolicyStatement> Pictures(string inputs, string outputs)
    {
        var buckets = new[] { inputs, outputs }.Distinct(StringComparer.Ordinal).ToArray();
        yield return Allow(
            "Pictures",
            ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
            [
                Arns.Objects(inputs, "in/*"), Arns.Objects(inputs, "uploads/*"), Arns.Objects(inputs, "tickets/*"),
                .. buckets.SelectMany(bucket => new[] { Arns.Objects(bucket, "out/*"), Arns.Objects(bucket, "spotter-owner"), Arns.Objects(bucket, "spotter-check") }),
            ]);
        yield return Allow("PlacedPictures", ["s3:GetObject"], [Arns.Objects(inputs, "images/*")]);
        // Without it S3 says "forbidden" of an object that is gone.
        yield return Allow("ListPictures", ["s3:ListBucket", "s3:ListBucketMultipartUploads"], [.. buckets.Select(Arns.Bucket)]);
    }

    /// <summary>Takes the messages of an earlier service, and writes what it wrote.</summary>
    public static IEnumerable<PolicyStatement> Earlier(EarlierService service)
    {
        if (service.Compat.Length == 0)
            yield break;
        yield return Allow(
            "EarlierJobs", ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:ReceiveMessage"],
            [Arns.Here("sqs", service.RequestQueue)]);
        if (service.ResultQueue.Length > 0)
            yield return Allow("EarlierResults", ["sqs:GetQueueUrl", "sqs:SendMessage"], [Arns.Here("sqs", service.ResultQueue)]);
        var buckets = new[] { service.Bucket, service.OutputBucket }.Where(name => name.Length > 0).Distinct(StringComparer.Ordinal).ToArray();
        yield return Allow("EarlierPictures", ["s3:GetObject", "s3:PutObject"], [.. buckets.Select(bucket => Arns.Objects(bucket, "*"))]);
        // Without it S3 says "forbidden" of an object that is missing.
        yield return Allow("ListEarlierPictures", ["s3:ListBucket"], [.. buckets.Select(Arns.Bucket)]);
        if (service.Table.Length > 0)
            yield return Allow("EarlierRows", ["dynamodb:PutItem"], [Arns.Here("dynamodb", $"table/{service.Table}")]);
    }

    /// <summary>Fetches the release at the first start.</summary>
    public static PolicyStatement Release(string bucket, string key) => Allow("Release", ["s3:GetObject"], [Arns.Objects(bucket, key)]);

    /// <summary>Reads these secrets, directly or as a parameter of Systems Manager.</summary>
    public static IEnumerable<PolicyStatement> Secrets(IReadOnlyList<string> names)
    {
        yield return Allow("Secrets", ["secretsmanager:GetSecretValue"], [.. names.Select(Arns.Secret)]);
        yield return Allow("SecretsAsParameters", ["ssm:GetParameter"], [.. names.Select(n => Arns.Here("ssm", $"parameter/aws/reference/secretsmanager/{n}"))]);
    }

    /// <summary>Writes a log.</summary>
    public static PolicyStatement Log(string group) => Allow(
        "Log", ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"], [Arns.Here("logs", $"log-group:{group}"), Arns.Here("logs", $"log-group:{group}:log-stream:*")]);

    /// <summary>Sends metrics. CloudWatch knows no resource here; the namespace narrows it.</summary>
    public static PolicyStatement Metrics() => Allow(
        "Metrics", ["cloudwatch:PutMetricData"], ["*"], When("cloudwatch:namespace", MetricNamespace));

    /// <summary>Reads how large groups are. Auto Scaling knows no resource for it, and no key but the region's.</summary>
    public static PolicyStatement SeeGroups() => Allow(
        "SeeGroups", ["autoscaling:DescribeAutoScalingGroups"], ["*"], When("aws:RequestedRegion", Aws.REGION));

    /// <summary>Sets the size of a group, and ends its machines by name.</summary>
    public static PolicyStatement ScaleGroup(string group) => Allow(
        "ScaleGroup",
        ["autoscaling:CompleteLifecycleAction", "autoscaling:SetDesiredCapacity", "autoscaling:SetInstanceProtection", "autoscaling:TerminateInstanceInAutoScalingGroup"],
        [Arns.Here("autoscaling", $"autoScalingGroup:*:autoScalingGroupName/{group}")]);

    /// <summary>Tells a group that a machine is ready, or may end.</summary>
    public static PolicyStatement CompleteHooks(string group) => Allow(
        "CompleteHooks", ["autoscaling:CompleteLifecycleAction"], [Arns.Here("autoscaling", $"autoScalingGroup:*:autoScalingGroupName/{group}")]);

    /// <summary>Launches machines from one template, and ends those and no others.</summary>
    /// <param name="stack">The stack's name, which the machines carry as a tag.</param>
    /// <param name="template">The launch template's id.</param>
    /// <param name="role">The role that the machines get.</param>
    /// <param name="image">The image that the template names.</param>
    /// <param name="subnets">Where they may stand.</param>
    /// <param name="group">Their security group's id.</param>
    public static IEnumerable<PolicyStatement> Pool(string stack, string template, string role, string image, IReadOnlyList<string> subnets, string group)
    {
        var templateArn = Arns.Here("ec2", $"launch-template/{template}");
        // The machine and its parts have no names before they are there; the template that they must come from narrows them.
        yield return Allow(
            "Launch",
            ["ec2:RunInstances"],
            [
                Arns.Here("ec2", "instance/*"), Arns.Here("ec2", "network-interface/*"), Arns.Here("ec2", "volume/*"),
                templateArn,
                Arns.Image(image),
                Arns.Here("ec2", $"security-group/{group}"),
                .. subnets.Select(subnet => Arns.Here("ec2", $"subnet/{subnet}")),
            ],
            new() { ["ArnEquals"] = new Dictionary<string, object> { ["ec2:LaunchTemplate"] = templateArn } });
        yield return Allow(
            "TagAtLaunch",
            ["ec2:CreateTags"],
            [Arns.Here("ec2", "instance/*"), Arns.Here("ec2", "network-interface/*"), Arns.Here("ec2", "volume/*")],
            When("ec2:CreateAction", "RunInstances"));
        yield return Allow(
            "End", ["ec2:TerminateInstances"], [Arns.Here("ec2", "instance/*")], When("aws:ResourceTag/spotter:pool", stack));
        // EC2 knows no resource for it.
        yield return Allow("SeeMachines", ["ec2:DescribeInstances"], ["*"], When("aws:RequestedRegion", Aws.REGION));
        yield return Allow("GiveRole", ["iam:PassRole"], [role], When("iam:PassedToService", "ec2.amazonaws.com"));
    }

    /// <summary>Fetches the image of a repository, before its container starts. Signing in to the registry has no resource.</summary>
    public static IEnumerable<PolicyStatement> Image(string repository)
    {
        yield return Allow("SignIn", ["ecr:GetAuthorizationToken"], ["*"], When("aws:RequestedRegion", Aws.REGION));
        yield return Allow(
            "Image", ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], [Arns.Here("ecr", $"repository/{repository}")]);
    }

    /// <summary>Hands secrets to a container.</summary>
    public static PolicyStatement HandSecrets(IEnumerable<string> names) => Allow("Secrets", ["secretsmanager:GetSecretValue"], [.. names.Select(Arns.Secret)]);

    /// <summary>Writes the log of a container.</summary>
    public static PolicyStatement ContainerLog(string group) =>
        Allow("Log", ["logs:CreateLogStream", "logs:PutLogEvents"], [Arns.Here("logs", $"log-group:{group}"), Arns.Here("logs", $"log-group:{group}:log-stream:*")]);

    /// <summary>Lets a VPC endpoint through to what a statement allows, for whoever of this account may do that.</summary>
    public static PolicyStatement Through(PolicyStatement allowed) => new(new PolicyStatementProps
    {
        Sid = allowed.Sid, Principals = [new AnyPrincipal()], Actions = allowed.Actions, Resources = allowed.Resources,
        Conditions = When("aws:PrincipalAccount", Aws.ACCOUNT_ID),
    });

    /// <summary>Tells a rolling update that a machine is ready.</summary>
    public static PolicyStatement Signal(string stack) => Allow("Signal", ["cloudformation:SignalResource"], [Arns.Here("cloudformation", $"stack/{stack}/*")]);

    private static Dictionary<string, object> When(string key, string value) =>
        new(StringComparer.Ordinal) { ["StringEquals"] = new Dictionary<string, object>(StringComparer.Ordinal) { [key] = value } };

    private static PolicyStatement Allow(string sid, string[] actions, string[] resources, Dictionary<string, object>? conditions = null) =>
        new(new PolicyStatementProps { Sid = sid, Effect = Effect.ALLOW, Actions = actions, Resources = resources, Conditions = conditions });
}
