using System.Text.Json.Nodes;
using Spotter.Core;

namespace Spotter.Engine;

/// <summary>An engine of yours. It keeps nothing from one job to the next: several jobs may run at once.</summary>
public interface IJobEngine
{
    /// <summary>What it is, and what requests can say to it. Raise its version when its results or its options change.</summary>
    EngineDeclaration Declaration { get; }

    /// <summary>Runs a job.</summary>
    /// <param name="work">The job, with its inputs.</param>
    /// <param name="cancel">Nobody wants the result any more, or it has taken too long.</param>
    /// <returns>The result, which clients get as it is. A member <c>summary</c> is shown where there is room for one line.</returns>
    /// <exception cref="JobRefusedException">It can never succeed, or not now.</exception>
    Task<JsonObject> RunAsync(EngineWork work, CancellationToken cancel);
}
