namespace Spotter.Core;

/// <summary>
/// Something was refused or went wrong in a way that its sender should hear about.
/// <see cref="Code"/> is stable and meant for programs; the message is one sentence for people
/// that says what happened, to what, and what to do.
/// </summary>
public sealed class SpotterException : Exception
{
    /// <summary>Creates the refusal.</summary>
    /// <param name="code">One of <see cref="ErrorCodes"/>.</param>
    /// <param name="message">What happened, to what, and what to do.</param>
    /// <param name="inner">The cause, if it was an exception.</param>
    public SpotterException(string code, string message, Exception? inner = null)
        : base(message, inner) => Code = code;

    /// <summary>One of <see cref="ErrorCodes"/>.</summary>
    public string Code { get; }

    /// <summary>When trying again makes sense; null when nothing better is known than what the code says.</summary>
    public TimeSpan? RetryAfter { get; init; }
}
