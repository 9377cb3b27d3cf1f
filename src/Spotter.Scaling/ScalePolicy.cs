using Spotter.Core;

namespace Spotter.Scaling;

/// <summary>
/// Decides how many workers there should be. Pure: the same observations give the same decisions, so that a
/// policy can be simulated on a trace and then trusted with a fleet.
/// </summary>
public abstract class ScalePolicy
{
    /// <summary>Called every tick, and at once when a job arrives while there is no worker.</summary>
    public abstract ScaleDecision Decide(ScaleObservation seen);

    /// <summary>What has been learned so far, as JSON for <see cref="Restore"/>; null from a policy that learns nothing.</summary>
    public virtual string? Save() => null;

    /// <summary>Takes up what another run has learned. To be called before the first decision.</summary>
    /// <param name="state">What <see cref="Save"/> gave.</param>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidSettings"/>: it is not what a policy of this kind saves.</exception>
    public virtual void Restore(string state)
    {
    }
}
