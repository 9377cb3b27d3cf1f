using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Gateway.SeedMessages;

/// <summary>What the worker of one earlier service read and wrote. Everything may be done twice, and is the same then.</summary>
internal interface ISeedWorker
{
    /// <summary>The engines of which any can do the work.</summary>
    IReadOnlyList<string> Engines { get; }

    /// <summary>True when the annotated picture is part of the result.</summary>
    bool Draws { get; }

    /// <summary>What a message asks for.</summary>
    SeedRequest Read(SeedMessage message);

    /// <summary>The picture; null if there is none.</summary>
    /// <exception cref="SpotterException">It is too large, or can't be reached.</exception>
    Task<SeedObject?> OpenAsync(SeedTarget target, CancellationToken cancel);

    /// <summary>Writes the result of a job that has succeeded.</summary>
    /// <exception cref="SpotterException">That is not possible.</exception>
    Task SucceedAsync(SeedTarget target, Job job, CancellationToken cancel);

    /// <summary>Says that there is no result.</summary>
    /// <param name="target">To whom.</param>
    /// <param name="status">The HTTP status code that says why.</param>
    /// <param name="why">A sentence that says why.</param>
    /// <param name="cancel">Ends it.</param>
    /// <exception cref="SpotterException">It can't be said now.</exception>
    Task RefuseAsync(SeedTarget target, int status, string why, CancellationToken cancel);
}
