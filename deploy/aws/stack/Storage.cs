using Amazon.CDK;
using Amazon.CDK.AWS.DynamoDB;
using Amazon.CDK.AWS.IAM;
using Amazon.CDK.AWS.S3;
using Constructs;

namespace Spotter.Cloud;

/// <summary>The table of jobs, and the bucket of pictures, or the two.</summary>
internal sealed class Storage : Construct
{
    /// <summary>Days after which uploads that became no job are deleted, should Spotter not have done so after one.</summary>
    public const int UploadDays = 2;

    public Storage(Construct scope, StackSettings settings)
        : base(scope, "Storage")
    {
        Table = new CfnTable(this, "Jobs", new CfnTableProps
        {
            TableName = settings.Name,
            BillingMode = "PAY_PER_REQUEST",
            AttributeDefinitions = new[] { Text("pk"), Text("sk"), Text("opk"), Text("upk"), Text("usk") },
            KeySchema = Keys("pk", "sk"),
            // The list of each owner's jobs, and the jobs that somebody has to look after.
            GlobalSecondaryIndexes = new[] { Index("owner", "opk", "sk"), Index("unlucky", "upk", "usk") },
            PointInTimeRecoverySpecification = new CfnTable.PointInTimeRecoverySpecificationProperty { PointInTimeRecoveryEnabled = true },
            SseSpecification = new CfnTable.SSESpecificationProperty { SseEnabled = true },
        });
        Table.ApplyRemovalPolicy(RemovalPolicy.DESTROY);
        Inputs = MakeBucket(settings.HasTwoBuckets ? "Inputs" : "Pictures", settings);
        Outputs = settings.HasTwoBuckets ? MakeBucket("Outputs", settings) : Inputs;
    }

    public CfnTable Table { get; }

    /// <summary>The bucket with <c>in/</c> and <c>images/</c>.</summary>
    public Bucket Inputs { get; }

    /// <summary>The bucket with <c>out/</c>; the same unless there are two.</summary>
    public Bucket Outputs { get; }

    private Bucket MakeBucket(string id, StackSettings settings)
    {
        var bucket = new Bucket(this, id, new BucketProps
        {
            BlockPublicAccess = BlockPublicAccess.BLOCK_ALL,
            Encryption = BucketEncryption.KMS_MANAGED,
            BucketKeyEnabled = true,
            ObjectOwnership = ObjectOwnership.BUCKET_OWNER_ENFORCED,
            RemovalPolicy = RemovalPolicy.DESTROY,
            // Only what Spotter made: images/ is yours, and the mark that says whose bucket it is has to stay.
            LifecycleRules =
            [
                new LifecycleRule { Id = "in", Prefix = "in/", Expiration = Duration.Days(settings.KeepDays) },
                new LifecycleRule { Id = "out", Prefix = "out/", Expiration = Duration.Days(settings.KeepDays) },
                new LifecycleRule { Id = "uploads", Prefix = "uploads/", Expiration = Duration.Days(UploadDays) },
                new LifecycleRule { Id = "tickets", Prefix = "tickets/", Expiration = Duration.Days(UploadDays) },
                new LifecycleRule { Id = "unfinished", AbortIncompleteMultipartUploadAfter = Duration.Days(1) },
            ],
            Cors = settings.CorsOrigins.Count == 0 ? null :
            [
                new CorsRule { AllowedMethods = [HttpMethods.POST], AllowedOrigins = [.. settings.CorsOrigins], AllowedHeaders = ["content-type"], MaxAge = 600 },
            ],
        });
        bucket.AddToResourcePolicy(TlsOnly.Statement("s3:*", Arns.Bucket(bucket.BucketName), Arns.Objects(bucket.BucketName, "*")));
        return bucket;
    }

    private static CfnTable.AttributeDefinitionProperty Text(string name) => new() { AttributeName = name, AttributeType = "S" };

    private static CfnTable.KeySchemaProperty[] Keys(string partition, string sort) =>
        [new() { AttributeName = partition, KeyType = "HASH" }, new() { AttributeName = sort, KeyType = "RANGE" }];

    private static CfnTable.GlobalSecondaryIndexProperty Index(string name, string partition, string sort) => new()
    {
        IndexName = name,
        KeySchema = Keys(partition, sort),
        Projection = new CfnTable.ProjectionProperty { ProjectionType = "KEYS_ONLY" },
    };
}

/// <summary>The statement of a resource's policy that refuses whatever does not come through TLS.</summary>
internal static class TlsOnly
{
    public static PolicyStatement Statement(string actions, params string[] resources) => new(new PolicyStatementProps
    {
        Sid = "TlsOnly",
        Effect = Effect.DENY,
        Principals = [new AnyPrincipal()],
        Actions = [actions],
        Resources = resources,
        Conditions = new Dictionary<string, object> { ["Bool"] = new Dictionary<string, object> { ["aws:SecureTransport"] = "false" } },
    });
}
