using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Spotter.Core.Images;
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
        "id, engine, state, internal, epoch, attempts, solo, expired, created, started, finished, model, "
        + "idempotency_key, fingerprint, image_key, image_format, image_bytes, image_sha256, output, "
        + "options, error, timings, result, name, tenant, submitted_by, priority, not_before, expires, "
        + "notify, answered_from, redrives, worker, history, model_version";

    public required JobId Id { get; init; }

    public required string Engine { get; init; }

    public required JobState State { get; init; }

    public required bool Internal { get; init; }

    public required int FencingToken { get; init; }

    public required int Attempts { get; init; }

    private bool Isolated { get; init; }

    private bool Expired { get; init; }

    private long Created { get; init; }

    private long? Started { get; init; }

    private long? Finished { get; init; }

    public string? Model { get; init; }

    private string? IdempotencyKey { get; init; }

    private string? Fingerprint { get; init; }

    public required ImageRef Image { get; init; }

    private string? Output { get; init; }

    public required byte[] Options { get; init; }

    private byte[]? Error { get; init; }

    private byte[]? Timings { get; init; }

    private byte[]? Result { get; init; }

    private string? Name { get; init; }

    private string Tenant { get; init; } = "";

    private string? By { get; init; }

    public required JobPriority Priority { get; init; }

    private long? NotBefore { get; init; }

    private long? Expires { get; init; }

    private byte[]? Notify { get; init; }

    private JobId? CachedFrom { get; init; }

    private int Redrives { get; init; }

    private string? Worker { get; init; }

    private byte[]? History { get; init; }

    private string? ModelVersion { get; init; }

    public static JobRow Read(SqliteStatement row) => new()
    {
        Id = row.Id(0),
        Engine = row.Text(1),
        State = (JobState)row.Int(2),
        Internal = row.Bool(3),
        FencingToken = row.Int(4),
        Attempts = row.Int(5),
        Isolated = row.Bool(6),
        Expired = row.Bool(7),
        Created = row.Long(8),
        Started = row.LongOrNull(9),
        Finished = row.LongOrNull(10),
        Model = row.TextOrNull(11),
        IdempotencyKey = row.TextOrNull(12),
        Fingerprint = row.TextOrNull(13),
        Image = new ImageRef(row.Text(14), (ImageFormat)row.Int(15), row.Long(16), row.Text(17)),
        Output = row.TextOrNull(18),
        Options = row.Bytes(19),
        Error = row.BytesOrNull(20),
        Timings = row.BytesOrNull(21),
        Result = row.BytesOrNull(22),
        Name = row.TextOrNull(23),
        Tenant = row.Text(24),
        By = row.TextOrNull(25),
        Priority = (JobPriority)row.Int(26),
        NotBefore = row.LongOrNull(27),
        Expires = row.LongOrNull(28),
        Notify = row.BytesOrNull(29),
        CachedFrom = row.IsNull(30) ? null : row.Id(30),
        Redrives = row.Int(31),
        Worker = row.TextOrNull(32),
        History = row.BytesOrNull(33),
        ModelVersion = row.TextOrNull(34),
    };

    /// <summary>The record that the row stands for.</summary>
    public Job ToJob() => new()
    {
        Id = Id,
        Engine = Engine,
        Model = Model,
        Name = Name,
        Options = FromJson(Options, SpotterJson.Default.JobOptions)!,
        Image = Image,
        OriginalExpired = Expired,
        State = State,
        Attempts = Attempts,
        FencingToken = FencingToken,
        Isolated = Isolated,
        Created = Microseconds.ToTime(Created),
        Started = TimeOrNull(Started),
        Finished = TimeOrNull(Finished),
        Result = FromJson(Result, SpotterJson.Default.VisionResult),
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
        Priority = Priority,
        NotBefore = TimeOrNull(NotBefore),
        Expires = TimeOrNull(Expires),
        Notify = FromJson(Notify, SpotterJson.Default.IReadOnlyListJobNotification) ?? [],
        CachedFrom = CachedFrom,
        Redrives = Redrives,
        Worker = Worker,
        ModelVersion = ModelVersion,
        History = FromJson(History, SpotterJson.Default.IReadOnlyListJobEvent) ?? [],
    };

    private static DateTimeOffset? TimeOrNull(long? microseconds) => microseconds is { } time ? Microseconds.ToTime(time) : null;

    private static T? FromJson<T>(byte[]? json, JsonTypeInfo<T> type)
        where T : class =>
        json is null ? null : JsonSerializer.Deserialize(json, type);
}
