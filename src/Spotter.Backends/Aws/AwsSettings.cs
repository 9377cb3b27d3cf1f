using Amazon.Runtime;

namespace Spotter.Backends.Aws;

/// <summary>Which table and queues, where they are, and how patient to be with them.</summary>
internal sealed record AwsSettings
{
    /// <summary>The table and the queues' first name, unless others are given.</summary>
    public const string DefaultName = "spotter";

    /// <summary>The DynamoDB table.</summary>
    public string Table { get; init; } = DefaultName;

    /// <summary>What the names of all SQS queues begin with.</summary>
    public string Queues { get; init; } = DefaultName;

    /// <summary>A server that speaks as Amazon's do, for tests; null for Amazon's.</summary>
    public Uri? Endpoint { get; init; }

    /// <summary>The region; null for what the environment, the profile or the machine says.</summary>
    public string? Region { get; init; }

    /// <summary>Makes the table and the queues where they are missing.</summary>
    public bool Creates { get; init; }

    /// <summary>How long one call may take, its retries included. Shorter than a worker waits for a gateway's answer.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>What to show the servers; null for the SDK's usual chain: environment, profile, role.</summary>
    internal AWSCredentials? Credentials { get; init; }

    /// <summary>Not the values: credentials are among them.</summary>
    public override string ToString() => nameof(AwsSettings);
}
