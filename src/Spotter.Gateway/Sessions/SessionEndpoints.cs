using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Http;
using Spotter.Core;
using Spotter.Engines.Catalogue;
using Spotter.Gateway.Access;
using Spotter.Gateway.Overload;
using Spotter.Gateway.Uploads;
using Spotter.Jobs;

namespace Spotter.Gateway.Sessions;

/// <summary>The calls of the session API: start, look, stop.</summary>
internal sealed class SessionEndpoints(
    UploadIntake intake, JobService jobs, EngineCatalogue engines, SessionPresenter presenter, SessionSteps steps, GatewaySettings settings, TimeProvider time) : IDisposable
{
    private const int MostWebhooks = 10;
    private const long HighestRank = 1_000_000_000;

    /// <summary>A document is held in memory while it is read, so it is no longer than this, only some are read at one time, and none for long.</summary>
    private const long MostBytes = 16 << 20;

    private const int AtOnce = 8;

    private static readonly TimeSpan LongestTurn = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LongestRead = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    private readonly Places places = new(AtOnce);

    public void Dispose() => places.Dispose();

    /// <summary>Accepts a session, and waits for its end if that is asked for.</summary>
    public async Task<IResult> StartAsync(HttpContext http, string kind)
    {
        var cancel = http.RequestAborted;
        // In the document files are in Base64.
        var terms = new InputTerms { MediaTypes = ["application/json"], MaxBytes = Math.Min(MostBytes, settings.Jobs.MaxInputBytes * 4 / 3) };
        var upload = new Upload(http, new JobForm(engines)) { HasAllFields = true, Work = WorkOf(kind, 0, terms) };
        intake.Check(upload);
        IDisposable? waiting = null;
        try
        {
            var accepted = await intake.AcceptAsync(
                upload,
                onInput => InTurnAsync(http, async late =>
                {
                    var (graph, request) = await ReadAsync(http.Request, kind, late);
                    IReadOnlyList<SessionWebhook?> webhooks = request.Webhooks ?? [];
                    if (webhooks.Count > MostWebhooks)
                        throw Invalid($"A session has at most {MostWebhooks} 'webhooks'.");
                    if (request.WaitTimeSecond is < 0)
                        throw Invalid("'waitTimeSecond' is less than 0; it is the most seconds for which the answer waits.");
                    if (request.Rank is > HighestRank or < -HighestRank)
                        throw Invalid($"The 'rank' is not from {-HighestRank} to {HighestRank}.");
                    upload.Work = WorkOf(kind, request.Rank ?? 0, terms with { Work = graph.Steps.Count * Math.Max(1, graph.Files) }, [.. webhooks.Select(SessionChannel.Of).OfType<JobNotification>()]);
                    if (request.WaitTimeSecond is > 0 and var seconds)
                        (upload.Wait, waiting) = (TimeSpan.FromSeconds(Math.Min(seconds, settings.MaxWait.TotalSeconds)), intake.EnterWait(http));
                    await using var content = new MemoryStream(JsonSerializer.SerializeToUtf8Bytes(graph, SessionJson.Default.SessionGraph), writable: false);
                    await onInput(content, string.Join(", ", graph.Steps.Select(s => s.Engine)), "application/json");
                }, cancel),
                cancel);
            var session = upload.Wait is { } longest ? (await intake.WaitAsync(accepted, longest, cancel))[0] : accepted[0];
            return await AnswerAsync(session, null, cancel);
        }
        finally
        {
            waiting?.Dispose();
        }
    }

    /// <summary>A session as it stands.</summary>
    public async Task<IResult> ShowAsync(HttpContext http, string kind, string id, string? channel) =>
        await AnswerAsync(await FindAsync(http, kind, id), channel, http.RequestAborted);

    /// <summary>Ends a session, if it has not ended.</summary>
    public async Task<IResult> StopAsync(HttpContext http, string kind, string id)
    {
        var session = await FindAsync(http, kind, id);
        try
        {
            session = await jobs.CancelAsync(Caller.Of(http).AsJobCaller(), session, http.RequestAborted);
            // Whoever runs it does so too, if anybody does at this moment.
            await steps.CancelAsync(session, http.RequestAborted);
        }
        catch (SpotterException over) when (over.Code == ErrorCodes.NotCancellable)
        {
            session = await FindAsync(http, kind, id);
        }
        return await AnswerAsync(session, null, http.RequestAborted);
    }

    private async Task<Job> FindAsync(HttpContext http, string kind, string id)
    {
        // What was asked for is not repeated: it may be anything.
        if (!SessionId.TryParse(id, out var job))
            throw NoSession();
        var found = await jobs.FindAsync(Caller.Of(http).AsJobCaller(), job.Value.Value, http.RequestAborted);
        return found.Engine == QueueNames.WorkflowEngine && SessionPresenter.TermsOf(found).Kind == kind ? found : throw NoSession();
    }

    private async Task<IResult> AnswerAsync(Job session, string? channel, CancellationToken cancel) => TypedResults.Json(
        SessionAnswer.Of(await presenter.ShowAsync(session, channel, cancel), session.State.IsTerminal() ? session.Error?.Detail : null), SessionJson.Default.SessionAnswer);

    private async Task<(SessionGraph Graph, SessionRequest Request)> ReadAsync(HttpRequest http, string kind, CancellationToken cancel)
    {
        if (kind == SessionId.Single)
        {
            var single = await ParseAsync(http.Body, SessionJson.Default.SingleRequest, cancel);
            return (SessionGraph.Of(single).Checked(engines), single);
        }
        var workflow = await ParseAsync(http.Body, SessionJson.Default.WorkflowRequest, cancel);
        return (SessionGraph.Of(workflow).Checked(engines), workflow);
    }

    /// <summary>Reads a document when it is its turn, and no longer than a moment: who sends slowly keeps nobody out.</summary>
    private async Task InTurnAsync(HttpContext http, Func<CancellationToken, Task> read, CancellationToken cancel)
    {
        var began = time.GetTimestamp();
        RateLimitLease? place;
        while ((place = places.TryEnter(http)) is null)
        {
            if (time.GetElapsedTime(began) > LongestTurn)
                throw new SpotterException(ErrorCodes.Busy, $"Too many sessions are being read already ({places.Share} of one client, {places.Most} of all); send it again in a moment.");
            await Task.Delay(Pause, time, cancel);
        }
        using (place)
        {
            using var late = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            late.CancelAfter(LongestRead);
            try
            {
                await read(late.Token);
            }
            catch (OperationCanceledException end) when (!cancel.IsCancellationRequested)
            {
                throw new BadHttpRequestException($"The session did not come within {LongestRead.TotalSeconds:0} s.", StatusCodes.Status408RequestTimeout, end);
            }
        }
    }

    private static async Task<T> ParseAsync<T>(Stream body, JsonTypeInfo<T> type, CancellationToken cancel)
    {
        try
        {
            return await JsonSerializer.DeserializeAsync(body, type, cancel) ?? throw new JsonException("null");
        }
        catch (JsonException broken)
        {
            throw new SpotterException(ErrorCodes.InvalidRequest, $"The body is not the JSON of a session{(broken.Path is { Length: > 0 and < 200 } path ? $", at {path}" : "")}; docs/sessions.md shows what it is.", broken);
        }
    }

    private static UploadWork WorkOf(string kind, long rank, InputTerms terms, IReadOnlyList<JobNotification>? notify = null) => new(
        new JobRequest
        {
            Engine = QueueNames.WorkflowEngine,
            Model = QueueNames.WorkflowModel,
            Parameters = RawJson.Of(new SessionTerms(kind, rank), SessionJson.Default.SessionTerms),
            Schedule = new JobSchedule { Priority = rank switch { > 0 => JobPriority.High, < 0 => JobPriority.Low, _ => JobPriority.Normal } },
            Notify = notify ?? [],
        },
        terms);

    private static SpotterException NoSession() => new(ErrorCodes.NotFound, "There is no such session.");

    private static SpotterException Invalid(string message) => new(ErrorCodes.InvalidRequest, message);
}
