using System.Globalization;
using System.Text.Json;
using Spotter.Core;
using Spotter.Engines.Catalogue;
using Spotter.Jobs;

namespace Spotter.Gateway.Sessions;

/// <summary>The jobs of the steps of sessions: how they are made, and found again.</summary>
internal sealed class SessionSteps(JobService jobs, EngineCatalogue engines, ModelCatalogue models, JobDrawings drawings, GatewaySettings settings)
{
    /// <summary>Most inputs of one step.</summary>
    public const int MostInputs = 100;

    /// <summary>The jobs of each step of a session, as far as they have begun.</summary>
    /// <param name="session">The session's job.</param>
    /// <param name="graph">What it does.</param>
    /// <param name="cancel">Ends it.</param>
    public async Task<IReadOnlyList<IReadOnlyList<Job>>> FindAsync(Job session, SessionGraph graph, CancellationToken cancel)
    {
        var found = new List<IReadOnlyList<Job>>(graph.Steps.Count);
        for (var i = 0; i < graph.Steps.Count; i++)
            found.Add(await FindAsync(session, i, cancel));
        return found;
    }

    private async Task<IReadOnlyList<Job>> FindAsync(Job session, int index, CancellationToken cancel)
    {
        var (caller, key) = (CallerOf(session), KeyOf(session.Id, index));
        var first = await jobs.FindSubmissionAsync(caller, key, 1, cancel);
        return first is [{ Spec.Step: { } step }] && CountIn(step) is > 1 and var count ? await jobs.FindSubmissionAsync(caller, key, count, cancel) : first;
    }

    /// <summary>Makes the jobs of a step, or finds those that were made before.</summary>
    /// <param name="session">The session's job.</param>
    /// <param name="graph">What it does.</param>
    /// <param name="index">The step.</param>
    /// <param name="read">What has come through a step's inputs, in their order.</param>
    /// <param name="cancel">Ends it.</param>
    /// <exception cref="SpotterException">They can't be made, now (<see cref="MayPass"/>) or ever.</exception>
    public async Task<IReadOnlyList<Job>> SubmitAsync(
        Job session, SessionGraph graph, int index, Func<GraphStep, CancellationToken, Task<IReadOnlyList<IReadOnlyList<SessionItem>>>> read, CancellationToken cancel)
    {
        var step = graph.Steps[index];
        if (await FindAsync(session, index, cancel) is [_, ..] earlier)
            return earlier;
        var engine = engines.FindOffered(step.Engine) ?? throw new SpotterException(ErrorCodes.UnknownEngine, $"There is no engine '{step.Engine}' now.");
        var form = new JobForm(engines);
        form.Set("engine", step.Engine);
        form.Set("priority", EnumNames.Of(session.Priority));
        // What was sent may be long.
        using var place = await ReadingPlaces.EnterAsync(cancel);
        var sent = StepInputs.Of(engine, step, await read(step, cancel), [.. step.Inputs.Select(i => graph.Channels[i.Channel].Type)], form);
        var terms = form.Terms(models.Models, settings.Jobs.MaxInputBytes, isComplete: true);
        // Some are drawn only now, and whoever waits for that is to keep nobody's upload out.
        await using var contents = new OpenStreams();
        foreach (var input in sent)
            contents.Add(await OpenAsync(input, cancel));
        await using var submission = await jobs.BeginStepAsync(CallerOf(session), KeyOf(session.Id, index), cancel);
        foreach (var (input, content) in sent.Zip(contents))
            await submission.AddInputAsync(content, input.Name, input.Type, terms, cancel);
        var request = form.Resolve(models.Models, [.. submission.Inputs.Select(i => i.Ref)]);
        if (engine.TakesDocuments() && sent.Count > 1 && !request.Together)
            throw new SpotterException(ErrorCodes.InvalidRequest, $"The engine '{engine.Name}' makes a job of each of its inputs, so it can't have files besides its values; have it declare 'together'.");
        var count = request.Together ? 1 : sent.Count;
        var added = await submission.AcceptAsync(request with { Parent = session.Id, Step = string.Create(CultureInfo.InvariantCulture, $"{index}:{count}") }, cancel);
        return [.. added.Select(a => a.Job)];
    }

    /// <summary>Cancels what still runs of a session: nobody wants it any more.</summary>
    public async Task CancelAsync(Job session, CancellationToken cancel)
    {
        IReadOnlyList<IReadOnlyList<Job>> made;
        try
        {
            using (await ReadingPlaces.EnterAsync(cancel))
                made = await FindAsync(session, await GraphOfAsync(session, cancel), cancel);
        }
        catch (SpotterException gone) when (gone.Code is ErrorCodes.OriginalExpired)
        {
            return;
        }
        foreach (var job in made.SelectMany(s => s).Where(j => !j.State.IsTerminal()))
        {
            try
            {
                await jobs.CancelAsync(CallerOf(session), job, cancel);
            }
            catch (SpotterException over) when (over.Code == ErrorCodes.NotCancellable)
            {
                // It has ended meanwhile.
            }
        }
    }

    /// <summary>True for what may be otherwise in a moment: also an engine that this gateway has not heard of yet, for it was known when the session was accepted.</summary>
    public static bool MayPass(SpotterException refusal) => refusal.Code is ErrorCodes.Busy or ErrorCodes.StoreUnavailable or ErrorCodes.DiskFull or ErrorCodes.UnknownEngine;

    /// <summary>What a session does.</summary>
    /// <exception cref="SpotterException">It can't be read, or is gone.</exception>
    public async Task<SessionGraph> GraphOfAsync(Job session, CancellationToken cancel)
    {
        await using var content = await jobs.OpenInputAsync(session, session.Spec.Inputs[0], cancel);
        try
        {
            return await JsonSerializer.DeserializeAsync(content, SessionJson.Default.SessionGraph, cancel) ?? throw new JsonException("null");
        }
        catch (JsonException broken)
        {
            throw new SpotterException(ErrorCodes.BlobCorrupt, "What the session does can't be read any more; send it again.", broken);
        }
    }

    /// <summary>What goes into a session at its beginning.</summary>
    public async Task<IReadOnlyList<GraphStart>> StartOfAsync(Job session, CancellationToken cancel) => (await GraphOfAsync(session, cancel)).Start;

    /// <summary>Whose jobs the steps of a session are.</summary>
    public static JobCaller CallerOf(Job session) => new(session.Tenant, session.By, SeesAll: false);

    // No client can send such a key: theirs are ASCII.
    private static string KeyOf(JobId session, int index) => string.Create(CultureInfo.InvariantCulture, $"§{session}:{index}");

    private static int CountIn(string step) => int.TryParse(step.AsSpan(step.IndexOf(':', StringComparison.Ordinal) + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? count : 1;

    private async Task<Stream> OpenAsync(StepInput input, CancellationToken cancel) => input.Made switch
    {
        null => new MemoryStream(input.Bytes!, writable: false),
        { File: { } file, Job: var job } => await jobs.OpenOutputAsync(job, file, cancel),
        { Job: var job } => await drawings.OpenAsync(job, 0, enter: null, cancel),
    };

    /// <summary>Streams that are closed together.</summary>
    private sealed class OpenStreams : List<Stream>, IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            foreach (var stream in this)
                await stream.DisposeAsync();
        }
    }
}
