namespace Spotter.Tests;

/// <summary>A test that looks into <c>/proc</c>; counted as skipped elsewhere.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class LinuxFactAttribute : FactAttribute
{
    public LinuxFactAttribute()
    {
        if (!OperatingSystem.IsLinux())
            Skip = "this looks into /proc, which only Linux has";
    }
}
