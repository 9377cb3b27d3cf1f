namespace Spotter.Gateway;

/// <summary>What a call takes from its client's bucket; calls without it take nothing.</summary>
/// <param name="Permits">In tenths of a submission.</param>
public sealed record CallCost(int Permits)
{
    /// <summary>A call that makes work for workers.</summary>
    public static readonly CallCost Submission = new(10);

    /// <summary>Any other call.</summary>
    public static readonly CallCost Other = new(1);
}
