using System.Text.Json.Serialization;
using Spotter.Core;
using Spotter.Engines.Catalogue;
using Spotter.Jobs;

namespace Spotter.Gateway.Sessions;

/// <summary>An answer of the session API.</summary>
/// <param name="Status"><c>success</c>, or <c>error</c> for a request that was refused.</param>
/// <param name="Message">What is wrong; empty for nothing.</param>
/// <param name="Data">The session; null with an error.</param>
internal sealed record SessionAnswer(string Status, string Message, SessionView? Data)
{
    /// <summary>The answer to a request that was not refused.</summary>
    public static SessionAnswer Of(SessionView session, string? message) => new("success", message ?? "", session);
}

/// <summary>A session as answers show it.</summary>
/// <param name="SessionId">Its name.</param>
/// <param name="Process">Where it stands.</param>
/// <param name="Results">What has come through the channels of interest.</param>
internal sealed record SessionView(string SessionId, SessionProcess Process, IReadOnlyDictionary<string, IReadOnlyList<RawJson>> Results)
{
    /// <summary>Of what its webhook tells; null in other answers.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Event { get; init; }
}

/// <summary>Where a session stands.</summary>
/// <param name="Status">One of <see cref="SessionStates"/>.</param>
/// <param name="TotalPending">How many jobs wait for the engines that it waits for; 0 once it waits for none.</param>
/// <param name="TotalQueuing">How many of them are not due yet, mostly as they are tried again.</param>
internal sealed record SessionProcess(
    string Status, [property: JsonPropertyName("total_pending")] long TotalPending, [property: JsonPropertyName("total_queuing")] long TotalQueuing)
{
    /// <summary>About how many are ahead of it; null once it waits for nobody.</summary>
    [JsonPropertyName("current_position")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? CurrentPosition { get; init; }
}

/// <summary>The states of sessions.</summary>
internal static class SessionStates
{
    /// <summary>It waits for an engine, and nothing of it has run.</summary>
    public const string Pending = "pending";

    /// <summary>It is about to go on: its next jobs are being made, or wait to be tried again.</summary>
    public const string Queuing = "queuing";

    /// <summary>An engine works on it, or has.</summary>
    public const string Processing = "processing";

    /// <summary>It was stopped, and an engine still works on it.</summary>
    public const string Stopping = "stopping";

    /// <summary>It has its results.</summary>
    public const string Finished = "finished";

    /// <summary>An engine has failed.</summary>
    public const string Failed = "failed";

    /// <summary>It was stopped.</summary>
    public const string Canceled = "canceled";

    /// <summary>The state of a session.</summary>
    /// <param name="session">Its job.</param>
    /// <param name="steps">The jobs of its steps, as far as there are any.</param>
    public static string Of(Job session, IReadOnlyCollection<Job> steps) => session.State switch
    {
        JobState.Succeeded => Finished,
        JobState.Failed or JobState.Dead => Failed,
        JobState.Cancelled => steps.All(j => j.State.IsTerminal()) ? Canceled : Stopping,
        _ when steps.Any(j => j.State == JobState.Running) => Processing,
        _ when steps.Any(j => j is { State: JobState.Queued, Attempts: > 0 }) => Queuing,
        _ when steps.Any(j => j.State.IsTerminal()) => Processing,
        JobState.Running when steps.Count == 0 => Queuing,
        _ => Pending,
    };
}

/// <summary>Shows sessions.</summary>
internal sealed class SessionPresenter(JobService jobs, SessionSteps steps, EngineCatalogue engines)
{
    /// <summary>A session as it stands.</summary>
    /// <param name="session">Its job.</param>
    /// <param name="channel">Show the results of this channel only; null for all.</param>
    /// <param name="cancel">Ends it.</param>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.NotFound"/>: it has no such channel of interest.</exception>
    public async Task<SessionView> ShowAsync(Job session, string? channel, CancellationToken cancel)
    {
        var name = SessionId.Of(session, TermsOf(session));
        if (session is { State: JobState.Succeeded, Result: { } result })
            return new SessionView(name, new SessionProcess(SessionStates.Finished, 0, 0), Only(result.Read(SessionJson.Default.SessionResult).Results, channel));
        var graph = await GraphAsync(session, cancel);
        IReadOnlyList<IReadOnlyList<Job>> made = graph is null ? [] : await steps.FindAsync(session, graph, cancel);
        var all = made.SelectMany(m => m).ToList();
        return new SessionView(name, await ProcessAsync(session, all, cancel), graph is null ? Nothing : Only(SessionResult.ShowAll(graph, c => ItemsOf(session, graph, made, c)), channel));
    }

    /// <summary>What is known of a session without its graph.</summary>
    public static SessionTerms TermsOf(Job session) => session.Spec.Parameters.Read(SessionJson.Default.SessionTerms);

    private static Dictionary<string, IReadOnlyList<RawJson>> Nothing => new(StringComparer.Ordinal);

    private static IReadOnlyDictionary<string, IReadOnlyList<RawJson>> Only(IReadOnlyDictionary<string, IReadOnlyList<RawJson>> results, string? channel)
    {
        if (channel is null)
            return results;
        // What was asked for is not repeated: it may be anything.
        return results.TryGetValue(channel, out var only) ? new Dictionary<string, IReadOnlyList<RawJson>>(StringComparer.Ordinal) { [channel] = only }
            : throw new SpotterException(ErrorCodes.NotFound, $"The session keeps no results of such a channel; it keeps {(results.Count == 0 ? "none" : string.Join(", ", results.Keys.Select(k => $"'{k}'")))}. Mark channels as 'interested' to have theirs kept.");
    }

    private async Task<SessionProcess> ProcessAsync(Job session, List<Job> made, CancellationToken cancel)
    {
        var state = SessionStates.Of(session, made);
        if (state is not (SessionStates.Pending or SessionStates.Queuing))
            return new SessionProcess(state, 0, 0);
        var waiting = made.Where(j => j.State == JobState.Queued).DefaultIfEmpty(session).ToList();
        var queues = waiting.Select(j => j.Queue).ToHashSet(StringComparer.Ordinal);
        var lines = (await jobs.CountAsync(cancel)).Backlogs.Where(b => queues.Contains(b.Queue)).ToList();
        var position = (await jobs.StatusAsync(waiting, cancel)).Select(s => s.Position).Min();
        return new SessionProcess(state, lines.Sum(b => b.All), lines.Sum(b => b.Delayed)) { CurrentPosition = position };
    }

    /// <summary>What has come through a channel so far.</summary>
    private IEnumerable<SessionItem> ItemsOf(Job session, SessionGraph graph, IReadOnlyList<IReadOnlyList<Job>> made, int channel) =>
        graph.Start.Where(s => s.Channel == channel).Select(s => (SessionItem)new SessionItem.Value(s.Payload)).Concat(
            from step in graph.Steps.Index()
            from port in step.Item.Outputs
            where port.Channel == channel
            from job in made[step.Index]
            where job.State == JobState.Succeeded
            from item in StepOutputs.Of(step.Item, port, graph.Channels[channel].Type, job, engines)
            select item).Concat(IsStatus(graph, channel) ? StatusOf(session) : []);

    /// <summary>True for a channel on which an engine says how it ended, whatever the channel is called.</summary>
    private static bool IsStatus(SessionGraph graph, int channel) =>
        graph.Channels[channel].Type == ChannelTypes.Json && graph.Steps.Any(s => s.Outputs.Any(o => o.Channel == channel && o.Name == SessionGraph.Status));

    /// <summary>A session that has failed says so, as an engine would have.</summary>
    private static IEnumerable<SessionItem> StatusOf(Job session) => session is { State: JobState.Failed or JobState.Dead, Error: { } error }
        ? [new SessionItem.Value(RawJson.Of(new StatusItem(StatusItem.Error, error.Detail), SessionJson.Default.StatusItem))]
        : [];

    private async Task<SessionGraph?> GraphAsync(Job session, CancellationToken cancel)
    {
        try
        {
            using (await ReadingPlaces.EnterAsync(cancel))
                return await steps.GraphOfAsync(session, cancel);
        }
        catch (SpotterException gone) when (gone.Code is ErrorCodes.OriginalExpired)
        {
            return null;
        }
    }
}
