namespace Spotter.EndToEnd.Harness;

/// <summary>A test that needs Redis, and PostgreSQL for its rows; skipped where either is missing.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RedisFactAttribute : FactAttribute
{
    /// <summary>Skips where there is none.</summary>
    public RedisFactAttribute() => Skip = RedisInstance.Missing ?? PostgresCluster.Missing;
}
