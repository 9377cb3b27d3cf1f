namespace Spotter.Faults.Harness;

/// <summary>Tests of planted mistakes, which need the program built with them; counted as skipped where it is not.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class PlantedTheoryAttribute : TheoryAttribute
{
    public PlantedTheoryAttribute()
    {
        if (!OperatingSystem.IsLinux())
            Skip = "this needs what only Linux has";
        else if (!File.Exists(SpotterProgram.PlantedFile))
            Skip = "the program with planted bugs is not built (./test faults does it)";
    }
}
