using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Npgsql;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Backends.Postgres;

/// <summary>Rows of the table <c>jobs</c> as records.</summary>
internal static class PostgresJobRow
{
    /// <summary>The columns, in the order in which they are read here.</summary>
    public const string Columns =
        "j.id, j.spec, j.state, j.internal, j.fencing_token, j.attempts, j.isolated, j.expired, j.created, j.started, j.finished, "
        + "j.ticket, j.idempotency_key, j.fingerprint, j.output, j.error, j.timings, j.result, j.tenant, j.submitted_by, j.expires, "
        + "j.notify, j.cached_from, j.redrives, j.worker, j.history, j.model_version";

    /// <summary>The record of the present row.</summary>
    public static Job Read(NpgsqlDataReader row) => Read(row, 0);

    /// <summary>The record of the present row, whose columns begin at <paramref name="first"/>.</summary>
    public static Job Read(NpgsqlDataReader row, int first)
    {
        var created = row.GetInt64(first + 8);
        var started = row.LongOrNull(first + 9);
        var (picture, outputs) = OutputColumn.Read(row.TextOrNull(first + 14));
        return new Job
        {
            Id = IdOf(row.GetGuid(first)),
            Spec = FromJson(row.GetString(first + 1), SpotterJson.Default.JobSpec)!,
            State = (JobState)row.GetInt16(first + 2),
            Internal = row.GetBoolean(first + 3),
            FencingToken = row.GetInt32(first + 4),
            Attempts = row.GetInt32(first + 5),
            Isolated = row.GetBoolean(first + 6),
            InputsExpired = row.GetBoolean(first + 7),
            Created = Microseconds.ToTime(created),
            Started = TimeOrNull(started),
            Finished = TimeOrNull(row.LongOrNull(first + 10)),
            Ticket = row.GetInt64(first + 11),
            IdempotencyKey = row.TextOrNull(first + 12),
            Fingerprint = row.TextOrNull(first + 13),
            Output = picture,
            Outputs = outputs,
            Error = ErrorOf(row.TextOrNull(first + 15)),
            Timings = FromJson(row.TextOrNull(first + 16), SpotterJson.Default.JobTimings) is { } timings
                ? timings with { QueuedMs = ((started ?? created) - created) / 1000.0 }
                : null,
            Result = row.TextOrNull(first + 17) is { } result ? RawJson.OfText(result) : null,
            Tenant = row.GetString(first + 18),
            By = row.TextOrNull(first + 19),
            Expires = TimeOrNull(row.LongOrNull(first + 20)),
            Notify = FromJson(row.TextOrNull(first + 21), SpotterJson.Default.IReadOnlyListJobNotification) ?? [],
            CachedFrom = row.IsDBNull(first + 22) ? null : IdOf(row.GetGuid(first + 22)),
            Redrives = row.GetInt32(first + 23),
            Worker = row.TextOrNull(first + 24),
            History = FromJson(row.TextOrNull(first + 25), SpotterJson.Default.IReadOnlyListJobEvent) ?? [],
            ModelVersion = row.TextOrNull(first + 26),
        };
    }

    /// <summary>An id as the tables hold it.</summary>
    public static Guid ToGuid(this JobId id) => Guid.ParseExact(id.Value, "N");

    /// <summary>The id that the tables hold as this.</summary>
    public static JobId IdOf(Guid id) => JobId.Parse(id.ToString("N"));

    /// <summary>JSON as the tables hold it.</summary>
    public static string ToJson(JobError error) => JsonSerializer.Serialize(error, SpotterJson.Default.JobError);

    /// <summary>The error that the tables hold as this JSON.</summary>
    public static JobError? ErrorOf(string? json) => FromJson(json, SpotterJson.Default.JobError);

    private static DateTimeOffset? TimeOrNull(long? microseconds) => microseconds is { } time ? Microseconds.ToTime(time) : null;

    private static T? FromJson<T>(string? json, JsonTypeInfo<T> type)
        where T : class =>
        json is null ? null : JsonSerializer.Deserialize(json, type);
}
