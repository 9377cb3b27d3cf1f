using System.Diagnostics;
using Spotter.Cli.Serve;
using Spotter.Core;

namespace Spotter.Tests.Cli;

public sealed class ModelInspectionTests
{
    private static readonly TimeSpan Safety = TimeSpan.FromSeconds(20);

    [LinuxFact]
    public async Task An_inspection_that_is_cancelled_leaves_no_process_behind()
    {
        var seconds = $"{600 + RandomSource.System.NextDouble()}";
        using var cancel = new CancellationTokenSource();

        var inspecting = ModelInspection.InspectAsync("slow.onnx", new ProcessStartInfo("sleep", [seconds]), cancel.Token);
        await UntilAsync(() => Sleepers(seconds).Any());
        await cancel.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => inspecting);

        await UntilAsync(() => !Sleepers(seconds).Any());
    }

    private static IEnumerable<string> Sleepers(string seconds) =>
        Directory.EnumerateDirectories("/proc").Where(p => Path.GetFileName(p).All(char.IsAsciiDigit) && Arguments(p).Contains(seconds, StringComparison.Ordinal));

    private static string Arguments(string process)
    {
        try
        {
            return File.ReadAllText(Path.Combine(process, "cmdline"));
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    private static async Task UntilAsync(Func<bool> holds)
    {
        using var safety = new CancellationTokenSource(Safety);
        while (!holds())
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, safety.Token);
    }
}
