using System.Text.Json;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Backends.Local;

/// <summary>
/// The truth about jobs in a SQLite file. Every change is one unit of work of the file's writer and fenced in SQL,
/// so that no two of them can disagree.
/// </summary>
internal sealed class SqliteJobStore : IJobStore
{
    private readonly SqliteDatabase database;
    private readonly SqliteTransitions transitions;
    private readonly TimeProvider clock;
    private readonly ChangeReaders changes = new();

    public SqliteJobStore(SqliteDatabase database, RetrySchedule retries, RandomSource random, TimeProvider clock)
    {
        this.database = database;
        this.clock = clock;
        transitions = new SqliteTransitions(retries, random, clock);
        database.Writer.WhenCommitted(changes.Publish);
    }

    public int TakesAtOnce => 2;

    public async Task<IReadOnlyList<AddedJob>> AddAsync(IReadOnlyList<NewJob> jobs, CancellationToken cancel)
    {
        var inserts = jobs.Select(NewRow.Of).ToArray();
        var rows = await database.CommitAsync(
            scope =>
            {
                var now = Microseconds.Now(clock);
                return Array.ConvertAll(inserts, job => job.AddTo(scope, now));
            },
            cancel);
        return Array.ConvertAll(rows, row => row.ToAnswer());
    }

    public async Task<TakenJobs> TakeAsync(TakeRequest request, CancellationToken cancel) =>
        (await TakeInTurnAsync([request], cancel))[0];

    public async Task<IReadOnlyList<TakenJobs>> TakeInTurnAsync(IReadOnlyList<TakeRequest> requests, CancellationToken cancel) =>
        (await database.CommitAsync(scope => SqliteTake.Run(scope, requests, Microseconds.Now(clock)), cancel)).ConvertAll(t => t.ToAnswer());

    public Task<IReadOnlyList<bool>> ExtendAsync(IReadOnlyList<Lease> leases, TimeSpan duration, TimeSpan enough, CancellationToken cancel) =>
        database.ApplyAsync<IReadOnlyList<bool>>(
            scope =>
            {
                var until = Microseconds.Now(clock) + Microseconds.From(duration);
                return [.. leases.Select(lease => scope.Prepare("UPDATE jobs SET leased_until = ?3 WHERE id = ?1 AND fencing_token = ?2 AND worker = ?4 AND state = 1")
                    .Bind(1, lease.Job).Bind(2, lease.FencingToken).Bind(3, until).Bind(4, lease.Worker).Run() > 0)];
            },
            cancel);

    public Task<EndedAttempt?> FinishAsync(Lease lease, JobOutcome outcome, CancellationToken cancel)
    {
        switch (outcome)
        {
            case JobOutcome.Done done:
                var timings = JsonSerializer.SerializeToUtf8Bytes(done.Timings, SpotterJson.Default.JobTimings);
                var output = OutputColumn.Write(done.Output, done.Outputs);
                return database.CommitAsync(
                    scope => transitions.End(scope, lease, JobState.Succeeded, new(null, timings, done.Result.Utf8, output, done.ModelVersion, ServedJobs.One(done.Timings))), cancel);
            case JobOutcome.Reject reject:
                var error = SqliteTransitions.ToJson(reject.Error);
                return database.CommitAsync(scope => transitions.End(scope, lease, JobState.Failed, new(error, null, null, null, null)), cancel);
            case JobOutcome.Retry retry:
                return database.CommitAsync(scope => transitions.Retry(scope, lease, retry), cancel);
            default:
                throw new ArgumentOutOfRangeException(nameof(outcome));
        }
    }

    public async Task<Job?> CancelAsync(JobId id, string? by, CancellationToken cancel)
    {
        await database.CommitAsync(scope => transitions.Cancel(scope, id, by), cancel);
        return await FindAsync(id, cancel);
    }

    public Task<int> RedriveAsync(RedriveFilter filter, string? by, CancellationToken cancel)
    {
        var ids = filter.Ids is { } wanted ? ToJson(wanted.Select(i => i.Value)) : null;
        return database.CommitAsync(scope => transitions.Redrive(scope, filter, ids, by), cancel);
    }

    public Task<int> ExpireAsync(int limit, CancellationToken cancel) =>
        database.CommitAsync(scope => transitions.Expire(scope, limit), cancel);

    public Task<LostLeases> ReleaseAsync(string? worker, JobError error, bool spendAttempt, CancellationToken cancel) =>
        database.CommitAsync(scope => transitions.Release(scope, worker, error, spendAttempt), cancel);

    public Task<int> ReapAsync(int limit, CancellationToken cancel)
    {
#if PLANTED_BUGS
        if (PlantedBug.Is("leases-never-end"))
            return Task.FromResult(0);
#endif
        return database.CommitAsync(scope => transitions.Reap(scope, limit), cancel);
    }

    public async Task<Job?> FindAsync(JobId id, CancellationToken cancel) =>
        await FirstAsync(connection => connection.Prepare($"SELECT {JobRow.Columns} FROM jobs WHERE id = ?1").Bind(1, id), cancel);

    public async Task<JobIdSearch> FindIdsAsync(string prefix, string? tenant, CancellationToken cancel) =>
        JobIdSearch.Among(await database.ReadAsync(connection => JobQueries.IdsIn(connection, JobId.RangeOf(prefix)), cancel), tenant);

    public async Task<IReadOnlyList<Job>> FindByKeysAsync(IReadOnlyCollection<string> idempotencyKeys, CancellationToken cancel)
    {
        var keys = ToJson(idempotencyKeys);
        return (await database.ReadAsync(connection => JobQueries.ByKeys(connection, keys), cancel)).ConvertAll(r => r.ToJob());
    }

    public async Task<Job?> FindCachedAsync(string tenant, string resultCacheKey, string modelVersion, CancellationToken cancel) =>
        await FirstAsync(
            connection => connection.Prepare($"""
                SELECT {JobRow.Columns} FROM jobs INDEXED BY jobs_cached
                WHERE state = 2 AND result_cache_key IS NOT NULL AND cached_from IS NULL
                    AND result_cache_key = ?1 AND tenant = ?2 AND model_version = ?3
                ORDER BY seq DESC LIMIT 1
                """).Bind(1, resultCacheKey).Bind(2, tenant).Bind(3, modelVersion),
            cancel);

    public async Task<IReadOnlyList<Job>> ListAsync(JobFilter filter, CancellationToken cancel) =>
        (await database.ReadAsync(connection => SqliteJobList.Read(connection, filter), cancel)).ConvertAll(r => r.ToJob());

    public Task<StoreCounts> CountAsync(CancellationToken cancel) =>
        database.ReadAsync(connection => JobQueries.Count(connection, Microseconds.Now(clock)), cancel);

    public Task<IReadOnlyList<string>> UnknownBlobsAsync(IReadOnlyCollection<string> keys, CancellationToken cancel)
    {
        var wanted = keys.ToArray();
        var names = ToJson(wanted.Select(BlobName.Of));
        return database.ReadAsync<IReadOnlyList<string>>(
            connection => JobQueries.UnknownBlobs(connection, names).ConvertAll(at => wanted[at]), cancel);
    }

    public Task<IReadOnlyList<string>> ExpireBlobsAsync(DateTimeOffset finishedBefore, int limit, CancellationToken cancel) =>
        database.CommitAsync(scope => SqliteRetention.ExpireBlobs(scope, Microseconds.From(finishedBefore), limit), cancel);

    public Task<int> PurgeAsync(DateTimeOffset finishedBefore, int limit, CancellationToken cancel) =>
        database.CommitAsync(scope => SqliteRetention.Purge(scope, Microseconds.From(finishedBefore), limit), cancel);

    public IAsyncEnumerable<JobChange> ChangesAsync(CancellationToken cancel) => changes.ReadAsync(cancel);

    private static byte[] ToJson(IEnumerable<string> texts) => JsonSerializer.SerializeToUtf8Bytes([.. texts], SpotterJson.Default.StringArray);

    private async Task<Job?> FirstAsync(Func<SqliteConnection, SqliteStatement> query, CancellationToken cancel)
    {
        var row = await database.ReadAsync(
            connection =>
            {
                using var select = query(connection);
                return select.Step() ? JobRow.Read(select) : null;
            },
            cancel);
        return row?.ToJob();
    }

    /// <summary>A job to be added, its JSON made before the writer's turn.</summary>
    private sealed record NewRow(NewJob Job, byte[] Spec, byte[]? Notify, byte[]? Timings)
    {
        private const string ByKey = $"SELECT {JobRow.Columns} FROM jobs WHERE idempotency_key = ?1";

        public static NewRow Of(NewJob job) => new(
            job,
            JsonSerializer.SerializeToUtf8Bytes(job.Spec, SpotterJson.Default.JobSpec),
            job.Notify.Count == 0 ? null : JsonSerializer.SerializeToUtf8Bytes(job.Notify, SpotterJson.Default.IReadOnlyListJobNotification),
            job.Cached is null ? null : JsonSerializer.SerializeToUtf8Bytes(new JobTimings(), SpotterJson.Default.JobTimings));

        public Added AddTo(WriteScope scope, long now)
        {
            var (job, key) = (Job, Job.IdempotencyKey);
#if PLANTED_BUGS
            if (PlantedBug.Is("key-forgotten"))
                key = null;
#endif
            if (key is not null)
            {
                using var select = scope.Prepare(ByKey).Bind(1, key);
                if (select.Step())
                    return new Added(job, JobRow.Read(select), now, 0);
            }
            var line = new Line(job.Spec.Queue, job.Spec.Priority, job.Internal);
            var state = job.Cached is null ? JobState.Queued : JobState.Succeeded;
            var ticket = state == JobState.Queued ? scope.NextTicket(line) : 0;
            var insert = scope.Prepare("""
                INSERT OR FAIL INTO jobs (id, queue, engine, tenant, priority, state, internal, ticket, due, expires, created,
                    idempotency_key, fingerprint, result_cache_key, submitted_by, notify, spec)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)
                """)
                .Bind(1, job.Id).Bind(2, line.Queue).Bind(3, job.Spec.Engine).Bind(4, job.Tenant).Bind(5, (int)line.Priority)
                .Bind(6, (int)(state == JobState.Queued ? state : JobState.Running)).Bind(7, job.Internal ? 1 : 0).Bind(8, ticket)
                .Bind(9, job.Spec.NotBefore is { } start ? Math.Max(now, Microseconds.From(start)) : now)
                .Bind(10, job.Spec.Expires is { } end ? Microseconds.From(end) : null).Bind(11, now)
                .Bind(12, key).Bind(13, job.Fingerprint).Bind(14, job.ResultCacheKey).Bind(15, job.By)
                .BindText(16, Notify).BindText(17, Spec);
            insert.Run();
            var seq = scope.LastRowId;
            foreach (var input in job.Spec.Inputs)
                scope.Prepare("INSERT OR IGNORE INTO blobs (name, job) VALUES (?1, ?2)").Bind(1, BlobName.Of(input.Key)).Bind(2, seq).Run();
            foreach (var file in job.Cached?.Outputs ?? [])
                scope.Prepare("INSERT OR IGNORE INTO blobs (name, job) VALUES (?1, ?2)").Bind(1, BlobName.Of(file.Key)).Bind(2, seq).Run();
            if (job.Cached is { } cached)
                End(scope, seq, cached, now);
            scope.Moved(line, null, state);
            scope.Changed(job.Id, state == JobState.Queued ? line.Queue : null);
            return new Added(job, null, now, ticket);
        }

        /// <summary>By an update, since that is what fills the outbox.</summary>
        private void End(WriteScope scope, long seq, CachedResult cached, long now) =>
            scope.Prepare("""
                UPDATE OR FAIL jobs SET state = 2, started = ?2, finished = ?2, cached_from = ?3, model_version = ?4, timings = ?5, result = ?6, output = ?7
                WHERE seq = ?1
                """)
                .Bind(1, seq).Bind(2, now).Bind(3, cached.From).Bind(4, cached.ModelVersion)
                .BindText(5, Timings).BindText(6, cached.Result.Utf8.Span).Bind(7, OutputColumn.Write(null, cached.Outputs)).Run();
    }

    /// <summary>What became of a job: the row that has its key already, or else its own.</summary>
    private readonly record struct Added(NewJob Job, JobRow? Known, long Now, long Ticket)
    {
        public AddedJob ToAnswer() => Known is null
            ? new AddedJob(JobTransitions.Accepted(Job, Microseconds.ToTime(Now), Ticket), IsNew: true)
            : new AddedJob(Known.ToJob(), IsNew: false);
    }
}
