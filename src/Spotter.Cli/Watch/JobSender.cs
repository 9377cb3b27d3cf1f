using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Spotter.Cli.Remote;
using Spotter.Core;

namespace Spotter.Cli.Watch;

/// <summary>
/// Makes a job of each picture and waits for its end, whatever happens to the service meanwhile. A request whose answer is lost is
/// repeated under the same key, which gives the same job.
/// </summary>
/// <param name="service">The service.</param>
/// <param name="fields">What goes with each picture.</param>
/// <param name="connection">How the service stands.</param>
/// <param name="random">For the keys.</param>
/// <param name="time">The clock.</param>
internal sealed class JobSender(
    ServiceClient service, IReadOnlyList<KeyValuePair<string, string>> fields, Connection connection, RandomSource random, TimeProvider time)
{
    // A service that is busy for a moment is nothing to tell.
    private const int QuietRefusals = 2;

    private static readonly TimeSpan Wait = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestRetryAfter = TimeSpan.FromMinutes(5);

    // Of these the picture is the reason, and the next one is another.
    private static readonly HashSet<string> OfThePicture = new(StringComparer.Ordinal)
    {
        ErrorCodes.EmptyBody, ErrorCodes.BodyTooLarge, ErrorCodes.UnsupportedImage, ErrorCodes.UnsupportedMedia, ErrorCodes.HeicDisabled,
        ErrorCodes.TooManyPixels, ErrorCodes.ImageTruncated, ErrorCodes.ImageInvalid, ErrorCodes.ImageTooComplex,
    };

    /// <summary>Sends a picture and waits for what becomes of it.</summary>
    /// <param name="frame">The picture.</param>
    /// <param name="newer">A newer picture to send instead, while it is not known that the service has this one; or the same.</param>
    /// <param name="cancel">Gives up; a job that was accepted goes on.</param>
    /// <returns>The picture that was sent, and its job or why there is none.</returns>
    /// <exception cref="SpotterException">The service refuses what is asked of it.</exception>
    public async Task<Sent> SendAsync(Frame frame, Func<Frame, Frame> newer, CancellationToken cancel)
    {
        var key = random.NextHex(16);
        for (var refusals = 0; ;)
        {
            switch (await AskAsync(() => Submission(frame, key), cancel))
            {
                case { Job: { IsTerminal: true } job }:
                    return new(frame, job, null);
                case { Job: { } job }:
                    return await FollowAsync(frame, job.Id, cancel);
                case { RetryAfter: { } wait } busy:
                    if (++refusals > QuietRefusals)
                        await connection.FailedAsync(busy.Why, cancel, wait);
                    else
                        await Task.Delay(wait, time, cancel);
                    break;
                case { Problem: { Code: { } code } problem } when OfThePicture.Contains(code):
                    connection.Works();
                    return new(frame, null, problem);
                case { Refusal: { } refusal } when !connection.HasWorked:
                    throw refusal;
                case var away:
                    await connection.FailedAsync(away.Why, cancel);
                    break;
            }
            if (newer(frame) is var latest && latest != frame)
                (frame, key) = (latest, random.NextHex(16));
        }
    }

    /// <summary>The picture of a job with what was found drawn into it; null when there is none.</summary>
    public async Task<byte[]?> DrawnAsync(string job, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(ServiceClient.Patience);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"/v1/jobs/{job}/image");
            using var response = await service.SendAsync(request, limit.Token);
            return response.StatusCode == HttpStatusCode.OK ? await response.Content.ReadAsByteArrayAsync(limit.Token) : null;
        }
        catch (Exception away) when (away is HttpRequestException or IOException || (away is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            return null;
        }
    }

    private async Task<Sent> FollowAsync(Frame frame, string id, CancellationToken cancel)
    {
        while (true)
        {
            switch (await AskAsync(() => new HttpRequestMessage(HttpMethod.Get, $"/v1/jobs/{id}"), cancel))
            {
                case { Job: { IsTerminal: true } job }:
                    return new(frame, job, null);
                case { Job: not null }:
                    await Task.Delay(Look, time, cancel);
                    break;
                case { Problem: { Code: ErrorCodes.NotFound } problem }:
                    return new(frame, null, problem) { Lost = id };
                case var away:
                    await connection.FailedAsync(away.Why, cancel, away.RetryAfter ?? TimeSpan.Zero);
                    break;
            }
        }
    }

    private async Task<Answer> AskAsync(Func<HttpRequestMessage> create, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(ServiceClient.Patience);
        try
        {
            using var request = create();
            using var response = await service.SendAsync(request, limit.Token);
            if (response.StatusCode is not (HttpStatusCode.OK or HttpStatusCode.Accepted))
            {
                var problem = await ServiceClient.ProblemOfAsync(response, limit.Token);
                var refusal = service.Refusal(response.StatusCode, problem);
                return new() { Problem = problem, Refusal = refusal, RetryAfter = WaitOf(response), Why = refusal.Message.TrimEnd('.') };
            }
            await using var content = await response.Content.ReadAsStreamAsync(limit.Token);
            var job = await JsonSerializer.DeserializeAsync(content, ServiceJson.Default.ServiceJob, limit.Token) ?? throw new JsonException("the answer is null");
            connection.Works();
            return new() { Job = job, Why = "" };
        }
        catch (Exception broken) when (broken is HttpRequestException or IOException || (broken is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            return new() { Why = ServiceClient.Why(broken) };
        }
        catch (JsonException)
        {
            return new() { Why = "it does not answer as a Spotter service does" };
        }
    }

    private HttpRequestMessage Submission(Frame frame, string key)
    {
        var form = new MultipartFormDataContent();
        foreach (var (name, value) in fields)
            form.Add(new StringContent(value), name);
        var picture = new ReadOnlyMemoryContent(frame.Bytes);
        picture.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        form.Add(picture, "image", frame.Name);
        var request = new HttpRequestMessage(HttpMethod.Post, "/v1/jobs") { Content = form };
        request.Headers.Add("Idempotency-Key", key);
        request.Headers.Add("Prefer", string.Create(CultureInfo.InvariantCulture, $"wait={Wait.TotalSeconds:0}"));
        return request;
    }

    /// <summary>How long a refusal asks to wait; null when it is not meant to be tried again.</summary>
    private TimeSpan? WaitOf(HttpResponseMessage response)
    {
        var said = response.Headers.RetryAfter;
        var wait = said?.Delta ?? (said?.Date is { } date ? date - time.GetUtcNow() : null);
        if (wait is null && response.StatusCode is not (HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable or HttpStatusCode.InsufficientStorage))
            return null;
        return TimeSpan.FromSeconds(Math.Clamp(wait?.TotalSeconds ?? 1, 0.1, LongestRetryAfter.TotalSeconds));
    }

    /// <summary>What came back: a job, a refusal, or nothing.</summary>
    private readonly record struct Answer
    {
        public ServiceJob? Job { get; init; }

        public ServiceProblem? Problem { get; init; }

        public SpotterException? Refusal { get; init; }

        public TimeSpan? RetryAfter { get; init; }

        public required string Why { get; init; }
    }
}

/// <summary>What became of a picture.</summary>
/// <param name="Frame">The picture.</param>
/// <param name="Job">Its job, which has ended; null when there is none.</param>
/// <param name="Problem">Why there is none.</param>
internal sealed record Sent(Frame Frame, ServiceJob? Job, ServiceProblem? Problem)
{
    /// <summary>The id of a job that the service has forgotten.</summary>
    public string? Lost { get; init; }
}
