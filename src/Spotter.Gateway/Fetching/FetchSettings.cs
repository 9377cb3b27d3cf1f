using Spotter.Gateway.Egress;

namespace Spotter.Gateway.Fetching;

/// <summary>How pictures are fetched that jobs name by their URL.</summary>
public sealed record FetchSettings
{
    /// <summary>False to take no URLs.</summary>
    public bool IsOn { get; init; } = true;

    /// <summary>Places from which they may come besides the public internet.</summary>
    public IReadOnlyList<EgressAllowance> Allowed { get; init; } = [];

    /// <summary>Longest time for one URL, from the first connection to the last byte.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(60);
}
