namespace Spotter.EndToEnd.Harness;

/// <summary>A test that needs Python 3; counted as skipped without it.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class PythonFactAttribute : FactAttribute
{
    public PythonFactAttribute()
    {
        if (EngineProcess.Python is null)
            Skip = "there is no python3 here: install the package python3";
    }
}
