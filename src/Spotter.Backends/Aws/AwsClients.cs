using Amazon;
using Amazon.DynamoDBv2;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.SQS;

namespace Spotter.Backends.Aws;

/// <summary>The ways to Amazon's services.</summary>
internal sealed class AwsClients : IDisposable
{
    private static readonly TimeSpan Connect = TimeSpan.FromSeconds(5);

    private readonly Lazy<IAmazonS3> s3;

    /// <summary>Reaches nothing yet.</summary>
    /// <exception cref="Core.SpotterException">There are no credentials, or no region.</exception>
    public AwsClients(AwsSettings settings)
    {
        Faults = new AwsFaults(settings);
        Dynamo = Faults.Open(() => Make(settings, new AmazonDynamoDBConfig(), (credentials, config) => new AmazonDynamoDBClient(credentials, config), config => new AmazonDynamoDBClient(config)));
        // Long polls take as long as they are asked to.
        Sqs = Faults.Open(() => Make(settings with { Patience = settings.Patience + SqsQueues.LongPoll }, new AmazonSQSConfig(), (credentials, config) => new AmazonSQSClient(credentials, config), config => new AmazonSQSClient(config)));
        s3 = new(() => Faults.Open(() => Make(settings, BucketConfig(settings), (credentials, config) => new AmazonS3Client(credentials, config), config => new AmazonS3Client(config))));
    }

    /// <summary>Says what is wrong with them.</summary>
    public AwsFaults Faults { get; }

    /// <summary>The table's.</summary>
    public IAmazonDynamoDB Dynamo { get; }

    /// <summary>The queues'.</summary>
    public IAmazonSQS Sqs { get; }

    /// <summary>The buckets' of an earlier service; Spotter's own pictures have a way of their own.</summary>
    public IAmazonS3 S3 => s3.Value;

    /// <inheritdoc/>
    public void Dispose()
    {
        Dynamo.Dispose();
        Sqs.Dispose();
        if (s3.IsValueCreated)
            s3.Value.Dispose();
    }

    private static AmazonS3Config BucketConfig(AwsSettings settings)
    {
#pragma warning disable RS0030 // Its connections come from Outgoing.
        return new AmazonS3Config
        {
            // A server of one's own has no name for each bucket.
            ForcePathStyle = settings.Endpoint is not null,
            // Checksums that came late to S3 are unknown to many servers; what was sent is hashed by the signature anyway.
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
        };
#pragma warning restore RS0030
    }

    private static TClient Make<TConfig, TClient>(AwsSettings settings, TConfig config, Func<AWSCredentials, TConfig, TClient> with, Func<TConfig, TClient> without)
        where TConfig : ClientConfig
    {
        config.HttpClientFactory = new AwsHttpClients(Connect);
        config.RetryMode = RequestRetryMode.Standard;
        config.MaxErrorRetry = 3;
        config.Timeout = settings.Patience;
        if (settings.Region is { } region)
            config.RegionEndpoint = RegionEndpoint.GetBySystemName(region);
        if (settings.Endpoint is { } endpoint)
        {
            config.ServiceURL = endpoint.ToString();
            config.AuthenticationRegion = settings.Region ?? FallbackRegionFactory.GetRegionEndpoint()?.SystemName ?? "us-east-1";
        }
        return settings.Credentials is { } credentials ? with(credentials, config) : without(config);
    }
}
