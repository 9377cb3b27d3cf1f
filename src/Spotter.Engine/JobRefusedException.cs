namespace Spotter.Engine;

/// <summary>A job that can't succeed. Its client reads the code and the sentence.</summary>
/// <param name="code">Lower-case letters, digits and <c>_</c>, as <c>too_dark</c>: for programs, so never renamed.</param>
/// <param name="detail">What is wrong, and what to do, in one sentence.</param>
public sealed class JobRefusedException(string code, string detail) : Exception(detail)
{
    /// <summary>The code.</summary>
    public string Code { get; } = code;

    /// <summary>True when it may succeed another time: it is tried again later, and after five attempts it is dead.</summary>
    public bool Again { get; init; }
}
