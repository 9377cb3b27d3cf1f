using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Gateway.LegacyMessages;

/// <summary>What the worker of one earlier service read and wrote. Everything may be done twice, and is the same then.</summary>
internal interface ILegacyWorker
{
    /// <summary>The engines of which any can do the work.</summary>
    IReadOnlyList<string> Engines { get; }

    /// <summary>True when the annotated picture is part of the result.</summary>
    bool Draws { get; }

    /// <summary>What a message asks for.</summary>
    LegacyRequest Read(LegacyMessage message);

    /// <summary>The picture; null if there is none.</summary>
    /// <exception cref="SpotterException">It is too large, or can't be reached.</exception>
    Task<LegacyObject?> OpenAsync(LegacyTarget target, CancellationToken cancel);

    /// <summary>Writes the result of a job that has succeeded.</summary>
    /// <exception cref="SpotterException">That is not possible.</exception>
    Task SucceedAsync(LegacyTarget target, Job job, CancellationToken cancel);

    /// <summary>Says that there is no result.</summary>
    /// <param name="target">To whom.</param>
    /// <param name="status">The HTTP status code that says why.</param>
    /// <param name="why">A sentence that says why.</param>
    /// <param name="cancel">Ends it.</param>
    /// <exception cref="SpotterException">It can't be said now.</exception>
    Task RefuseAsync(LegacyTarget target, int status, string why, CancellationToken cancel);
}
