using Spotter.Core;
using Spotter.Engines.Catalogue;
using Spotter.Jobs;

namespace Spotter.Gateway.Sessions;

/// <summary>The result of a session's job.</summary>
/// <param name="Results">What has come through the channels of interest, by their names.</param>
/// <param name="Summary">What it did, on a line.</param>
internal sealed record SessionResult(IReadOnlyDictionary<string, IReadOnlyList<RawJson>> Results, string Summary)
{
    /// <summary>Of the items in each channel, those in channels of interest.</summary>
    public static IReadOnlyDictionary<string, IReadOnlyList<RawJson>> ShowAll(SessionGraph graph, Func<int, IEnumerable<SessionItem>> items) => graph.Channels.Index()
        .Where(c => c.Item.Interested)
        .ToDictionary(c => c.Item.Name, c => (IReadOnlyList<RawJson>)[.. items(c.Index).Select(i => i.Shown)], StringComparer.Ordinal);
}

/// <summary>
/// Runs one session under its lease: makes the jobs of each step once what it reads is there. All that it remembers can be found again
/// by whoever gets the next lease: the graph is the job's input, and the steps' jobs have keys.
/// </summary>
internal sealed class SessionRun
{
    // A result takes no more room than that of any other job.
    private const int MostResultBytes = 16 << 20;
    private const int LongestDetail = 1000;

    // A change may get lost on the way.
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    private readonly Job session;
    private readonly SessionGraph graph;
    private readonly HashSet<int> started;
    private readonly SessionSteps steps;
    private readonly JobService jobs;
    private readonly EngineCatalogue engines;
    private readonly TimeProvider time;
    private readonly List<SessionItem>[] channels;
    private readonly HashSet<int> begun = [];
    private readonly HashSet<int> ended = [];

    /// <summary>Begins nothing yet.</summary>
    /// <param name="session">The session's job.</param>
    /// <param name="graph">What it does.</param>
    /// <param name="steps">Makes the jobs.</param>
    /// <param name="jobs">Waits for them.</param>
    /// <param name="engines">Which results can be drawn.</param>
    /// <param name="time">The clock.</param>
    public SessionRun(Job session, SessionGraph graph, SessionSteps steps, JobService jobs, EngineCatalogue engines, TimeProvider time)
    {
        (this.session, this.steps, this.jobs, this.engines, this.time) = (session, steps, jobs, engines, time);
        channels = [.. graph.Channels.Select(_ => new List<SessionItem>())];
        started = [.. graph.Start.Select(s => s.Channel)];
        // There may be pictures in it, and a session may wait for long: it is read again when a step needs it.
        this.graph = graph with { Start = [] };
    }

    /// <summary>How much of it has ended, 0 to 1.</summary>
    public double Progress => (double)ended.Count / graph.Steps.Count;

    /// <summary>Runs it to its end.</summary>
    /// <param name="cancel">Cancelled when the lease is lost, or the gateway stops. The jobs of its steps go on.</param>
    public async Task<JobOutcome> RunAsync(CancellationToken cancel)
    {
        using var failed = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var running = new List<Task<(int Step, IReadOnlyList<Job> Jobs)>>();
        try
        {
            while (true)
            {
                foreach (var step in graph.Ready(begun, ended))
                {
                    begun.Add(step);
                    running.Add(RunAsync(step, failed.Token));
                }
                if (running.Count == 0)
                    return await DoneAsync(cancel);
                var first = await Task.WhenAny(running);
                running.Remove(first);
                Note(await first);
            }
        }
        catch (SpotterException wrong) when (!cancel.IsCancellationRequested)
        {
            await EndAsync(failed, running);
            await steps.CancelAsync(session, cancel);
            return new JobOutcome.Reject(new JobError(wrong.Code, wrong.Message[..Math.Min(wrong.Message.Length, LongestDetail)]));
        }
        finally
        {
            // None of them may make a job when somebody else has looked for those that there are.
            await EndAsync(failed, running);
        }
    }

    private static async Task EndAsync(CancellationTokenSource failed, List<Task<(int Step, IReadOnlyList<Job> Jobs)>> running)
    {
        await failed.CancelAsync();
        await Task.WhenAll(running).ContinueWith(static ended => _ = ended.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private async Task<(int, IReadOnlyList<Job>)> RunAsync(int index, CancellationToken cancel)
    {
        var step = graph.Steps[index];
        IReadOnlyList<Job> made;
        while (true)
        {
            try
            {
                made = await steps.SubmitAsync(session, graph, index, InputsAsync, cancel);
                break;
            }
            catch (SpotterException passing) when (SessionSteps.MayPass(passing))
            {
                await Task.Delay(Pause, time, cancel);
            }
            catch (SpotterException wrong)
            {
                throw new SpotterException(wrong.Code, $"The engine '{step.Engine}' can't be given what it is to work on. {wrong.Message}", wrong);
            }
        }
        var rows = await Task.WhenAll(made.Select(job => EndAsync(job, cancel)));
        if (Array.Find(rows, j => j.State != JobState.Succeeded) is { } lost)
            throw new SpotterException(lost.Error?.Code ?? ErrorCodes.Internal, $"The engine '{step.Engine}' did not succeed (job {lost.Id}, {EnumNames.Of(lost.State)}). {lost.Error?.Detail}".TrimEnd());
        return (index, rows);
    }

    /// <summary>What has come through the inputs of a step.</summary>
    private async Task<IReadOnlyList<IReadOnlyList<SessionItem>>> InputsAsync(GraphStep step, CancellationToken cancel)
    {
        var start = step.Inputs.Any(i => started.Contains(i.Channel)) ? await steps.StartOfAsync(session, cancel) : [];
        return [.. step.Inputs.Select(i => (IReadOnlyList<SessionItem>)[.. ItemsOf(start, i.Channel), .. channels[i.Channel]])];
    }

    private static IEnumerable<SessionItem> ItemsOf(IReadOnlyList<GraphStart> start, int channel) => start.Where(s => s.Channel == channel).Select(s => new SessionItem.Value(s.Payload));

    private async Task<Job> EndAsync(Job job, CancellationToken cancel)
    {
        using var watch = jobs.Watcher.Begin(job.Id);
        while (true)
        {
            var changed = watch.NextAsync();
            try
            {
                var row = await jobs.FindAsync(JobCaller.Self, job.Id.Value, cancel);
                if (row.State.IsTerminal())
                    return row;
                await changed.WaitAsync(Look, time, cancel);
            }
            catch (SpotterException passing) when (passing.Code is ErrorCodes.Busy or ErrorCodes.StoreUnavailable)
            {
                await Task.Delay(Pause, time, cancel);
            }
            catch (TimeoutException)
            {
                // Then the row says whether something has changed.
            }
        }
    }

    /// <summary>What a step has made goes into its channels.</summary>
    private void Note((int Index, IReadOnlyList<Job> Jobs) end)
    {
        var step = graph.Steps[end.Index];
        foreach (var port in step.Outputs)
        {
            foreach (var job in end.Jobs)
            {
                var items = StepOutputs.Of(step, port, graph.Channels[port.Channel].Type, job, engines);
                if (port.Name == SessionGraph.Status && items.Select(StatusItem.Of).FirstOrDefault(s => s?.Type == StatusItem.Error) is { } error)
                    throw new SpotterException("engine_error", $"The engine '{step.Engine}' has failed: {error.Message ?? "it does not say why"}");
                channels[port.Channel].AddRange(items);
            }
        }
        ended.Add(end.Index);
    }

    private async Task<JobOutcome> DoneAsync(CancellationToken cancel)
    {
        var start = started.Any(c => graph.Channels[c].Interested) ? await steps.StartOfAsync(session, cancel) : [];
        var result = RawJson.Of(
            new SessionResult(SessionResult.ShowAll(graph, c => ItemsOf(start, c).Concat(channels[c])), $"{string.Join(", ", graph.Steps.Select(s => s.Engine))} finished"), SessionJson.Default.SessionResult);
        return result.Utf8.Length <= MostResultBytes
            ? new JobOutcome.Done(result, new JobTimings(), Output: null)
            : new JobOutcome.Reject(new JobError(ErrorCodes.OutputTooLarge, $"The results of the session have {result.Utf8.Length} bytes, and at most {MostResultBytes} are kept; mark fewer channels as 'interested'."));
    }
}
