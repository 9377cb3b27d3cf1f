using System.Text.Json.Serialization;

namespace Spotter.Cli.Load;

/// <summary>The books of a run, and what <c>--json</c> prints.</summary>
internal sealed record LoadFigures
{
    /// <summary>Requests that there should be.</summary>
    public required int Jobs { get; init; }

    /// <summary>Requests that were accepted.</summary>
    public required int Accepted { get; init; }

    /// <summary>Jobs whose end is known.</summary>
    public required int Ended { get; init; }

    /// <summary>Accepted jobs that had not ended when the run was over.</summary>
    public required int Open { get; init; }

    /// <summary>Accepted jobs that the service does not know any more.</summary>
    public required int Missing { get; init; }

    /// <summary>Accepted jobs without an answer: the promise that was not kept. Must be 0.</summary>
    public int Lost => Missing + (Interrupted ? 0 : Open);

    /// <summary>Requests that were answered more than once, or by another's job. Must be 0.</summary>
    public required int Doubled { get; init; }

    /// <summary>Connections that broke before the answer to a request was read.</summary>
    public required int Broken { get; init; }

    /// <summary>Requests that were sent once more under the same key.</summary>
    public required int Repeated { get; init; }

    /// <summary>Requests that became jobs although their answer never came through.</summary>
    public required int Unacknowledged { get; init; }

    /// <summary>True when the user ended it.</summary>
    public bool Interrupted { get; init; }

    /// <summary>How the jobs ended.</summary>
    public required SortedDictionary<string, int> States { get; init; }

    /// <summary>Refusals by code that were followed by another try.</summary>
    public required SortedDictionary<string, int> Refused { get; init; }

    /// <summary>Requests by code that were turned away for good.</summary>
    public required SortedDictionary<string, int> Rejected { get; init; }

    /// <summary>Jobs by code that ended without a result.</summary>
    public required SortedDictionary<string, int> Failures { get; init; }

    /// <summary>From the moment when a request was due to its acceptance, waits after refusals included.</summary>
    public required Percentiles? AcceptMs { get; init; }

    /// <summary>From the moment when a request was due to the end of its job.</summary>
    public required Percentiles? AnswerMs { get; init; }

    /// <summary>From the start to the last acceptance.</summary>
    public required double AcceptSeconds { get; init; }

    /// <summary>From the start to the last end.</summary>
    public required double AnswerSeconds { get; init; }

    /// <summary>Accepted requests per second.</summary>
    public double AcceptedPerSecond => Rate(Accepted, AcceptSeconds);

    /// <summary>Answers per second.</summary>
    public double AnswersPerSecond => Rate(Ended, AnswerSeconds);

    /// <summary>The first of what was lost or doubled, in words.</summary>
    public required IReadOnlyList<string> Offences { get; init; }

    /// <summary>Requests that were neither accepted nor turned away when the run was over.</summary>
    public int NotAccepted => Jobs - Accepted - Rejected.Values.Sum();

    /// <summary>True when the service kept every promise and took what it was sent.</summary>
    [JsonIgnore]
    public bool Good => Lost == 0 && Doubled == 0 && (Interrupted || (NotAccepted <= 0 && Accepted > 0));

    private static double Rate(int count, double seconds) => seconds <= 0 ? 0 : Math.Round(count / seconds, 2);
}
