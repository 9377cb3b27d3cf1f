using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using Spotter.Benchmarks.Queues;

namespace Spotter.Benchmarks.Services;

/// <summary>The same service as one would write it in Node: fastify, BullMQ on Redis, worker processes with sharp and onnxruntime-node.</summary>
internal sealed class PeerService : IPictureService
{
    private readonly DirectoryInfo folder;
    private readonly PrivateServer redis;
    private readonly string found;
    private readonly List<Process> processes = [];

    private PeerService(DirectoryInfo folder, PrivateServer redis, string found) => (this.folder, this.redis, this.found) = (folder, redis, found);

    public string Name => "Node, BullMQ";

    public HttpClient Client { get; } = new();

    /// <summary>Starts one and waits for its workers; null, after saying why, where there is no Redis.</summary>
    /// <param name="model">The model, of the YOLOv5 layout.</param>
    /// <param name="labels">Its labels.</param>
    /// <param name="found">What it has to find on the pictures, most confident of all.</param>
    /// <param name="workers">Worker processes of one job at a time and one thread each.</param>
    public static async Task<PeerService?> StartAsync(string model, IReadOnlyList<string> labels, string found, int workers)
    {
        Peers.Install();
        if (await PrivateServer.StartAsync("redis") is not { } redis)
            return null;
        var peer = new PeerService(Directory.CreateTempSubdirectory("spotter-peer-"), redis, found);
        try
        {
            var port = redis.Port.ToString(CultureInfo.InvariantCulture);
            const string listening = "listening on ";
            peer.Client.BaseAddress = new Uri((await peer.StartAsync(listening, "service.mjs", port, peer.folder.FullName))[listening.Length..]);
            for (var i = 0; i < workers; i++)
                await peer.StartAsync("ready", "worker.mjs", port, Path.GetFullPath(model), JsonSerializer.Serialize(labels));
            return peer;
        }
        catch
        {
            await peer.DisposeAsync();
            throw;
        }
    }

    public Uri AddressFor(bool annotate) => new(annotate ? "/jobs?annotate=true" : "/jobs", UriKind.Relative);

    public async Task<long> SucceededAsync() => (await Client.GetFromJsonAsync<JsonElement>("/stats")).GetProperty("succeeded").GetInt64();

    public (TimeSpan Gateway, TimeSpan Workers) ProcessorTime()
    {
        processes.ForEach(process => process.Refresh());
        return (processes[0].TotalProcessorTime + redis.ProcessorTime(), processes.Skip(1).Aggregate(TimeSpan.Zero, (sum, worker) => sum + worker.TotalProcessorTime));
    }

    /// <inheritdoc/>
    public async Task CheckAsync(IReadOnlyList<string> jobs, byte[] picture, bool annotate)
    {
        JobAudit.Distinct(jobs);
        var workers = processes.Skip(1).Select(process => process.Id).ToHashSet();
        foreach (var id in jobs)
        {
            var job = await Client.GetFromJsonAsync<JsonElement>($"/jobs/{id}");
            if (job.GetProperty("state").GetString() != "completed" || !workers.Contains(job.GetProperty("result").GetProperty("worker").GetInt32()))
                throw new BenchmarkFailedException($"The peer's job {id} was not run by one of its workers: {job}");
            if (job.GetProperty("result").GetProperty("detections").EnumerateArray().Select(d => d.GetProperty("label").GetString()).FirstOrDefault() != found)
                throw new BenchmarkFailedException($"The peer did not find a {found}, as ours does, but: {job}");
        }
        JobAudit.CheckSize(folder, jobs.Count, picture.Length);
        if (annotate && jobs.Count(id => File.Exists(Path.Combine(folder.FullName, id + ".annotated.jpg"))) is var drawn && drawn != jobs.Count)
            throw new BenchmarkFailedException($"Only {drawn} of the peer's {jobs.Count} pictures were annotated.");
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        foreach (var process in processes)
        {
            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
        }
        await redis.DisposeAsync();
        ServiceProcess.DeleteLater(folder);
    }

    /// <summary>Starts one of its programs and gives the line that says that it is there.</summary>
    private async Task<string> StartAsync(string ready, params string[] arguments)
    {
        var start = new ProcessStartInfo("node", arguments) { WorkingDirectory = Peers.Folder, RedirectStandardOutput = true, UseShellExecute = false };
        start.Environment["NODE_ENV"] = "production";
        var process = Process.Start(start)!;
        processes.Add(process);
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            if (line.StartsWith(ready, StringComparison.Ordinal))
                return line;
        }
        throw new BenchmarkFailedException($"The peer's {arguments[0]} ended before it was ready.");
    }
}
