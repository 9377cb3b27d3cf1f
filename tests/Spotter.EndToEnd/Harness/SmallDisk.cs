using System.Diagnostics;

namespace Spotter.EndToEnd.Harness;

/// <summary>A disk in memory, mounted over a folder.</summary>
internal sealed class SmallDisk : IDisposable
{
    private readonly string folder;

    private SmallDisk(string folder) => this.folder = folder;

    public static SmallDisk Mount(string folder, int mebibytes)
    {
        Run("mount", "-t", "tmpfs", "-o", $"size={mebibytes}m", "spotter-test", folder).ShouldBe(0);
        return new SmallDisk(folder);
    }

    /// <summary>Whether this process may mount anything.</summary>
    public static bool CanMount()
    {
        if (!OperatingSystem.IsLinux() || Environment.UserName != "root")
            return false;
        using var probe = new TemporaryFolder();
        if (Run("mount", "-t", "tmpfs", "-o", "size=1m", "spotter-test", probe.Path) != 0)
            return false;
        Run("umount", probe.Path);
        return true;
    }

    /// <summary>Writes to a file until not even a small block finds room.</summary>
    public static void Fill(string file)
    {
        using var stream = File.Create(file);
        foreach (var size in (int[])[1 << 20, 1 << 12])
        {
            try
            {
                while (true)
                {
                    stream.Write(new byte[size]);
                    stream.Flush(flushToDisk: true);
                }
            }
            catch (IOException)
            {
                // Full, by pieces of this size.
            }
        }
    }

    public void Dispose() => Run("umount", "-l", folder);

    private static int Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, UseShellExecute = false })!;
        process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode;
    }
}

/// <summary>A test that needs a small disk; counted as skipped where none can be mounted.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class SmallDiskFactAttribute : FactAttribute
{
    private static readonly bool Possible = SmallDisk.CanMount();

    public SmallDiskFactAttribute()
    {
        if (!Possible)
            Skip = "a small disk can't be mounted here: that takes root";
    }
}
