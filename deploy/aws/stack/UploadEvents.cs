using Amazon.CDK;
using Amazon.CDK.AWS.IAM;
using Amazon.CDK.AWS.S3;
using Amazon.CDK.AWS.SQS;
using Constructs;

namespace Spotter.Cloud;

/// <summary>The queue that the bucket tells of each picture that was uploaded past the gateways.</summary>
internal sealed class UploadEvents : Construct
{
    public UploadEvents(Construct scope, StackSettings settings, Storage storage)
        : base(scope, "UploadEvents")
    {
        // Without a dead-letter queue: gateways delete what they can't read, and leave the others there while they take no jobs.
        var queue = new Queue(this, "Queue", new QueueProps
        {
            QueueName = NameOf(settings),
            RetentionPeriod = Duration.Days(Storage.UploadDays),
            VisibilityTimeout = Duration.Seconds(60),
            ReceiveMessageWaitTime = Duration.Seconds(20),
            Encryption = QueueEncryption.SQS_MANAGED,
            RemovalPolicy = RemovalPolicy.DESTROY,
        });
        queue.AddToResourcePolicy(TlsOnly.Statement("sqs:*", queue.QueueArn));
        // The bucket has its name from CloudFormation, and needs the queue first: so it is any of this account's.
        queue.AddToResourcePolicy(new PolicyStatement(new PolicyStatementProps
        {
            Sid = "Bucket",
            Principals = [new ServicePrincipal("s3.amazonaws.com")],
            Actions = ["sqs:SendMessage"],
            Resources = [queue.QueueArn],
            Conditions = new Dictionary<string, object> { ["StringEquals"] = new Dictionary<string, object> { ["aws:SourceAccount"] = Aws.ACCOUNT_ID } },
        }));
        var bucket = (CfnBucket)storage.Inputs.Node.DefaultChild!;
        bucket.NotificationConfiguration = new CfnBucket.NotificationConfigurationProperty
        {
            QueueConfigurations = new[]
            {
                new CfnBucket.QueueConfigurationProperty
                {
                    Event = "s3:ObjectCreated:*",
                    Queue = queue.QueueArn,
                    Filter = new CfnBucket.NotificationFilterProperty
                    {
                        S3Key = new CfnBucket.S3KeyFilterProperty { Rules = new[] { new CfnBucket.FilterRuleProperty { Name = "prefix", Value = "uploads/" } } },
                    },
                },
            },
        };
        // S3 tries the queue as it is told of it.
        bucket.AddDependency((CfnResource)queue.Node.FindChild("Policy").Node.DefaultChild!);
    }

    /// <summary>The queue's name.</summary>
    public static string NameOf(StackSettings settings) => $"{settings.Name}-uploads";
}
