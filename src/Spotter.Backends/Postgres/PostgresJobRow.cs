using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Npgsql;
using Spotter.Core.Images;
using Spotter.Jobs;

namespace Spotter.Backends.Postgres;

/// <summary>Rows of the table <c>jobs</c> as records.</summary>
internal static class PostgresJobRow
{
    /// <summary>The columns, in the order in which they are read here.</summary>
    public const string Columns =
        "j.id, j.engine, j.state, j.internal, j.epoch, j.attempts, j.solo, j.expired, j.created, j.started, j.finished, j.model, "
        + "j.idempotency_key, j.fingerprint, j.image_key, j.image_format, j.image_bytes, j.image_sha256, j.output, "
        + "j.options, j.error, j.timings, j.result, j.name, j.tenant, j.submitted_by, j.priority, j.not_before, j.expires, "
        + "j.notify, j.answered_from, j.redrives, j.worker, j.history, j.model_version";

    /// <summary>The record of the present row.</summary>
    public static Job Read(NpgsqlDataReader row) => Read(row, 0);

    /// <summary>The record of the present row, whose columns begin at <paramref name="first"/>.</summary>
    public static Job Read(NpgsqlDataReader row, int first)
    {
        var created = row.GetInt64(first + 8);
        var started = row.LongOrNull(first + 9);
        return new Job
        {
            Id = IdOf(row.GetGuid(first)),
            Engine = row.GetString(first + 1),
            State = (JobState)row.GetInt16(first + 2),
            Internal = row.GetBoolean(first + 3),
            FencingToken = row.GetInt32(first + 4),
            Attempts = row.GetInt32(first + 5),
            Isolated = row.GetBoolean(first + 6),
            OriginalExpired = row.GetBoolean(first + 7),
            Created = Microseconds.ToTime(created),
            Started = TimeOrNull(started),
            Finished = TimeOrNull(row.LongOrNull(first + 10)),
            Model = row.TextOrNull(first + 11),
            IdempotencyKey = row.TextOrNull(first + 12),
            Fingerprint = row.TextOrNull(first + 13),
            Image = new ImageRef(row.GetString(first + 14), (ImageFormat)row.GetInt16(first + 15), row.GetInt64(first + 16), row.GetString(first + 17)),
            Output = row.TextOrNull(first + 18),
            Options = FromJson(row.GetString(first + 19), SpotterJson.Default.JobOptions)!,
            Error = FromJson(row.TextOrNull(first + 20), SpotterJson.Default.JobError),
            Timings = FromJson(row.TextOrNull(first + 21), SpotterJson.Default.JobTimings) is { } timings
                ? timings with { QueuedMs = ((started ?? created) - created) / 1000.0 }
                : null,
            Result = FromJson(row.TextOrNull(first + 22), SpotterJson.Default.VisionResult),
            Name = row.TextOrNull(first + 23),
            Tenant = row.GetString(first + 24),
            By = row.TextOrNull(first + 25),
            Priority = (JobPriority)row.GetInt16(first + 26),
            NotBefore = TimeOrNull(row.LongOrNull(first + 27)),
            Expires = TimeOrNull(row.LongOrNull(first + 28)),
            Notify = FromJson(row.TextOrNull(first + 29), SpotterJson.Default.IReadOnlyListJobNotification) ?? [],
            CachedFrom = row.IsDBNull(first + 30) ? null : IdOf(row.GetGuid(first + 30)),
            Redrives = row.GetInt32(first + 31),
            Worker = row.TextOrNull(first + 32),
            History = FromJson(row.TextOrNull(first + 33), SpotterJson.Default.IReadOnlyListJobEvent) ?? [],
            ModelVersion = row.TextOrNull(first + 34),
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
