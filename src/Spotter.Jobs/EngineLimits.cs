namespace Spotter.Jobs;

/// <summary>What an engine's jobs may take, and what they may make.</summary>
public sealed record EngineLimits
{
    /// <summary>A job that runs longer has got stuck; null for as long as the worker gives any job.</summary>
    public TimeSpan? RunTime { get; init; }

    /// <summary>Most bytes of all inputs of one request, also above what the deployment lets in otherwise; null for as many as that.</summary>
    public long? InputBytes { get; init; }

    /// <summary>Most inputs of one request; null for as many as the deployment lets in.</summary>
    public int? MostInputs { get; init; }

    /// <summary>Inputs are streamed into files, and never held in memory.</summary>
    public bool InputsAsFiles { get; init; }

    /// <summary>
    /// What a picture costs its client, compared with looking at one of the same size once: an engine that does several times the work
    /// says how many times. See docs/overload.md.
    /// </summary>
    public double Work { get; init; } = 1;

    /// <summary>What inputs may be, as in <see cref="InputTerms.MediaTypes"/>.</summary>
    public IReadOnlyList<string> MediaTypes { get; init; } = InputTerms.Pictures;

    /// <summary>Most bytes of all files that one job makes (<see cref="OutputFiles"/>).</summary>
    public long OutputBytes { get; init; } = 512L * 1024 * 1024;

    /// <summary>What a submission for the engine may bring.</summary>
    /// <param name="engine">Its name.</param>
    public InputTerms TermsFor(string engine) => new() { Engine = engine, MediaTypes = MediaTypes, MaxBytes = InputBytes, MaxInputs = MostInputs, Work = Work };
}
