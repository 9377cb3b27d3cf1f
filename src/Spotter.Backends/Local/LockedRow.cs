using System.Text.Json;
using Spotter.Jobs;

namespace Spotter.Backends.Local;

/// <summary>What moving a row from one state to another needs to know of it.</summary>
internal sealed class LockedRow
{
    /// <summary>The columns, in the order in which <see cref="Read"/> takes them.</summary>
    public const string Columns = "seq, id, queue, priority, internal, state, attempts, worker, history, error";

    private byte[]? history;
    private byte[]? error;

    public required long Seq { get; init; }

    public required JobId Id { get; init; }

    public required Line Line { get; init; }

    public required JobState State { get; init; }

    public required int Attempts { get; init; }

    public required string? Worker { get; init; }

    public JobError? Error => error is null ? null : JsonSerializer.Deserialize(error, SpotterJson.Default.JobError);

    /// <summary>The attempt that runs; 0 when none does.</summary>
    public int RunningAttempt => State == JobState.Running ? Attempts : 0;

    public static LockedRow Read(SqliteStatement row) => new()
    {
        Seq = row.Long(0),
        Id = row.Id(1),
        Line = new Line(row.Text(2), (JobPriority)row.Int(3), row.Bool(4)),
        State = (JobState)row.Int(5),
        Attempts = row.Int(6),
        Worker = row.TextOrNull(7),
        history = row.BytesOrNull(8),
        error = row.BytesOrNull(9),
    };

    /// <summary>The history with one more event, as JSON.</summary>
    public byte[] HistoryWith(JobEvent happened)
    {
        var events = history is null ? [] : JsonSerializer.Deserialize(history, SpotterJson.Default.IReadOnlyListJobEvent) ?? [];
        return JsonSerializer.SerializeToUtf8Bytes([.. events.TakeLast(JobEvent.Most - 1), happened], SpotterJson.Default.IReadOnlyListJobEvent);
    }
}

/// <summary>Where jobs wait, and are counted, together.</summary>
/// <param name="Queue">The queue.</param>
/// <param name="Priority">The level of priority.</param>
/// <param name="Internal">Spotter's own jobs, or the users'.</param>
internal readonly record struct Line(string Queue, JobPriority Priority, bool Internal);
