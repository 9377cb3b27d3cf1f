using System.Net;
using System.Net.Sockets;
using System.Xml;
using Amazon.Runtime;
using Spotter.Core;

namespace Spotter.Fleets.Aws;

/// <summary>Says in one sentence what a service of Amazon's, or the way to it, has wrong; never with a secret in it.</summary>
internal sealed class AwsQueryFaults(AwsQueryService service, AwsPlace place)
{
    /// <summary>True for what the service, the network or the SDK throws when a call fails.</summary>
    public static bool IsFault(Exception error) =>
        error is AmazonServiceException or AmazonClientException or HttpRequestException or IOException or WebException or OperationCanceledException or XmlException;

    /// <summary>The code of the service's answer behind a failed call; null when it didn't answer, or refused who asked.</summary>
    public static string? CodeOf(SpotterException error) => (error.InnerException as AmazonServiceException)?.ErrorCode;

    /// <summary>True when the service answered that it does not do what was asked; else it may have done it.</summary>
    public static bool IsRefused(SpotterException error) =>
        error.InnerException is AmazonServiceException { StatusCode: >= HttpStatusCode.BadRequest and < HttpStatusCode.InternalServerError };

    /// <summary>The refusal for a failed call.</summary>
    /// <param name="error">What failed.</param>
    /// <param name="action">What was called; null before any call.</param>
    public SpotterException ToRefusal(Exception error, string? action) => new(ErrorCodes.StoreUnavailable, Say(error, action), Cause(error));

    private string Say(Exception error, string? action) => error switch
    {
        AmazonServiceException { ErrorCode: "RequestExpired" or "InvalidSignatureException" or "SignatureDoesNotMatch" or "RequestTimeTooSkewed" } =>
            "Amazon refused the signature of a request; check this machine's clock and the credentials.",
        AmazonServiceException { ErrorCode: "ExpiredTokenException" or "ExpiredToken" } => "The credentials for AWS have expired; renew them, or give the machine a role.",
        AmazonServiceException { ErrorCode: "UnrecognizedClientException" or "InvalidClientTokenId" or "InvalidAccessKeyId" or "AuthFailure" } =>
            "Amazon doesn't know the credentials; correct them, or give the machine a role.",
        AmazonServiceException { ErrorCode: "AccessDenied" or "AccessDeniedException" or "UnauthorizedOperation" } or AmazonServiceException { StatusCode: HttpStatusCode.Forbidden or HttpStatusCode.Unauthorized } =>
            $"The role or user may not call {action} of {service.Name} as is needed ({CodeOf((AmazonServiceException)error)}); see the permissions in docs/aws.md.",
        AmazonServiceException { ErrorCode: "Throttling" or "ThrottlingException" or "RequestLimitExceeded" } => $"{service.Name} takes no more requests at the moment; try again in some seconds.",
        AmazonServiceException { StatusCode: >= HttpStatusCode.InternalServerError } failed => $"{service.Name} failed ({CodeOf(failed)}); try again in some seconds.",
        AmazonServiceException other when other.StatusCode > default(HttpStatusCode) => $"{service.Name} refused a request ({CodeOf(other)}{WordsOf(other)}).",
        AmazonClientException plain when plain.Message.Contains("region", StringComparison.OrdinalIgnoreCase) =>
            "No AWS region is set; name it in the settings, or set AWS_REGION.",
        AmazonClientException plain when plain.Message.Contains("credentials", StringComparison.OrdinalIgnoreCase) =>
            "There are no credentials for AWS; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a profile with AWS_PROFILE, or give the machine a role.",
        OperationCanceledException => $"{service.Name} did not answer within {place.Patience.TotalSeconds:0.#} s; try again later.",
        XmlException => $"{service.Name} answered with something that is no XML; check the endpoint.",
        _ => $"{service.Name} can't be reached{ReasonOf(error)}; check the region and the network.",
    };

    // The answer to refused credentials may repeat what was shown.
    private static Exception? Cause(Exception error) =>
        error is AmazonServiceException { StatusCode: HttpStatusCode.Forbidden or HttpStatusCode.Unauthorized } ? null : error;

    private static string CodeOf(AmazonServiceException error) =>
        error.ErrorCode is { Length: > 0 and <= 64 } code && code.All(c => char.IsAsciiLetterOrDigit(c) || c == '.') ? code : $"status {(int)error.StatusCode}";

    // A refused value is told in these words only; the code says nothing besides "it is invalid".
    private static string WordsOf(AmazonServiceException error) =>
        error.ErrorCode is "ValidationError" or "InvalidParameterValue" && error.Message is { Length: > 0 and <= 300 } words ? $": {words.TrimEnd('.')}" : "";

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
