using System.Globalization;

namespace Spotter.Faults.Soak;

/// <summary>
/// The time of day as the service's processes see it, by libfaketime. The time that passes is as for everybody: only what somebody sets at a
/// machine's clock is set here.
/// </summary>
internal sealed class SoakClock(string file)
{
    // Debian's package, which is named after the machine.
    private static readonly string? Library = Directory.Exists("/usr/lib")
        ? Directory.EnumerateDirectories("/usr/lib", "*-linux-gnu").Select(folder => Path.Combine(folder, "faketime", "libfaketimeMT.so.1")).FirstOrDefault(File.Exists)
        : null;

    /// <summary>False where the library is not; then clocks are left as they are.</summary>
    public static bool CanJump => Library is not null;

    /// <summary>What a process has to be started with.</summary>
    public IEnumerable<KeyValuePair<string, string>> Environment => Library is null ? [] :
    [
        new("LD_PRELOAD", Library),
        new("FAKETIME_TIMESTAMP_FILE", file),
        new("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        // Waits are by the steady clock. Its own guess is that they aren't, and then each wait is over at once.
        new("FAKETIME_FORCE_MONOTONIC_FIX", "0"),
        // It looks into the file again each second.
        new("FAKETIME_CACHE_DURATION", "1"),
    ];

    /// <summary>Sets it so much later than it is; earlier where that is negative.</summary>
    public void Set(TimeSpan shift)
    {
        // In one step, as a process may be reading it.
        File.WriteAllText(file + ".new", string.Create(CultureInfo.InvariantCulture, $"{shift.TotalSeconds:+0;-0;+0}\n"));
        File.Move(file + ".new", file, overwrite: true);
    }
}
