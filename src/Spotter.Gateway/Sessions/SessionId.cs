using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Spotter.Jobs;

namespace Spotter.Gateway.Sessions;

/// <summary>
/// The name of a session, as <c>session-process-workflow-0-1636105719.575-…</c>: its kind, its rank, when it was accepted, and the id
/// of its job, which is all that counts.
/// </summary>
internal static class SessionId
{
    /// <summary>A session of one engine.</summary>
    public const string Single = "process-single-engine";

    /// <summary>A session of several engines.</summary>
    public const string Workflow = "process-workflow";

    /// <summary>The name of the session of a job.</summary>
    public static string Of(Job job, SessionTerms terms) => string.Create(
        CultureInfo.InvariantCulture, $"session-{terms.Kind}-{terms.Rank}-{job.Created.ToUnixTimeMilliseconds() / 1000.0:0.000}-{job.Id}");

    /// <summary>The job of a session; false for what names none.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out JobId? id)
    {
        id = text.StartsWith("session-", StringComparison.Ordinal) && JobId.TryParse(text[(text.LastIndexOf('-') + 1)..], out var found) ? found : null;
        return id is not null;
    }
}

/// <summary>What is worth knowing of a session without its graph: the parameters of its job.</summary>
/// <param name="Kind"><see cref="SessionId.Single"/> or <see cref="SessionId.Workflow"/>.</param>
/// <param name="Rank">Sessions of a higher rank go first.</param>
internal sealed record SessionTerms(string Kind, long Rank);
