using System.Diagnostics;
using System.Globalization;
using Xunit.Abstractions;

namespace Spotter.Faults.Soak;

/// <summary>Tells how far a run is, for whoever waits for hours.</summary>
internal sealed class SoakLog(string store, ITestOutputHelper output)
{
    private static readonly Lock Gate = new();
    private readonly long begun = Stopwatch.GetTimestamp();

    public void Say(string what)
    {
        var line = string.Create(CultureInfo.InvariantCulture, $"{store} {Stopwatch.GetElapsedTime(begun):h\\:mm\\:ss} {what}");
        lock (Gate)
        {
            output.WriteLine(line);
            if (SoakSettings.Progress is { Length: > 0 } file)
                File.AppendAllLines(file, [line]);
        }
    }
}
