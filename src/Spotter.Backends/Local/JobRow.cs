using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Backends.Local;

/// <summary>
/// A row as read, its JSON still unread: the writer's thread only copies bytes, and whoever asked makes records of
/// them.
/// </summary>
internal sealed class JobRow(JobId id, Func<Job> read)
{
    /// <summary>The columns, in the order in which <see cref="Read"/> takes them.</summary>
    public const string Columns =
        "id, state, internal, fencing_token, attempts, isolated, expired, created, started, finished, "
        + "idempotency_key, fingerprint, output, spec, error, timings, result, tenant, submitted_by, expires, "
        + "notify, cached_from, redrives, worker, history, model_version, ticket";

    /// <summary>How many they are.</summary>
    public const int Count = 27;

    public JobId Id => id;

    /// <summary>The record that the row stands for.</summary>
    public Job ToJob() => read();

    public static JobRow Read(SqliteStatement row)
    {
        var (id, state, isInternal, fencingToken, attempts) = (row.Id(0), (JobState)row.Int(1), row.Bool(2), row.Int(3), row.Int(4));
        var (isolated, expired, created, started, finished) = (row.Bool(5), row.Bool(6), row.Long(7), row.LongOrNull(8), row.LongOrNull(9));
        var (idempotencyKey, fingerprint, output) = (row.TextOrNull(10), row.TextOrNull(11), row.TextOrNull(12));
        var (spec, error, timings, result) = (row.Bytes(13), row.BytesOrNull(14), row.BytesOrNull(15), row.BytesOrNull(16));
        var (tenant, by, expires, notify) = (row.Text(17), row.TextOrNull(18), row.LongOrNull(19), row.BytesOrNull(20));
        JobId? cachedFrom = row.IsNull(21) ? null : row.Id(21);
        var (redrives, worker, history, modelVersion, ticket) = (row.Int(22), row.TextOrNull(23), row.BytesOrNull(24), row.TextOrNull(25), row.Long(26));
        return new JobRow(id, () => new Job
        {
            Id = id,
            Spec = FromJson(spec, SpotterJson.Default.JobSpec)!,
            InputsExpired = expired,
            State = state,
            Attempts = attempts,
            FencingToken = fencingToken,
            Isolated = isolated,
            Created = Microseconds.ToTime(created),
            Started = TimeOrNull(started),
            Finished = TimeOrNull(finished),
            Result = result is null ? null : new RawJson(result),
            Timings = FromJson(timings, SpotterJson.Default.JobTimings) is { } spent
                ? spent with { QueuedMs = ((started ?? created) - created) / 1000.0 }
                : null,
            Error = FromJson(error, SpotterJson.Default.JobError),
            Output = OutputColumn.Read(output).Picture,
            Outputs = OutputColumn.Read(output).Outputs,
            IdempotencyKey = idempotencyKey,
            Fingerprint = fingerprint,
            Internal = isInternal,
            Tenant = tenant,
            By = by,
            Expires = TimeOrNull(expires),
            Notify = FromJson(notify, SpotterJson.Default.IReadOnlyListJobNotification) ?? [],
            CachedFrom = cachedFrom,
            Redrives = redrives,
            Worker = worker,
            ModelVersion = modelVersion,
            Ticket = ticket,
            History = FromJson(history, SpotterJson.Default.IReadOnlyListJobEvent) ?? [],
        });
    }

    private static DateTimeOffset? TimeOrNull(long? microseconds) => microseconds is { } time ? Microseconds.ToTime(time) : null;

    private static T? FromJson<T>(byte[]? json, JsonTypeInfo<T> type)
        where T : class =>
        json is null ? null : JsonSerializer.Deserialize(json, type);
}
