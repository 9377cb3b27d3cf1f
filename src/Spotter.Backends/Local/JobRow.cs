using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Backends.Local;

/// <summary>
/// A row as read, its JSON still unread: the writer's thread only copies bytes, and whoever asked makes records of
/// them.
/// </summary>
internal sealed class JobRow
{
    /// <summary>The columns, in the order in which <see cref="Read"/> takes them.</summary>
    public const string Columns =
        "id, state, internal, fencing_token, attempts, isolated, expired, created, started, finished, "
        + "idempotency_key, fingerprint, output, spec, error, timings, result, tenant, submitted_by, expires, "
        + "notify, cached_from, redrives, worker, history, model_version, ticket";

    /// <summary>How many they are.</summary>
    public const int Count = 27;

    public required JobId Id { get; init; }

    public required int FencingToken { get; init; }

    public required int Attempts { get; init; }

    private JobState State { get; init; }

    private bool Internal { get; init; }

    private bool Isolated { get; init; }

    private bool Expired { get; init; }

    private long Created { get; init; }

    private long? Started { get; init; }

    private long? Finished { get; init; }

    private string? IdempotencyKey { get; init; }

    private string? Fingerprint { get; init; }

    private string? Output { get; init; }

    private byte[] Spec { get; init; } = [];

    private byte[]? Error { get; init; }

    private byte[]? Timings { get; init; }

    private byte[]? Result { get; init; }

    private string Tenant { get; init; } = "";

    private string? By { get; init; }

    private long? Expires { get; init; }

    private byte[]? Notify { get; init; }

    private JobId? CachedFrom { get; init; }

    private int Redrives { get; init; }

    private string? Worker { get; init; }

    private byte[]? History { get; init; }

    private string? ModelVersion { get; init; }

    private long Ticket { get; init; }

    public static JobRow Read(SqliteStatement row) => new()
    {
        Id = row.Id(0),
        State = (JobState)row.Int(1),
        Internal = row.Bool(2),
        FencingToken = row.Int(3),
        Attempts = row.Int(4),
        Isolated = row.Bool(5),
        Expired = row.Bool(6),
        Created = row.Long(7),
        Started = row.LongOrNull(8),
        Finished = row.LongOrNull(9),
        IdempotencyKey = row.TextOrNull(10),
        Fingerprint = row.TextOrNull(11),
        Output = row.TextOrNull(12),
        Spec = row.Bytes(13),
        Error = row.BytesOrNull(14),
        Timings = row.BytesOrNull(15),
        Result = row.BytesOrNull(16),
        Tenant = row.Text(17),
        By = row.TextOrNull(18),
        Expires = row.LongOrNull(19),
        Notify = row.BytesOrNull(20),
        CachedFrom = row.IsNull(21) ? null : row.Id(21),
        Redrives = row.Int(22),
        Worker = row.TextOrNull(23),
        History = row.BytesOrNull(24),
        ModelVersion = row.TextOrNull(25),
        Ticket = row.Long(26),
    };

    /// <summary>The record that the row stands for.</summary>
    public Job ToJob() => new()
    {
        Id = Id,
        Spec = FromJson(Spec, SpotterJson.Default.JobSpec)!,
        InputsExpired = Expired,
        State = State,
        Attempts = Attempts,
        FencingToken = FencingToken,
        Isolated = Isolated,
        Created = Microseconds.ToTime(Created),
        Started = TimeOrNull(Started),
        Finished = TimeOrNull(Finished),
        Result = Result is null ? null : new RawJson(Result),
        Timings = FromJson(Timings, SpotterJson.Default.JobTimings) is { } timings
            ? timings with { QueuedMs = ((Started ?? Created) - Created) / 1000.0 }
            : null,
        Error = FromJson(Error, SpotterJson.Default.JobError),
        Output = Output,
        IdempotencyKey = IdempotencyKey,
        Fingerprint = Fingerprint,
        Internal = Internal,
        Tenant = Tenant,
        By = By,
        Expires = TimeOrNull(Expires),
        Notify = FromJson(Notify, SpotterJson.Default.IReadOnlyListJobNotification) ?? [],
        CachedFrom = CachedFrom,
        Redrives = Redrives,
        Worker = Worker,
        ModelVersion = ModelVersion,
        Ticket = Ticket,
        History = FromJson(History, SpotterJson.Default.IReadOnlyListJobEvent) ?? [],
    };

    private static DateTimeOffset? TimeOrNull(long? microseconds) => microseconds is { } time ? Microseconds.ToTime(time) : null;

    private static T? FromJson<T>(byte[]? json, JsonTypeInfo<T> type)
        where T : class =>
        json is null ? null : JsonSerializer.Deserialize(json, type);
}
