namespace Spotter.Gateway;

/// <summary>What a call takes from its client's bucket; calls without it take nothing.</summary>
/// <param name="Tokens">In submissions.</param>
public sealed record CallCost(double Tokens)
{
    /// <summary>A call that makes work for workers.</summary>
    public static readonly CallCost Submission = new(1);

    /// <summary>Any other call.</summary>
    public static readonly CallCost Other = new(0.1);
}
