using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.Logging;
using Spotter.Core;
using Spotter.Core.Files;
using Spotter.Jobs;

namespace Spotter.Worker;

/// <summary>
/// A worker's jobs over HTTP, from any gateway: the worker API, <c>/v1/workers</c>. A gateway that is away for a while is
/// waited for; one that has forgotten the worker (it restarted) is joined again.
/// </summary>
public sealed partial class HttpJobSource : IJobSource, IDisposable
{
    private static readonly TimeSpan LongestOutage = TimeSpan.FromSeconds(40);
    // No lease is taken back while the store is away, so what was made is worth keeping for longer than one lasts.
    private static readonly TimeSpan LongestHandIn = TimeSpan.FromMinutes(5);
    // A gateway whose machine vanished answers nothing at all, and no connection says so.
    private static readonly TimeSpan LongestAnswer = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LongestUpload = TimeSpan.FromMinutes(5);
    private const long LargeOutput = 256 << 20;
    private static readonly TimeSpan LongestFarewell = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    private readonly HttpClient client;
    private readonly DirectBlobs? direct;
    private readonly bool readsFiles;
    // By them a load balancer knows which gateway the worker has joined.
    private readonly CookieContainer cookies = new();
    private readonly string path;
    private readonly Func<WorkerJoin> introduction;
    private readonly TimeProvider time;
    private readonly ILogger log;
    private IReadOnlyList<WorkerModel>? told; // of the models, with the last sign of life
    private int isAway; // 1 while the gateway does not answer
    private TimeSpan heartbeat = LongestPause;
    private volatile bool exchanges; // what the gateway that was joined last can

    /// <summary>Creates the source; nothing is sent yet.</summary>
    /// <param name="server">The gateway's address.</param>
    /// <param name="token">The worker token.</param>
    /// <param name="worker">The worker's name.</param>
    /// <param name="introduction">What there is to say of the worker; asked whenever it is said.</param>
    /// <param name="time">The clock.</param>
    /// <param name="log">Told once when the gateway does not answer, and once when it does again.</param>
    /// <param name="access">How it gets at inputs.</param>
    public HttpJobSource(
        Uri server, string token, string worker, Func<WorkerJoin> introduction, TimeProvider time, ILogger<HttpJobSource> log, BlobAccess access = BlobAccess.Gateway)
    {
        direct = access == BlobAccess.Links ? new DirectBlobs(time, log) : null;
        readsFiles = access == BlobAccess.Files;
        var handler = Outgoing.NewHandler();
        handler.ConnectTimeout = TimeSpan.FromSeconds(5);
        (handler.UseCookies, handler.CookieContainer) = (true, cookies);
        client = new HttpClient(handler) { BaseAddress = server, Timeout = Timeout.InfiniteTimeSpan };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        path = $"/v1/workers/{Uri.EscapeDataString(worker)}";
        this.introduction = introduction;
        this.time = time;
        this.log = log;
    }

    /// <summary>Joins the gateway, however long it takes to come up.</summary>
    /// <exception cref="SpotterException">The gateway refuses the worker.</exception>
    public async Task<WorkerWelcome> JoinAsync(CancellationToken cancel)
    {
        using var response = await SendAsync(
            () => new HttpRequestMessage(HttpMethod.Put, path) { Content = Json(introduction(), SpotterJson.Default.WorkerJoin) },
            Timeout.InfiniteTimeSpan, LongestAnswer, cancel);
        var welcome = await ReadAsync(response, SpotterJson.Default.WorkerWelcome, cancel);
        exchanges = welcome.Exchanges;
        heartbeat = TimeSpan.FromSeconds(Math.Clamp(welcome.HeartbeatSeconds, FirstPause.TotalSeconds, LongestPause.TotalSeconds));
        return welcome;
    }

    /// <inheritdoc/>
    public async Task<WorkerOrders?> AskToLeaveAsync(string worker, CancellationToken cancel)
    {
        try
        {
            using var response = await SendAsync(() => new HttpRequestMessage(HttpMethod.Post, path + "/leave"), LongestFarewell, LongestFarewell, cancel);
            return response.StatusCode == HttpStatusCode.NoContent ? null : await ReadAsync(response, SpotterJson.Default.WorkerOrders, cancel);
        }
        catch (SpotterException gone) when (gone.Code is ErrorCodes.StoreUnavailable or ErrorCodes.NotFound)
        {
            // A gateway that is gone needs nobody.
            return null;
        }
    }

    /// <summary>Leaves the gateway, if it is still there.</summary>
    public async Task LeaveAsync(CancellationToken cancel)
    {
        using var timer = new CancellationTokenSource(LongestFarewell, time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancel);
        try
        {
            using var response = await client.DeleteAsync(new Uri(path, UriKind.Relative), limit.Token);
        }
        catch (Exception gone) when (gone is HttpRequestException || (gone is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            // A gateway that is gone has nothing to forget.
        }
    }

    /// <inheritdoc/>
    public async Task<StartedJob?> TakeAsync(string worker, IReadOnlyCollection<string> queues, TimeSpan wait, CancellationToken cancel)
    {
        var take = Ask(queues, wait);
        using var response = await SendJoinedAsync(() => Post("/take", take, SpotterJson.Default.WorkerTake), Timeout.InfiniteTimeSpan, wait + LongestAnswer, cancel);
        return response.StatusCode == HttpStatusCode.NoContent
            ? null
            : await ReadAsync(response, SpotterJson.Default.StartedJob, cancel);
    }

    /// <inheritdoc/>
    public async Task<Stream> OpenInputAsync(StartedJob started, InputRef input, CancellationToken cancel)
    {
        if (started.Files?.GetValueOrDefault(input.Key) is { } file && OpenLent(file, input) is { } lent)
            return lent;
        if (direct is { IsOpen: true } && started.Links?.GetValueOrDefault(input.Key) is { } link && await direct.OpenAsync(link, input, cancel) is { } content)
            return content;
        var response = await SendAsync(
            () => new HttpRequestMessage(HttpMethod.Get, $"{path}/input?job={started.Lease.Job}&key={Uri.EscapeDataString(input.Key)}"),
            LongestOutage, LongestAnswer, cancel, HttpCompletionOption.ResponseHeadersRead);
        return await response.Content.ReadAsStreamAsync(cancel);
    }

    /// <summary>What was lent, which is this worker's alone from now on; null when it is not there (any more), or cut.</summary>
    private static ReadOnceFile? OpenLent(string file, InputRef input)
    {
        ReadOnceFile? content = null;
        try
        {
            content = new ReadOnceFile(file);
            File.Delete(file);
            if (content.Length == input.Bytes)
                return content;
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            // It is asked for by its key.
        }
        content?.Dispose();
        return null;
    }

    /// <inheritdoc/>
    public Task<string> PutOutputAsync(StartedJob started, ReadOnlyMemory<byte> output, CancellationToken cancel) =>
        PutOutputAsync(started, output.Length, () => new ReadOnlyMemoryContent(output), LongestUpload, cancel);

    /// <inheritdoc/>
    public Task<string> PutOutputFileAsync(StartedJob started, string file, CancellationToken cancel)
    {
        var length = new FileInfo(file).Length;
        return PutOutputAsync(started, length, () => new StreamContent(File.OpenRead(file)), LongestUpload * (1 + (length / LargeOutput)), cancel);
    }

    /// <inheritdoc/>
    public async Task<WorkerOrders> HeartbeatAsync(string worker, IReadOnlyList<Lease> leases, CancellationToken cancel)
    {
        var now = introduction();
        var models = now.Models;
        // Lists of labels are long, and a gateway that has not heard of them (one of several behind an address) can do without.
        var isKnown = told is { } known && WorkerModel.SaySame(known, models);
        // A worker of engines of its own has said what they are when it joined.
        using var response = await SendJoinedAsync(() => Post("/heartbeat", new WorkerHeartbeat(leases) { Models = now.Engines.Count > 0 ? null : isKnown ? [.. models.Select(m => m with { Info = null })] : models, CpuSeconds = Environment.CpuUsage.TotalTime.TotalSeconds, IsLeaving = now.IsLeaving }, SpotterJson.Default.WorkerHeartbeat), LongestOutage, LongestAnswer, cancel);
        told = models;
        return await ReadAsync(response, SpotterJson.Default.WorkerOrders, cancel);
    }

    /// <inheritdoc/>
    public async Task<bool> FinishAsync(Lease lease, JobOutcome outcome, CancellationToken cancel)
    {
        try
        {
            using var response = await SendAsync(() => Post("/finish", new WorkerFinish(lease, outcome), SpotterJson.Default.WorkerFinish), LongestHandIn, LongestAnswer, cancel);
            return true;
        }
        catch (SpotterException lost) when (lost.Code == ErrorCodes.LeaseLost)
        {
            return false;
        }
    }

    /// <inheritdoc/>
    public async Task<WorkerExchanged> ExchangeAsync(string worker, IReadOnlyList<WorkerFinish> finished, WantedJobs? wanted, CancellationToken cancel)
    {
        if (!exchanges)
            return await IJobSource.ExchangeOneByOneAsync(this, worker, finished, wanted, cancel);
        var exchange = new WorkerExchange(finished, wanted is null ? null : Ask(wanted.Queues, wanted.Wait) with { Most = wanted.Most });
        var (outage, answer) = finished.Count > 0 ? (LongestHandIn, LongestAnswer) : (Timeout.InfiniteTimeSpan, (wanted?.Wait ?? TimeSpan.Zero) + LongestAnswer);
        try
        {
            return await SendAsync();
        }
        catch (SpotterException forgotten) when (forgotten.Code == ErrorCodes.NotFound && finished.Count == 0)
        {
            await JoinAsync(cancel);
            return exchanges ? await SendAsync() : await IJobSource.ExchangeOneByOneAsync(this, worker, finished, wanted, cancel);
        }

        async Task<WorkerExchanged> SendAsync()
        {
            using var response = await this.SendAsync(() => Post("/exchange", exchange, SpotterJson.Default.WorkerExchange), outage, answer, cancel);
            var exchanged = await ReadAsync(response, SpotterJson.Default.WorkerExchanged, cancel);
            return exchanged.Refused.Count == finished.Count
                ? exchanged
                : throw new SpotterException(ErrorCodes.Internal, "The gateway does not say of each outcome whether it counts; check --server.");
        }
    }

    private WorkerTake Ask(IEnumerable<string> queues, TimeSpan wait) =>
        new([.. queues], wait.TotalSeconds) { Pairs = true, WantsLinks = direct is { IsOpen: true }, WantsFiles = readsFiles };

    /// <inheritdoc/>
    public void Dispose()
    {
        client.Dispose();
        direct?.Dispose();
    }

    private async Task<HttpResponseMessage> SendJoinedAsync(
        Func<HttpRequestMessage> request, TimeSpan outage, TimeSpan answer, CancellationToken cancel)
    {
        try
        {
            return await SendAsync(request, outage, answer, cancel);
        }
        catch (SpotterException forgotten) when (forgotten.Code == ErrorCodes.NotFound)
        {
            await JoinAsync(cancel);
            return await SendAsync(request, outage, answer, cancel);
        }
    }

    private async Task<string> PutOutputAsync(StartedJob started, long bytes, Func<HttpContent> content, TimeSpan longest, CancellationToken cancel)
    {
        if (started.Links is not null && await PutDirectlyAsync(new WorkerOutputAsk(started.Lease, bytes), content, longest, cancel) is { } key)
            return key;
        using var response = await SendAsync(
            () => new HttpRequestMessage(HttpMethod.Put, $"{path}/output") { Content = content() },
            LongestHandIn, longest, cancel);
        return (await ReadAsync(response, SpotterJson.Default.WorkerOutput, cancel)).Key;
    }

    /// <summary>The key under which an output was put into the blob store; null when the gateway is to take it.</summary>
    private async Task<string?> PutDirectlyAsync(WorkerOutputAsk ask, Func<HttpContent> content, TimeSpan longest, CancellationToken cancel)
    {
        if (direct is not { IsOpen: true })
            return null;
        WorkerOutputForm offered;
        try
        {
            using var response = await SendAsync(() => Post("/output-form", ask, SpotterJson.Default.WorkerOutputAsk), LongestOutage, LongestAnswer, cancel);
            offered = await ReadAsync(response, SpotterJson.Default.WorkerOutputForm, cancel);
        }
        catch (SpotterException)
        {
            // The gateway says why when it gets the output, or the outcome.
            return null;
        }
        return await direct.PutAsync(offered.Form, content(), longest, cancel) ? offered.Key : null;
    }

    /// <summary>Sends until there is an answer. Every call may be repeated: they are idempotent or fenced.</summary>
    /// <param name="request">Makes the request anew for each time that it is sent.</param>
    /// <param name="outage">For how long a gateway that is away is waited for.</param>
    /// <param name="answer">For how long one answer is waited for.</param>
    /// <param name="cancel">Ends it.</param>
    /// <param name="completion">Whether the answer's body is read here or by the caller.</param>
    private async Task<HttpResponseMessage> SendAsync(
        Func<HttpRequestMessage> request, TimeSpan outage, TimeSpan answer, CancellationToken cancel,
        HttpCompletionOption completion = HttpCompletionOption.ResponseContentRead)
    {
        var start = time.GetTimestamp();
        var pause = FirstPause;
        while (true)
        {
            try
            {
                using var timer = new CancellationTokenSource(answer, time);
                using var limit = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancel);
                using var message = request();
                var response = await client.SendAsync(message, completion, limit.Token);
                if (response.IsSuccessStatusCode)
                {
                    if (Interlocked.Exchange(ref isAway, 0) == 1)
                        LogBack(client.BaseAddress!);
                    return response;
                }
                using (response)
                {
                    var refusal = await ReadRefusalAsync(response, limit.Token);
                    if (IsPassing(response.StatusCode))
                        NoteAway(refusal);
                    if (!IsPassing(response.StatusCode) || IsOver(start, outage))
                        throw refusal;
                }
            }
            catch (Exception unreachable) when (
                unreachable is HttpRequestException or IOException || (unreachable is OperationCanceledException && !cancel.IsCancellationRequested))
            {
                NoteAway(unreachable);
                if (IsOver(start, outage))
                    throw new SpotterException(ErrorCodes.StoreUnavailable, $"The gateway at {client.BaseAddress} does not answer.", unreachable);
            }
            await Task.Delay(pause, time, cancel);
            // Once the gateway is back it has to hear of everybody before their leases run out.
            pause = pause * 2 < heartbeat ? pause * 2 : heartbeat;
        }
    }

    private void NoteAway(Exception reason)
    {
        // Another gateway behind the address may do better.
        foreach (Cookie cookie in cookies.GetAllCookies())
            cookie.Expired = true;
        if (Interlocked.Exchange(ref isAway, 1) == 0)
            LogAway(reason, client.BaseAddress!);
    }

    private bool IsOver(long start, TimeSpan outage) => outage != Timeout.InfiniteTimeSpan && time.GetElapsedTime(start) > outage;

    private static bool IsPassing(HttpStatusCode status) =>
        status is HttpStatusCode.ServiceUnavailable or HttpStatusCode.InsufficientStorage or HttpStatusCode.BadGateway or HttpStatusCode.GatewayTimeout;

    private static async Task<SpotterException> ReadRefusalAsync(HttpResponseMessage response, CancellationToken cancel)
    {
        try
        {
            using var problem = await JsonDocument.ParseAsync(await response.Content.ReadAsStreamAsync(cancel), default, cancel);
            return new SpotterException(
                problem.RootElement.GetProperty("code").GetString() ?? ErrorCodes.Internal,
                problem.RootElement.GetProperty("detail").GetString() ?? "");
        }
        catch (Exception notOurs) when (notOurs is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return new SpotterException(ErrorCodes.Internal,
                $"The gateway answered {(int)response.StatusCode}, not as a Spotter gateway does; check --server.", notOurs);
        }
    }

    private HttpRequestMessage Post<T>(string call, T body, JsonTypeInfo<T> type) =>
        new(HttpMethod.Post, path + call) { Content = Json(body, type) };

    private static ByteArrayContent Json<T>(T body, JsonTypeInfo<T> type)
    {
        var content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(body, type));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        return content;
    }

    private static async Task<T> ReadAsync<T>(HttpResponseMessage response, JsonTypeInfo<T> type, CancellationToken cancel)
    {
        try
        {
            return await response.Content.ReadFromJsonAsync(type, cancel)
                ?? throw new SpotterException(ErrorCodes.Internal, "The gateway's answer is empty.");
        }
        catch (Exception notOurs) when (notOurs is JsonException or NotSupportedException)
        {
            throw new SpotterException(ErrorCodes.Internal, "The gateway does not answer as a Spotter gateway does; check --server.", notOurs);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The gateway at {Gateway} does not answer; it is asked again until it does")]
    private partial void LogAway(Exception exception, Uri gateway);

    [LoggerMessage(Level = LogLevel.Information, Message = "The gateway at {Gateway} answers again")]
    private partial void LogBack(Uri gateway);
}
