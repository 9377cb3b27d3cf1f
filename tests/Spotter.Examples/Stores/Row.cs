using Spotter.Jobs;

namespace Spotter.Examples.Stores;

/// <summary>A row of an example's store.</summary>
internal sealed record Row : StoredJob
{
    public Row(StoredJob stored, long number)
        : base(stored) => Number = number;

    /// <summary>Rises from job to job in the order of their acceptance.</summary>
    public long Number { get; }
}
