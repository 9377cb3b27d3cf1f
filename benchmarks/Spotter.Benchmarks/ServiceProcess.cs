using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;

namespace Spotter.Benchmarks;

/// <summary>A real service in a process of its own, with an empty data folder; ended with this object.</summary>
internal sealed class ServiceProcess : IAsyncDisposable
{
    /// <summary>The secret by which workers are known to it.</summary>
    public static readonly string WorkerToken = new('b', 64);

    private static readonly List<DirectoryInfo> Leftovers = [];

    private readonly Process process;

    private ServiceProcess(Process process, DirectoryInfo data, Uri address)
    {
        this.process = process;
        Data = data;
        Client = new HttpClient { BaseAddress = address };
    }

    public HttpClient Client { get; }

    /// <summary>Where it keeps what it is sent.</summary>
    public DirectoryInfo Data { get; }

    /// <summary>What starts the program as built beside this one.</summary>
    public static ProcessStartInfo StartInfo(params string[] arguments) =>
        new(Environment.ProcessPath!.EndsWith("dotnet", StringComparison.Ordinal) ? Environment.ProcessPath : "dotnet",
            [Path.Combine(AppContext.BaseDirectory, "spotter.dll"), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };

    /// <summary>Starts one on an empty folder.</summary>
    public static Task<ServiceProcess> StartAsync(params string[] arguments)
    {
        var folder = Directory.CreateTempSubdirectory("spotter-benchmark-");
        DeleteLater(folder);
        return StartOnAsync(folder, arguments);
    }

    /// <summary>Starts one on what is in a folder, which stays.</summary>
    public static async Task<ServiceProcess> StartOnAsync(DirectoryInfo folder, IReadOnlyList<string> arguments)
    {
        var start = StartInfo([.. arguments, "--port", "0", "--data", folder.FullName]);
        start.Environment["SPOTTER__WORKER__TOKEN"] = WorkerToken;
        var started = Process.Start(start)!;
        started.ErrorDataReceived += (_, _) => { };
        started.BeginErrorReadLine();
        while (await started.StandardOutput.ReadLineAsync() is { } line)
        {
            if (line.StartsWith("listening on ", StringComparison.Ordinal))
                return new ServiceProcess(started, folder, new Uri(line["listening on ".Length..]));
        }
        throw new InvalidOperationException("The service ended before it listened.");
    }

    /// <summary>Processor time that the gateway and its workers have used so far.</summary>
    public (TimeSpan Gateway, TimeSpan Workers) ProcessorTime()
    {
        process.Refresh();
        return (process.TotalProcessorTime, OfChildren(process.Id));
    }

    /// <summary>The most resident memory in bytes that the gateway has had, and its workers together, by the kernel's high-water marks.</summary>
    public (long Gateway, long Workers) PeakMemory()
    {
        process.Refresh();
        return (process.PeakWorkingSet64, SumOfChildren(process.Id, child => child.PeakWorkingSet64));
    }

    /// <summary>Processor time that the children of a process have used so far; nothing where the parents can't be told.</summary>
    public static TimeSpan OfChildren(int parent) => TimeSpan.FromTicks(SumOfChildren(parent, child => child.TotalProcessorTime.Ticks));

    private static long SumOfChildren(int parent, Func<Process, long> value)
    {
        long sum = 0;
        foreach (var other in Process.GetProcesses())
        {
            using (other)
            {
                if (ParentOf(other.Id) == parent)
                    sum += value(other);
            }
        }
        return sum;
    }

    /// <summary>The gateway's resident memory in bytes.</summary>
    public long Memory()
    {
        process.Refresh();
        return process.WorkingSet64;
    }

    /// <summary>The most resident memory that the gateway has had, in bytes, seen until <paramref name="stop"/>.</summary>
    public async Task<long> PeakMemoryAsync(CancellationToken stop)
    {
        long peak = 0;
        try
        {
            while (true)
            {
                process.Refresh();
                // The kernel's own high-water mark where there is one.
                peak = Math.Max(peak, Math.Max(process.PeakWorkingSet64, process.WorkingSet64));
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, stop);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return peak;
        }
    }

    public async Task<JsonElement> StatsAsync() => await Client.GetFromJsonAsync<JsonElement>("/v1/stats");

    /// <summary>Waits until the statistics are as wanted; a service that never gets there is given up after a minute.</summary>
    public async Task<JsonElement> UntilAsync(Func<JsonElement, bool> wanted)
    {
        var begun = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(begun) < TimeSpan.FromMinutes(1))
        {
            var stats = await StatsAsync();
            if (wanted(stats))
                return stats;
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        }
        throw new TimeoutException($"The service did not get there: {await StatsAsync()}");
    }

    /// <summary>The parent as Linux tells it; null elsewhere, and for a process that has ended.</summary>
    private static int? ParentOf(int id)
    {
        try
        {
            // pid (name) state parent …, and the name may hold anything.
            var stat = File.ReadAllText($"/proc/{id}/stat");
            return int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
        process.Dispose();
    }

    /// <summary>A folder that <see cref="CleanUp"/> is to delete.</summary>
    public static void DeleteLater(DirectoryInfo folder) => Leftovers.Add(folder);

    /// <summary>
    /// Deletes what the runs have written. Not between runs: ext4 looks long for inodes that were not deleted just now,
    /// which would be counted against the next run.
    /// </summary>
    public static void CleanUp() => Leftovers.ForEach(folder => folder.Delete(recursive: true));
}
