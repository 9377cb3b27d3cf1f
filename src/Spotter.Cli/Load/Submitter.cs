using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Spotter.Cli.Remote;
using Spotter.Core;

namespace Spotter.Cli.Load;

/// <summary>
/// Sends one picture until the service has taken it or turned it away for good: refusals are followed as they say, and
/// after a broken connection the same key is sent again, which must give the same job.
/// </summary>
internal sealed class Submitter(ServiceClient service, LoadSettings settings, PictureSupply pictures, LoadLedger ledger, LoadClock clock)
{
    private const int MostFaults = 5;

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LongestRetryAfter = TimeSpan.FromMinutes(5);

    // A service that is older than the field refuses what it does not know.
    private volatile bool saysReuse = !settings.Reuse;

    /// <summary>Sends a request.</summary>
    /// <param name="number">Which one.</param>
    /// <param name="due">When it was due.</param>
    /// <param name="cancel">Gives it up.</param>
    /// <returns>Its entry in the ledger; null when it was turned away.</returns>
    public async Task<LedgerEntry?> SendAsync(int number, TimeSpan due, CancellationToken cancel)
    {
        if (await TakeAsync(number, cancel) is not { } id)
            return null;
        return ledger.Accept(number, id, due, clock.Now);
    }

    /// <summary>Sends an accepted request once more.</summary>
    public async Task RepeatAsync(int number, CancellationToken cancel)
    {
        if (await TakeAsync(number, cancel) is { } id)
            ledger.Repeat(number, id);
    }

    /// <summary>The id that the service gives; null when it turns the request away.</summary>
    private async Task<string?> TakeAsync(int number, CancellationToken cancel)
    {
        var pause = FirstPause;
        for (var faults = 0; ;)
        {
            var withReuse = saysReuse;
            var answer = await TryAsync(number, withReuse, cancel);
            switch (answer)
            {
                case { Id: { } id }:
                    return id;
                case { Code: null }:
                    ledger.Break();
                    await clock.DelayAsync(pause, cancel);
                    pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
                    continue;
                case { Code: ErrorCodes.InvalidRequest, Detail: { } detail } when withReuse && detail.Contains("'reuse'", StringComparison.Ordinal):
                    saysReuse = false;
                    continue;
                case { RetryAfter: { } wait }:
                    ledger.Refuse(answer.Code);
                    await clock.DelayAsync(wait, cancel);
                    continue;
                case { Status: >= 500 } when ++faults < MostFaults:
                    ledger.Refuse(answer.Code);
                    await clock.DelayAsync(pause, cancel);
                    pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
                    continue;
                default:
                    ledger.Reject(answer.Code);
                    return null;
            }
        }
    }

    private async Task<Answer> TryAsync(int number, bool withReuse, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(ServiceClient.Patience);
        try
        {
            using var request = Request(number, withReuse);
            using var response = await service.SendAsync(request, limit.Token);
            if (response.StatusCode is HttpStatusCode.Accepted or HttpStatusCode.OK)
            {
                await using var content = await response.Content.ReadAsStreamAsync(limit.Token);
                var job = await JsonSerializer.DeserializeAsync(content, ServiceJson.Default.ServiceJob, limit.Token);
                return new Answer { Id = job?.Id ?? throw new JsonException("the answer is null") };
            }
            var problem = await ServiceClient.ProblemOfAsync(response, limit.Token);
            return new Answer
            {
                Status = (int)response.StatusCode,
                Code = problem.Code ?? string.Create(CultureInfo.InvariantCulture, $"http_{(int)response.StatusCode}"),
                Detail = problem.Detail,
                RetryAfter = WaitOf(response),
            };
        }
        catch (Exception broken) when (broken is HttpRequestException or IOException
            || (broken is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            // Whether it was accepted is unknown.
            return default;
        }
        catch (JsonException)
        {
            return new Answer { Status = 200, Code = "not_an_answer" };
        }
    }

    private HttpRequestMessage Request(int number, bool withReuse)
    {
        var form = new MultipartFormDataContent();
        foreach (var (name, value) in settings.Fields)
            form.Add(new StringContent(value), name);
        if (withReuse)
            form.Add(new StringContent("false"), "reuse");
        var picture = new ReadOnlyMemoryContent(pictures.Get(number));
        picture.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        form.Add(picture, "image", ledger.NameOf(number));
        var request = new HttpRequestMessage(HttpMethod.Post, "/v1/jobs") { Content = form };
        request.Headers.Add("Idempotency-Key", ledger.Key(number));
        return request;
    }

    /// <summary>How long a refusal asks to wait; null when it is not meant to be tried again.</summary>
    private TimeSpan? WaitOf(HttpResponseMessage response)
    {
        var said = response.Headers.RetryAfter;
        var wait = said?.Delta ?? (said?.Date is { } date ? date - clock.Time.GetUtcNow() : null);
        if (wait is null && response.StatusCode is not (HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable or HttpStatusCode.RequestTimeout or HttpStatusCode.InsufficientStorage))
            return null;
        var longEnough = wait ?? TimeSpan.FromSeconds(1);
        return longEnough < FirstPause ? FirstPause : longEnough < LongestRetryAfter ? longEnough : LongestRetryAfter;
    }

    /// <summary>What came back; nothing at all when the connection broke.</summary>
    private readonly record struct Answer
    {
        public string? Id { get; init; }

        public int Status { get; init; }

        public string? Code { get; init; }

        public string? Detail { get; init; }

        public TimeSpan? RetryAfter { get; init; }
    }
}
