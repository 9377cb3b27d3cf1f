using System.Text.Json;
using Spotter.Jobs;

namespace Spotter.Backends.Local;

/// <summary>What moving a row from one state to another needs to know of it.</summary>
internal sealed class LockedRow
{
    /// <summary>The columns, in the order in which <see cref="Read"/> takes them.</summary>
    public const string Columns =
        "seq, id, engine, model, internal, state, attempts, priority, worker, history, error";

    private byte[]? history;
    private byte[]? error;

    public required long Seq { get; init; }

    public required JobId Id { get; init; }

    public required string Engine { get; init; }

    public required string? Model { get; init; }

    public string Queue => QueueNames.Of(Engine, Model);

    public required bool Internal { get; init; }

    public required JobState State { get; init; }

    public required int Attempts { get; init; }

    public required JobPriority Priority { get; init; }

    public required string? Worker { get; init; }

    public JobError? Error => error is null ? null : JsonSerializer.Deserialize(error, SpotterJson.Default.JobError);

    /// <summary>The attempt that runs; 0 when none does.</summary>
    public int RunningAttempt => State == JobState.Running ? Attempts : 0;

    public static LockedRow Read(SqliteStatement row) => new()
    {
        Seq = row.Long(0),
        Id = row.Id(1),
        Engine = row.Text(2),
        Model = row.TextOrNull(3),
        Internal = row.Bool(4),
        State = (JobState)row.Int(5),
        Attempts = row.Int(6),
        Priority = (JobPriority)row.Int(7),
        Worker = row.TextOrNull(8),
        history = row.BytesOrNull(9),
        error = row.BytesOrNull(10),
    };

    /// <summary>The history with one more event, as JSON.</summary>
    public byte[] HistoryWith(JobEvent happened)
    {
        var events = history is null ? [] : JsonSerializer.Deserialize(history, SpotterJson.Default.IReadOnlyListJobEvent) ?? [];
        return JsonSerializer.SerializeToUtf8Bytes([.. events.TakeLast(JobEvent.Most - 1), happened], SpotterJson.Default.IReadOnlyListJobEvent);
    }
}
