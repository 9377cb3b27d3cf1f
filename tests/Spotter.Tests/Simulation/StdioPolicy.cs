using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Spotter.Scaling;
using Spotter.Tests.Cli;

namespace Spotter.Tests.Simulation;

/// <summary>The policy of a `policy --stdio` process, as any simulator may drive it.</summary>
internal sealed class StdioPolicy : ScalePolicy, IDisposable
{
    private readonly Process process;

    public StdioPolicy(ScaleSettings settings)
    {
        process = Process.Start(new ProcessStartInfo("dotnet", [SpotterProgram.Program, "policy", "--stdio"])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            StandardOutputEncoding = Encoding.UTF8,
        })!;
        process.StandardInput.WriteLine(JsonSerializer.Serialize(new
        {
            settings = new
            {
                policy = settings.Policy,
                preset = settings.Preset.ToString().ToLowerInvariant(),
                min = settings.Min,
                max = settings.Max,
                bootPrior = Seconds(settings.BootPrior),
                servicePrior = Seconds(settings.ServicePrior),
                minBill = Seconds(settings.MinBill),
                tick = Seconds(settings.Tick),
            },
        }));
    }

    public override ScaleDecision Decide(ScaleObservation seen)
    {
        process.StandardInput.WriteLine(JsonSerializer.Serialize(new
        {
            time = Seconds(seen.Time),
            queued = seen.Queued,
            running = seen.Running,
            arrived = seen.Arrived,
            workers = seen.Workers.Select(w => new
            {
                id = w.Id,
                state = w.State.ToString().ToLowerInvariant(),
                age = Seconds(w.Age),
                stateAge = Seconds(w.StateAge),
            }),
            served = Enumerable.Repeat(seen.Served.Mean, (int)seen.Served.Jobs),
            booted = seen.BootedSeconds,
            cpuLoad = seen.CpuLoad,
        }));
        process.StandardInput.Flush();
        var answer = JsonDocument.Parse(process.StandardOutput.ReadLine() ?? throw new InvalidOperationException("The policy has ended.")).RootElement;
        return new(
            answer.GetProperty("target").GetInt32(),
            answer.GetProperty("launch").GetInt32(),
            [.. answer.GetProperty("drain").EnumerateArray().Select(id => id.GetString()!)],
            [.. answer.GetProperty("cancelDrain").EnumerateArray().Select(id => id.GetString()!)],
            answer.GetProperty("reason").GetString()!);
    }

    public void Dispose()
    {
        process.StandardInput.Close();
        if (!process.WaitForExit(TimeSpan.FromSeconds(30)))
            process.Kill();
        process.Dispose();
    }

    // In the middle of a tick of the clock, so that the number of ticks survives the way through decimals.
    private static double Seconds(TimeSpan time) => (time.Ticks + 0.25) / TimeSpan.TicksPerSecond;
}
