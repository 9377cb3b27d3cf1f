namespace Spotter.EndToEnd.Harness;

/// <summary>A test that needs the programs of a PostgreSQL server; counted as skipped without them.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class PostgresFactAttribute : FactAttribute
{
    public PostgresFactAttribute() => Skip = PostgresCluster.Missing;
}
