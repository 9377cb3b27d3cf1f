using System.Runtime.ExceptionServices;
using Spotter.Core;

namespace Spotter.Jobs;

/// <summary>Who asks.</summary>
/// <param name="Tenant">Whose jobs are meant; empty where nobody is told apart.</param>
/// <param name="By">The name that jobs carry; null when nobody is named.</param>
/// <param name="SeesAll">True for who sees all tenants' jobs.</param>
public sealed record JobCaller(string Tenant, string? By, bool SeesAll)
{
    /// <summary>Spotter itself.</summary>
    public static JobCaller Self { get; } = new("", null, SeesAll: true);

    /// <summary>True for who may list jobs, and so may name one by the beginning of its id.</summary>
    public bool MayList { get; init; } = true;

    /// <summary>The tenant to which lists are restricted; null for all.</summary>
    public string? Only => SeesAll ? null : Tenant;
}

/// <summary>A job with what is only true at this moment.</summary>
/// <param name="Job">The row.</param>
/// <param name="Position">About how many jobs of its queue are ahead of it; null unless it is queued, and when nobody knows.</param>
/// <param name="EtaSeconds">About when it will have ended, in seconds from now; null once it has, and when nobody knows.</param>
/// <param name="WaitsFor">Why it waits although there are workers; null when it is only not its turn.</param>
public sealed record JobStatus(Job Job, long? Position, double? EtaSeconds, string? WaitsFor)
{
    /// <summary>How far it is, 0 to 1; null unless it runs on an engine that says so, on a worker of this gateway.</summary>
    public double? Progress { get; init; }
}

/// <summary>
/// The application: what can be done with jobs, whoever asks and wherever they are kept. Doors call it, and see no store;
/// stores serve it, and see no door.
/// </summary>
public sealed partial class JobService : IAsyncDisposable
{
    private readonly IJobStore store;
    private readonly IBlobStore blobs;
    private readonly WorkerRoster roster;
    private readonly JobSettings settings;
    private readonly TimeProvider time;
    private readonly RandomSource random;
    private readonly InputReader inputs;
    private readonly WaitingWorkers waiting;
    private readonly IDisposable subscription;

    /// <summary>Puts the application together; nothing runs before <see cref="RunAsync"/>.</summary>
    /// <param name="store">The jobs. Belongs to the caller, as all of these.</param>
    /// <param name="blobs">The inputs and outputs.</param>
    /// <param name="roster">The workers that have joined.</param>
    /// <param name="models">The models that requests may choose from.</param>
    /// <param name="settings">What is let in.</param>
    /// <param name="time">The clock.</param>
    /// <param name="random">Makes ids and names.</param>
    public JobService(
        IJobStore store, IBlobStore blobs, WorkerRoster roster, ModelCatalogue models, JobSettings settings, TimeProvider time, RandomSource random)
    {
        settings.Validate();
        (this.store, this.blobs, this.roster, this.settings, this.time, this.random) = (store, blobs, roster, settings, time, random);
        inputs = new InputReader(blobs, settings, random, time);
        models.IsHad = roster.HasModel;
        Unserved = new UnservedQueues(models, roster);
        Drain = new DrainRate(time);
        Estimator = new Estimator(roster, settings);
        waiting = new WaitingWorkers(store, settings.Leases.Duration, roster.RankOf, time);
        Backlog = new BacklogMeter(store, Unserved, Drain, Estimator, settings, time)
        {
            // What another gateway has told of may have got lost, and this one may have been started after it.
            WasRead = counts => waiting.Know(counts.Backlogs.Where(b => b.All > 0).Select(b => b.Queue)),
        };
        Admission = new Admission(Backlog, Drain, Estimator, settings, time);
        Changes = new ChangeFeed(store, time);
        Watcher = new JobWatcher(store, Changes, time);
        subscription = Changes.Subscribe(OnChanged);
        Maintenance = new Maintenance(store, blobs, settings.Leases, time);
    }

    /// <summary>What is let in at this moment.</summary>
    public Admission Admission { get; }

    /// <summary>How much waits.</summary>
    public BacklogMeter Backlog { get; }

    /// <summary>How fast jobs end.</summary>
    public DrainRate Drain { get; }

    /// <summary>How long jobs take.</summary>
    public Estimator Estimator { get; }

    /// <summary>Which queues nobody serves.</summary>
    public UnservedQueues Unserved { get; }

    /// <summary>What changes.</summary>
    public ChangeFeed Changes { get; }

    /// <summary>Wakes whoever waits for a job.</summary>
    public JobWatcher Watcher { get; }

    /// <summary>Puts right what crashes and time leave behind.</summary>
    public Maintenance Maintenance { get; }

    /// <summary>Told how many jobs have come in that need a worker.</summary>
    public Action<int> Arrived { get; init; } = static _ => { };

    /// <summary>Told of each attempt that has ended.</summary>
    public Action<Lease, JobOutcome, EndedAttempt> Finished { get; set; } = static (_, _, _) => { };

    /// <summary>Talks with the other gateways on the store; null where there can be none.</summary>
    public ModelSharing? Sharing { get; init; }

    /// <summary>
    /// Checks a notification that a request asks for, and returns it as it is to be stored
    /// (<see cref="Deliveries.DeliveryChannels.Accept"/>). Here, so that no door can forget it.
    /// </summary>
    public Func<JobNotification, JobNotification> AcceptNotification { get; init; } = static asked => asked;

    /// <summary>Follows changes, reads the backlog and tidies up, until cancelled.</summary>
    /// <param name="onError">Hears what went wrong; it is tried again.</param>
    /// <param name="onAnswer">Hears each time that the store has answered, about once a second.</param>
    /// <param name="cancel">Ends it.</param>
    public async Task RunAsync(Action<Exception> onError, Action onAnswer, CancellationToken cancel)
    {
        Task[] loops = [Changes.RunAsync(onError, cancel), Backlog.RunAsync(onError, onAnswer, cancel), Maintenance.RunAsync(onError, cancel),
            Sharing?.RunAsync(onError, cancel) ?? Task.CompletedTask];
        // One that fails ends all of it, however long the others would go on.
        var failed = Supervision.FirstErrorAsync(loops);
        if (await Task.WhenAny(Task.WhenAll(loops), failed) == failed)
            ExceptionDispatchInfo.Throw(await failed);
    }

    /// <summary>The job of this id.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.NotFound"/>: there is none, or it is another tenant's, which is not told apart.</exception>
    public async Task<Job> FindAsync(JobCaller caller, string id, CancellationToken cancel)
    {
        var job = await IdOfAsync(caller, id, cancel);
        return await store.FindAsync(job, cancel) is { } row && (caller.SeesAll || row.Tenant == caller.Tenant)
            ? row
            : throw new SpotterException(ErrorCodes.NotFound, $"There is no job {id}.");
    }

    /// <summary>The jobs of the caller's submission with this idempotency key, in the order of their inputs; those that are gone are left out.</summary>
    /// <param name="caller">Who submitted them.</param>
    /// <param name="key">The idempotency key.</param>
    /// <param name="count">How many jobs it made.</param>
    /// <param name="cancel">Ends the wait.</param>
    public async Task<IReadOnlyList<Job>> FindSubmissionAsync(JobCaller caller, string key, int count, CancellationToken cancel)
    {
        var keys = Enumerable.Range(0, count).Select(i => KeyOf(caller, key, i)!).ToList();
        var known = (await store.FindByKeysAsync(keys, cancel)).ToDictionary(j => j.IdempotencyKey!, StringComparer.Ordinal);
        return [.. keys.Where(known.ContainsKey).Select(k => known[k])];
    }

    /// <summary>The id that is meant by all of its digits, or by a beginning that only one of the caller's jobs has.</summary>
    /// <param name="caller">Who asks.</param>
    /// <param name="digits">The digits; a list of a request may have a null in their place.</param>
    /// <param name="cancel">Ends the wait.</param>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.NotFound"/>; <see cref="ErrorCodes.InvalidRequest"/>: several begin so.</exception>
    public async Task<JobId> IdOfAsync(JobCaller caller, string? digits, CancellationToken cancel)
    {
        if (JobId.TryParse(digits, out var id))
            return id;
        if (!JobId.IsPrefix(digits) || !caller.MayList)
            // What was asked for is not repeated when it can't be an id: it may be anything.
            throw new SpotterException(ErrorCodes.NotFound, "There is no such job.");
        return await store.FindIdsAsync(digits, caller.Only, cancel) switch
        {
            { Ids: [var only], IsWhole: true } => only,
            { Ids: [], IsWhole: true } => throw new SpotterException(ErrorCodes.NotFound, $"There is no job whose id begins with {digits}."),
            { Ids: [] } => throw new SpotterException(ErrorCodes.InvalidRequest, $"{digits} is too short to tell which job is meant; give more digits of its id."),
            var several => throw new SpotterException(
                ErrorCodes.InvalidRequest,
                $"{digits} may begin the id of more than one job: {string.Join(", ", several.Ids)}{(several.IsWhole ? "" : ", …")}; give more digits."),
        };
    }

    /// <summary>One page of the caller's jobs, newest first; and whether there are more.</summary>
    public async Task<(IReadOnlyList<Job> Jobs, bool More)> ListAsync(JobCaller caller, JobFilter filter, CancellationToken cancel)
    {
        // One more than asked for tells whether there is a next page.
        var rows = await store.ListAsync(filter with { Tenant = caller.Only, Limit = filter.Limit + 1 }, cancel);
        return rows.Count > filter.Limit ? ([.. rows.Take(filter.Limit)], true) : (rows, false);
    }

    /// <summary>What is only true at this moment of jobs: one reading for all of them, which may be a moment old.</summary>
    public async Task<IReadOnlyList<JobStatus>> StatusAsync(IReadOnlyList<Job> jobs, CancellationToken cancel)
    {
        if (jobs.All(j => j.State != JobState.Queued))
            return [.. jobs.Select(j => StatusOf(j, null))];
        var newest = jobs.Max(j => j.Created);
        var counts = await Backlog.RecentAsync(newest, cancel);
        return [.. jobs.Select(j => StatusOf(j, counts))];
    }

    /// <summary>As <see cref="StatusAsync(IReadOnlyList{Job}, CancellationToken)"/>, of one job.</summary>
    public async Task<JobStatus> StatusAsync(Job job, CancellationToken cancel) => (await StatusAsync([job], cancel))[0];

    /// <summary>Cancels a job; the row as it stands afterwards.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.NotCancellable"/>: it has ended already.</exception>
    public async Task<Job> CancelAsync(JobCaller caller, Job job, CancellationToken cancel)
    {
        var now = await store.CancelAsync(job.Id, caller.By, cancel) ?? job;
        return now.State == JobState.Cancelled
            ? now
            : throw new SpotterException(ErrorCodes.NotCancellable, $"Job {now.Id} has ended already: {now.State}.");
    }

    /// <summary>Puts dead jobs of the caller back into their queues, batch after batch; how many. Those that die again meanwhile are not put back twice.</summary>
    public async Task<int> RedriveAsync(JobCaller caller, RedriveFilter filter, CancellationToken cancel)
    {
        filter = filter with { Tenant = caller.Only };
        if (filter.Ids is not null)
            return await store.RedriveAsync(filter, caller.By, cancel);
        var before = (await store.CountAsync(cancel)).Jobs.Dead;
        var sum = 0;
        while (sum < before && await store.RedriveAsync(filter, caller.By, cancel) is > 0 and var some)
            sum += some;
        return sum;
    }

    /// <summary>Opens an input of a job as it was sent.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.OriginalExpired"/>.</exception>
    public async Task<Stream> OpenInputAsync(Job job, InputRef input, CancellationToken cancel) =>
        (job.InputsExpired ? null : await blobs.OpenAsync(input.Key, cancel))
        ?? throw new SpotterException(ErrorCodes.OriginalExpired, $"The picture of job {job.Id} has been deleted because of its age.");

    /// <summary>Opens a picture that somebody has put beside the inputs for the caller, by its name (<see cref="BlobKey.Placed"/>).</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.NotFound"/>: there is none, or none can be called so.</exception>
    public async Task<Stream> OpenPlacedAsync(JobCaller caller, string name, CancellationToken cancel) =>
        (BlobKey.Placed(caller.Only ?? "", name) is { } key ? await blobs.OpenAsync(key, cancel) : null)
        // What was asked for is not repeated: it may be anything.
        ?? throw new SpotterException(ErrorCodes.NotFound, $"There is no such picture under {BlobKey.PlacedPrefix} in the place of the pictures.");

    /// <summary>Opens what a job has made; null when it made nothing, or that has been deleted.</summary>
    public async Task<Stream?> OpenOutputAsync(Job job, CancellationToken cancel) =>
        job.Output is { } key ? await blobs.OpenAsync(key, cancel) : null;

    /// <summary>Opens a file that a job has made.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.OriginalExpired"/>.</exception>
    public async Task<Stream> OpenOutputAsync(Job job, OutputRef output, CancellationToken cancel) =>
        (job.InputsExpired ? null : await blobs.OpenAsync(output.Key, cancel))
        ?? throw new SpotterException(ErrorCodes.OriginalExpired, $"The file '{output.Name}' of job {job.Id} has been deleted because of its age.");

    /// <summary>How many jobs stand where.</summary>
    public Task<StoreCounts> CountAsync(CancellationToken cancel) => store.CountAsync(cancel);

    /// <summary>No worker waits for a job any more: the gateway stops, and each would hold a connection open.</summary>
    public Task StopTakesAsync() => waiting.StopAsync();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        subscription.Dispose();
        await waiting.StopAsync();
        waiting.Dispose();
        Watcher.Dispose();
        Admission.Dispose();
    }

    private void OnChanged(JobChange change)
    {
        if (change.Queue is { } queue)
            waiting.Filled(queue);
        else if (change.IsMissed)
            waiting.Filled(null);
    }

    private JobStatus StatusOf(Job job, StoreCounts? counts)
    {
        if (job.State.IsTerminal())
            return new JobStatus(job, null, null, null);
        if (job.State == JobState.Running)
            return new JobStatus(job, null, Estimator.EtaSeconds(job, null, time.GetUtcNow()), null) { Progress = roster.ProgressOf(job.Worker, job.Id) };
        var position = Estimator.PositionOf(job, counts!);
        return Unserved.ReasonFor(job.Queue) is { } reason
            ? new JobStatus(job, position, null, reason)
            : new JobStatus(job, position, Estimator.EtaSeconds(job, position, time.GetUtcNow()), Unserved.DelayOf(job.Queue));
    }
}
