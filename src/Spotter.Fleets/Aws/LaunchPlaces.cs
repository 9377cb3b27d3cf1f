namespace Spotter.Fleets.Aws;

/// <summary>What a machine is to be, and where.</summary>
/// <param name="Type">Its instance type; null for the template's.</param>
/// <param name="Subnet">Its subnet, and so its zone; null for the template's.</param>
internal sealed record LaunchPlace(string? Type, string? Subnet);

/// <summary>
/// Where the machines of a pool may be launched: each type in each subnet. The first type that has capacity anywhere is taken, in its
/// subnets in turn, so that machines are spread over zones. For one caller at a time.
/// </summary>
/// <param name="types">The instance types, the best first; empty for the template's.</param>
/// <param name="subnets">The subnets; empty for the template's.</param>
internal sealed class LaunchPlaces(IReadOnlyList<string> types, IReadOnlyList<string> subnets)
{
    private readonly IReadOnlyList<string?> types = [.. types.DefaultIfEmpty<string?>(null)];
    private readonly IReadOnlyList<string?> subnets = [.. subnets.DefaultIfEmpty<string?>(null)];
    private readonly HashSet<LaunchPlace> full = [];
    private int turn;

    /// <summary>Takes all places to have capacity again.</summary>
    public void Forget() => full.Clear();

    /// <summary>Takes a place to have no capacity.</summary>
    public void Exclude(LaunchPlace place) => full.Add(place);

    /// <summary>Where to try the next machine; null when there is no place left.</summary>
    public LaunchPlace? Next()
    {
        foreach (var type in types)
        {
            for (var i = 0; i < subnets.Count; i++)
            {
                var at = (turn + i) % subnets.Count;
                if (new LaunchPlace(type, subnets[at]) is var place && full.Contains(place))
                    continue;
                turn = at + 1;
                return place;
            }
        }
        return null;
    }
}
