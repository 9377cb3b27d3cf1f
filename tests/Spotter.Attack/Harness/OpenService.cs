namespace Spotter.Attack.Harness;

/// <summary>A service without keys on this machine, as it is by default.</summary>
public sealed class OpenService : RunningService
{
    protected override IReadOnlyList<string> Arguments => ["--min-workers", "1", "--max-workers", "1", "--lanes", "2"];
}
