namespace Spotter.Cli.Catalogue;

/// <summary>Why a transfer did not come to its end; the message is the second half of a sentence, without its stop.</summary>
/// <param name="reason">What happened.</param>
/// <param name="again">True when trying again may help.</param>
/// <param name="cause">The exception behind it.</param>
internal sealed class TransferFault(string reason, bool again, Exception? cause = null) : Exception(reason, cause)
{
    /// <summary>True when trying again may help.</summary>
    public bool Again => again;

    /// <summary>What to do about it.</summary>
    public string Advice { get; init; } = "try again later";

    /// <summary>How long the server asks to be left alone.</summary>
    public TimeSpan RetryAfter { get; init; }
}
