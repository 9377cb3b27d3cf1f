namespace Spotter.Scaling;

/// <summary>
/// Makes sure that a pool of workers is scaled by one controller at a time, however many gateways share a store: whoever
/// holds the lease, for as long as it renews it.
/// </summary>
public interface IControllerLease
{
    /// <summary>How often a lease should be renewed, or asked for.</summary>
    TimeSpan Pace => TimeSpan.FromSeconds(5);

    /// <summary>
    /// Takes the lease on a pool from now on for <paramref name="duration"/>, or renews it, unless somebody else has it.
    /// Who has it then: <paramref name="holder"/>, or that other one.
    /// </summary>
    /// <exception cref="Spotter.Core.SpotterException">Nobody knows.</exception>
    Task<string> HoldAsync(string pool, string holder, TimeSpan duration, CancellationToken cancel);

    /// <summary>Gives the lease back, so that nobody has to wait for its end. Changes nothing when somebody else has it.</summary>
    /// <exception cref="Spotter.Core.SpotterException">It ends by itself.</exception>
    Task ReleaseAsync(string pool, string holder, CancellationToken cancel);
}
