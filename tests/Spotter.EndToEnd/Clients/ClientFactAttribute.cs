namespace Spotter.EndToEnd.Clients;

/// <summary>A test that needs Python 3 and Node; counted as skipped without one of them.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ClientFactAttribute : FactAttribute
{
    public ClientFactAttribute() => Skip = ClientProgram.Missing;
}

/// <summary>As <see cref="ClientFactAttribute"/>, with cases.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ClientTheoryAttribute : TheoryAttribute
{
    public ClientTheoryAttribute() => Skip = ClientProgram.Missing;
}
