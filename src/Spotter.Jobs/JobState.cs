using System.Text.Json.Serialization;
using Spotter.Core;

namespace Spotter.Jobs;

/// <summary>Where a job stands. The last four are terminal: a row in one of them never changes again.</summary>
[JsonConverter(typeof(LowerCaseEnumConverter<JobState>))]
public enum JobState
{
    /// <summary>Accepted and waiting, perhaps for its next attempt.</summary>
    Queued,

    /// <summary>A worker holds its lease.</summary>
    Running,

    /// <summary>Has a result.</summary>
    Succeeded,

    /// <summary>Can't succeed: the picture or the request is at fault.</summary>
    Failed,

    /// <summary>Used up its attempts; waits for someone to look and redrive it.</summary>
    Dead,

    /// <summary>Withdrawn by its sender.</summary>
    Cancelled,
}

/// <summary>Which jobs go first. None starves: of every sixteen turns one begins with the lowest level.</summary>
[JsonConverter(typeof(LowerCaseEnumConverter<JobPriority>))]
public enum JobPriority
{
    /// <summary>Before all others.</summary>
    High,

    /// <summary>What most jobs are.</summary>
    Normal,

    /// <summary>When there is nothing else to do, and a little besides.</summary>
    Low,
}

/// <summary>What to know about states.</summary>
public static class JobStates
{
    /// <summary>True for the four states that never change.</summary>
    public static bool IsTerminal(this JobState state) => state >= JobState.Succeeded;
}
