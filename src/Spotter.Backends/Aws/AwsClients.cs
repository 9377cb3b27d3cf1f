using Amazon;
using Amazon.DynamoDBv2;
using Amazon.Runtime;
using Amazon.SQS;

namespace Spotter.Backends.Aws;

/// <summary>The ways to Amazon's services.</summary>
internal sealed class AwsClients : IDisposable
{
    private static readonly TimeSpan Connect = TimeSpan.FromSeconds(5);

    /// <summary>Reaches nothing yet.</summary>
    /// <exception cref="Core.SpotterException">There are no credentials, or no region.</exception>
    public AwsClients(AwsSettings settings)
    {
        Faults = new AwsFaults(settings);
        Dynamo = Faults.Open(() => Make(settings, new AmazonDynamoDBConfig(), (credentials, config) => new AmazonDynamoDBClient(credentials, config), config => new AmazonDynamoDBClient(config)));
        // Long polls take as long as they are asked to.
        Sqs = Faults.Open(() => Make(settings with { Patience = settings.Patience + SqsQueues.LongPoll }, new AmazonSQSConfig(), (credentials, config) => new AmazonSQSClient(credentials, config), config => new AmazonSQSClient(config)));
    }

    /// <summary>Says what is wrong with them.</summary>
    public AwsFaults Faults { get; }

    /// <summary>The table's.</summary>
    public IAmazonDynamoDB Dynamo { get; }

    /// <summary>The queues'.</summary>
    public IAmazonSQS Sqs { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dynamo.Dispose();
        Sqs.Dispose();
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
