using Amazon.Runtime;

namespace Spotter.Fleets.Aws;

/// <summary>Where Amazon's services are, and what to show them.</summary>
internal sealed record AwsPlace
{
    /// <summary>The region; null for what the environment, the profile or the machine says.</summary>
    public string? Region { get; init; }

    /// <summary>A server that speaks as Amazon's do, for tests; null for what AWS_ENDPOINT_URL says, or else Amazon's.</summary>
    public Uri? Endpoint { get; init; }

    /// <summary>How long one call may take, its retries included.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>What to show them; null for the SDK's usual chain: environment, profile, role.</summary>
    public AWSCredentials? Credentials { get; init; }

    /// <summary>Not the values: credentials are among them.</summary>
    public override string ToString() => nameof(AwsPlace);
}
