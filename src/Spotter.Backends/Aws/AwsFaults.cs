using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Amazon.DynamoDBv2.Model;
using Amazon.Runtime;
using Amazon.SQS.Model;
using Spotter.Core;

namespace Spotter.Backends.Aws;

/// <summary>Says in one sentence what Amazon's services, or the way to them, have wrong; never with a secret in it.</summary>
internal sealed partial class AwsFaults(AwsSettings settings)
{
    /// <summary>What their errors mean to calls that were sent together.</summary>
    public BatchFaults OfBatches => new("Amazon's services", _ => false, _ => false, IsFault, ToRefusal);

    /// <summary>True for what a service, the network or the SDK throws when a call fails.</summary>
    public static bool IsFault(Exception error) =>
        error is AmazonServiceException or AmazonClientException or HttpRequestException or IOException or WebException or TaskCanceledException or ObjectDisposedException;

    /// <summary>True where the credentials are known, and not allowed to do it.</summary>
    public static bool IsDenied(AmazonServiceException error) =>
        !IsOfCredentials(error) && (error.StatusCode is HttpStatusCode.Forbidden or HttpStatusCode.Unauthorized || error.ErrorCode is "AccessDeniedException" or "AccessDenied");

    /// <summary>True where the credentials, or what was signed with them, are not accepted at all.</summary>
    public static bool IsOfCredentials(AmazonServiceException error) => error.ErrorCode
        is "RequestExpired" or "InvalidSignatureException" or "SignatureDoesNotMatch" or "RequestTimeTooSkewed" or "ExpiredTokenException" or "ExpiredToken"
        or "UnrecognizedClientException" or "InvalidClientTokenId" or "InvalidAccessKeyId";

    /// <summary>Makes a call; what fails is said in one sentence.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.StoreUnavailable"/>.</exception>
    public async Task<T> CallAsync<T>(Func<Task<T>> call, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        try
        {
            return await call();
        }
        catch (Exception error) when (IsFault(error) && error is not (ConditionalCheckFailedException or TransactionCanceledException))
        {
            cancel.ThrowIfCancellationRequested();
            throw ToRefusal(error);
        }
    }

    /// <summary>Makes a client.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidSettings"/>.</exception>
    public T Open<T>(Func<T> make)
    {
        try
        {
            return make();
        }
        catch (Exception error) when (IsFault(error))
        {
            throw new SpotterException(ErrorCodes.InvalidSettings, ToRefusal(error).Message);
        }
    }

    /// <summary>The refusal for a failed call.</summary>
    public SpotterException ToRefusal(Exception error) => error as SpotterException ?? new(ErrorCodes.StoreUnavailable, Say(error), Cause(error));

    private string Where => (settings.Region ?? Environment.GetEnvironmentVariable("AWS_REGION") ?? Environment.GetEnvironmentVariable("AWS_DEFAULT_REGION")) is { Length: > 0 } region
        ? $" in {region}" : " in this region";

    private string Say(Exception error) => error switch
    {
        Amazon.DynamoDBv2.Model.ResourceNotFoundException or TableNotFoundException =>
            $"There is no DynamoDB table '{settings.Table}'{Where}; make it with deploy/aws/up, or correct --aws-table or --aws-region.",
        QueueDoesNotExistException =>
            $"There is no SQS queue of that name{Where}; make it with deploy/aws/up, or correct --aws-queues or --aws-region.",
        ProvisionedThroughputExceededException or Amazon.DynamoDBv2.Model.RequestLimitExceededException =>
            $"The DynamoDB table '{settings.Table}' takes no more requests at the moment; try again in some seconds.",
        AmazonServiceException { ErrorCode: "RequestExpired" or "InvalidSignatureException" or "SignatureDoesNotMatch" or "RequestTimeTooSkewed" } =>
            "Amazon refused the signature of a request; check this machine's clock and the credentials.",
        AmazonServiceException { ErrorCode: "ExpiredTokenException" or "ExpiredToken" } => "The credentials for AWS have expired; renew them, or give the machine a role.",
        AmazonServiceException { ErrorCode: "UnrecognizedClientException" or "InvalidClientTokenId" or "InvalidAccessKeyId" } =>
            "Amazon doesn't know the credentials; correct them, or give the machine a role.",
        AmazonServiceException denied when IsDenied(denied) => Denied().Match(denied.Message) is { Success: true } told
            ? $"The role or user lacks {told.Groups["action"]} on {told.Groups["resource"]}; add that to its policy (docs/aws.md has all)."
            : $"The role or user may not use {ServiceOf(error)} as is needed ({CodeOf(denied)}); see the permissions in docs/aws.md.",
        AmazonServiceException { StatusCode: >= HttpStatusCode.InternalServerError } failed => $"{ServiceOf(failed)} failed ({CodeOf(failed)}); try again in some seconds.",
        AmazonServiceException other when other.StatusCode > default(HttpStatusCode) => $"{ServiceOf(other)} refused a request ({CodeOf(other)}).",
        AmazonClientException plain when plain.Message.Contains("region", StringComparison.OrdinalIgnoreCase) =>
            "No AWS region is set; name it with --aws-region, or set AWS_REGION.",
        AmazonClientException plain when plain.Message.Contains("credentials", StringComparison.OrdinalIgnoreCase) =>
            "There are no credentials for AWS; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a profile with AWS_PROFILE, or give the machine a role.",
        ObjectDisposedException => "The job store is being closed; try again once the service is back.",
        TaskCanceledException => $"Amazon's services did not answer within {settings.Patience.TotalSeconds:0.#} s; try again later.",
        _ => $"Amazon's services can't be reached{ReasonOf(error)}; check --aws-region and the network.",
    };

    // The answer to refused credentials may repeat what was shown.
    private static Exception? Cause(Exception error) =>
        error is AmazonServiceException { StatusCode: HttpStatusCode.Forbidden or HttpStatusCode.Unauthorized } ? null : error;

    /// <summary>As Amazon says which permission is missing. Nothing else of the message is repeated.</summary>
    [GeneratedRegex("not authorized to perform: (?<action>[a-z0-9-]{1,30}:[A-Za-z]{1,50}) on resource: (?<resource>arn:[A-Za-z0-9:/_*.-]{1,200})", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Denied();

    private string ServiceOf(Exception error) => error switch
    {
        Amazon.DynamoDBv2.AmazonDynamoDBException => $"the DynamoDB table '{settings.Table}'",
        Amazon.SQS.AmazonSQSException => $"the SQS queues '{settings.Queues}-…'",
        _ => "a service of Amazon's",
    };

    private static string CodeOf(AmazonServiceException error) =>
        error.ErrorCode is { Length: > 0 and <= 64 } code && code.All(char.IsAsciiLetterOrDigit) ? code : $"status {(int)error.StatusCode}";

    private static string ReasonOf(Exception? error)
    {
        for (; error is not null; error = error.InnerException)
        {
            if (error is SocketException socket)
                return $" ({socket.SocketErrorCode})";
        }
        return "";
    }
}
