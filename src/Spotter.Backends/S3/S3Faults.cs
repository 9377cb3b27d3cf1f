using System.Net;
using System.Net.Sockets;
using Amazon.Runtime;
using Amazon.S3;
using Spotter.Core;

namespace Spotter.Backends.S3;

/// <summary>Says in one sentence what an S3 server, or the way to it, has wrong; never with a secret in it.</summary>
internal sealed class S3Faults(S3Settings settings)
{
    private string Server => settings.Endpoint is { } endpoint ? $"The S3 server at {endpoint.GetLeftPart(UriPartial.Authority)}" : "Amazon S3";

    /// <summary>True for what the server, the network or the SDK throws when a call fails.</summary>
    public static bool IsFault(Exception error) =>
        error is AmazonServiceException or AmazonClientException or HttpRequestException or IOException or WebException or OperationCanceledException;

    /// <summary>True for the answer that there is no such blob, and not that there is no such bucket.</summary>
    public static bool IsMissing(Exception error) => error is AmazonS3Exception { ErrorCode: "NoSuchKey" };

    /// <summary>
    /// True if waiting may help; false for what somebody has to put right: the bucket's name, credentials, the region.
    /// </summary>
    public static bool IsPassing(Exception error) => error is AmazonServiceException refused && HasAnswer(refused)
        ? refused.StatusCode is >= HttpStatusCode.InternalServerError or HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests
        : !IsWithoutCredentials(error);

    /// <summary>The refusal for a failed call.</summary>
    /// <param name="what">What was to be done, as in "could not …".</param>
    /// <param name="error">What was thrown.</param>
    public SpotterException Refusal(string what, Exception error) => new(ErrorCodes.StoreUnavailable, Say(what, error), Cause(error));

    /// <summary>The refusal for a server that took too long.</summary>
    public SpotterException TooSlow(string what, Exception cause) => new(
        ErrorCodes.StoreUnavailable, $"{Server} did not {what} bucket {settings.Bucket} within {settings.Patience.TotalSeconds:0.#} s; try again later.", cause);

    private string Say(string what, Exception error) => error switch
    {
        AmazonServiceException { ErrorCode: "NoSuchBucket" } =>
            $"{Server} has no bucket {settings.Bucket}; make it, or name another with --blobs.",
        AmazonServiceException { ErrorCode: "PermanentRedirect" or "AuthorizationHeaderMalformed" or "IllegalLocationConstraintException" } =>
            $"The bucket {settings.Bucket} is in another region; name it with --s3-region.",
        AmazonServiceException { ErrorCode: "RequestTimeTooSkewed" } =>
            $"{Server} refused to {what} bucket {settings.Bucket} because the clocks differ; set this machine's clock.",
        AmazonServiceException { StatusCode: HttpStatusCode.Forbidden or HttpStatusCode.Unauthorized } refused =>
            $"{Server} refused to {what} bucket {settings.Bucket} ({CodeOf(refused)}); check the credentials and what they allow.",
        AmazonServiceException { StatusCode: >= HttpStatusCode.InternalServerError } failed =>
            $"{Server} failed to {what} bucket {settings.Bucket} ({CodeOf(failed)}); try again later.",
        AmazonServiceException odd when HasAnswer(odd) && (odd is AmazonUnmarshallingException || CodeOf(odd) == StatusOf(odd)) =>
            $"{Server} answered {StatusOf(odd)}, not as S3 does; check --s3-endpoint.",
        AmazonServiceException other when HasAnswer(other) =>
            $"{Server} could not {what} bucket {settings.Bucket} ({CodeOf(other)}); check --blobs and --s3-endpoint.",
        _ when IsWithoutCredentials(error) =>
            "There are no credentials for S3; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a profile with AWS_PROFILE, or give the machine a role.",
        _ => $"{Server} can't be reached{ReasonOf(error)}; check --s3-endpoint and the network.",
    };

    /// <summary>The answer to refused credentials may repeat what was shown, a session's token for one, so it is not kept.</summary>
    private static Exception? Cause(Exception error) =>
        error is AmazonServiceException { StatusCode: HttpStatusCode.Forbidden or HttpStatusCode.Unauthorized } ? null : error;

    private static bool HasAnswer(AmazonServiceException error) => error.StatusCode > default(HttpStatusCode);

    private static bool IsWithoutCredentials(Exception error) =>
        error is AmazonClientException && error.Message.Contains("credentials", StringComparison.OrdinalIgnoreCase);

    // What the server wrote goes into our sentence only if it has the form of a code. Where the server gave none, the SDK
    // puts the status in words.
    private static string CodeOf(AmazonServiceException error) =>
        error.ErrorCode is { Length: > 0 and <= 64 } code && code.All(char.IsAsciiLetterOrDigit) && code != error.StatusCode.ToString()
            ? code
            : StatusOf(error);

    private static string StatusOf(AmazonServiceException error) => $"status {(int)error.StatusCode}";

    private static string ReasonOf(Exception? error)
    {
        for (; error is not null; error = error.InnerException)
        {
            if (error is SocketException socket)
                return $" ({socket.SocketErrorCode})";
            if (error is HttpRequestException { HttpRequestError: not HttpRequestError.Unknown } http && http.InnerException is not SocketException)
                return $" ({http.HttpRequestError})";
        }
        return "";
    }
}
