using System.Diagnostics;

namespace Spotter.EndToEnd.Clients;

/// <summary>A test that needs pip, setuptools and wheel; counted as skipped without them.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class PipFactAttribute : FactAttribute
{
    private static readonly bool IsHere = EngineProcess.Python is not null && HasPip();

    public PipFactAttribute()
    {
        if (!IsHere)
            Skip = "there is no pip with setuptools and wheel here: install the packages python3-pip, python3-setuptools and python3-wheel";
    }

    private static bool HasPip()
    {
        using var python = Process.Start(new ProcessStartInfo(EngineProcess.Python!, ["-c", "import setuptools, pip, wheel"]) { RedirectStandardError = true, UseShellExecute = false })!;
        python.WaitForExit();
        return python.ExitCode == 0;
    }
}
