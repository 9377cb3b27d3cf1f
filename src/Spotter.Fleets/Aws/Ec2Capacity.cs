using Amazon.Runtime;
using Amazon.Runtime.Internal;

namespace Spotter.Fleets.Aws;

/// <summary>EC2's ways to say that a machine can't be had, but perhaps one of another type or in another zone.</summary>
internal static class Ec2Capacity
{
    private static readonly HashSet<string> Codes = new(StringComparer.Ordinal)
    {
        "InsufficientInstanceCapacity", "InsufficientHostCapacity", "InsufficientFreeAddressesInSubnet", "InsufficientAddressCapacity", "Unsupported",
        "InstanceLimitExceeded", "VcpuLimitExceeded", "MaxSpotInstanceCountExceeded", "SpotMaxPriceTooLow",
    };

    /// <summary>True for the code of such an answer.</summary>
    public static bool IsLacking(string? code) => code is not null && Codes.Contains(code);

    /// <summary>The SDK's retries, but for such answers: some of them come as errors of the service, and asking again in the same place is of no use.</summary>
    internal sealed class Retries(IClientConfig config) : StandardRetryPolicy(config)
    {
        public override bool RetryForException(IExecutionContext executionContext, Exception exception) =>
            !(exception is AmazonServiceException answer && IsLacking(answer.ErrorCode)) && base.RetryForException(executionContext, exception);

        public override Task<bool> RetryForExceptionAsync(IExecutionContext executionContext, Exception exception) =>
            exception is AmazonServiceException answer && IsLacking(answer.ErrorCode) ? Task.FromResult(false) : base.RetryForExceptionAsync(executionContext, exception);
    }
}
