using System.Text.Json;
using Npgsql;
using Spotter.Jobs;

namespace Spotter.Backends.Postgres;

/// <summary>What moving a row from one state to another needs to know of it. It is locked.</summary>
internal sealed class PostgresLockedRow
{
    /// <summary>The columns, in the order in which <see cref="Read"/> takes them.</summary>
    public const string Columns = "j.id, j.queue, j.priority, j.state, j.attempts, j.due, j.worker, j.history, j.error, j.notify IS NOT NULL";

    /// <summary>How many they are.</summary>
    public const int Count = 10;

    public required Guid Id { get; init; }

    public required string Queue { get; init; }

    public required JobPriority Priority { get; init; }

    public required JobState State { get; init; }

    public required int Attempts { get; init; }

    public required long Due { get; init; }

    public required string? Worker { get; init; }

    public required string? History { get; init; }

    /// <summary>As JSON.</summary>
    public required string? Error { get; init; }

    /// <summary>Somebody is told how it ends.</summary>
    public required bool Notifies { get; init; }

    /// <summary>The attempt that runs; 0 when none does.</summary>
    public int RunningAttempt => State == JobState.Running ? Attempts : 0;

    public static PostgresLockedRow Read(NpgsqlDataReader row) => new()
    {
        Id = row.GetGuid(0),
        Queue = row.GetString(1),
        Priority = (JobPriority)row.GetInt16(2),
        State = (JobState)row.GetInt16(3),
        Attempts = row.GetInt32(4),
        Due = row.GetInt64(5),
        Worker = row.TextOrNull(6),
        History = row.TextOrNull(7),
        Error = row.TextOrNull(8),
        Notifies = row.GetBoolean(9),
    };

    /// <summary>The history with one more event, as JSON.</summary>
    public string HistoryWith(JobEvent happened)
    {
        var events = History is null ? [] : JsonSerializer.Deserialize(History, SpotterJson.Default.IReadOnlyListJobEvent) ?? [];
        return JsonSerializer.Serialize([.. events.TakeLast(JobEvent.Most - 1), happened], SpotterJson.Default.IReadOnlyListJobEvent);
    }
}

/// <summary>A row's way to another state, for other reasons than a start or an end as usual.</summary>
/// <param name="Row">The row.</param>
/// <param name="To">Where to.</param>
/// <param name="Due">Not started before.</param>
/// <param name="Attempts">How many count.</param>
/// <param name="Isolated">It runs with no neighbours from now on.</param>
/// <param name="Error">As JSON.</param>
/// <param name="History">As JSON.</param>
/// <param name="Redriven">It was dead.</param>
internal sealed record PostgresTransition(
    PostgresLockedRow Row, JobState To, long Due, int Attempts, bool Isolated, string? Error, string? History, bool Redriven)
{
    /// <summary>To another state, and else as it was.</summary>
    public static PostgresTransition Of(PostgresLockedRow row, JobState to) =>
        new(row, to, row.Due, row.Attempts, Isolated: false, row.Error, row.History, Redriven: false);

    /// <summary>What others are told of it.</summary>
    public JobChange Change => new(PostgresJobRow.IdOf(Row.Id), To == JobState.Queued ? Row.Queue : null);
}
