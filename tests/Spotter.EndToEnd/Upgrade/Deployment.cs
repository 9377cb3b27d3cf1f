using System.Globalization;
using Xunit.Abstractions;

namespace Spotter.EndToEnd.Upgrade;

/// <summary>Gateways and workers of earlier builds of the program and of this one.</summary>
internal sealed class Deployment(ITestOutputHelper output) : IAsyncDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly List<(string Name, SpotterProcess Process)> processes = [];
    private readonly List<SpotterApi> clients = [];

    /// <summary>A path in the folder of this deployment.</summary>
    public string File(string name) => folder.File(name);

    /// <summary>Starts a gateway.</summary>
    /// <param name="program">Of <see cref="Programs"/>.</param>
    /// <param name="data">The name of its data folder.</param>
    /// <param name="cluster">Where its jobs are; null for the data folder.</param>
    public async Task<(SpotterProcess Gateway, SpotterApi Api)> StartGatewayAsync(string program, string data, PostgresCluster? cluster = null)
    {
        // Called the same in all of them, as the names of variables are not.
        var address = folder.File("postgres");
        if (cluster is not null)
            await System.IO.File.WriteAllTextAsync(address, cluster.Url);
        string[] store = cluster is null ? [] : ["--backend", "postgres", "--postgres-file", address, "--blobs", $"folder:{folder.File("pictures")}"];
        var gateway = await SpotterProcess.StartAsync(
            folder.File(data), Model(), [.. store, "--callback-allow", "127.0.0.1", "--client-rate", "0"], Programs.Environment(program), command: "gateway");
        processes.Add(($"{program} gateway", gateway));
        var api = new SpotterApi(gateway.Address);
        clients.Add(api);
        return (gateway, api);
    }

    /// <summary>Starts a worker of a program at a gateway.</summary>
    public SpotterProcess StartWorker(string program, SpotterProcess gateway)
    {
        var data = folder.File(string.Create(CultureInfo.InvariantCulture, $"worker-{processes.Count}"));
        Directory.CreateDirectory(Path.Combine(data, "models"));
        System.IO.File.Copy(Model(), Path.Combine(data, "models", "patches.onnx"));
        var worker = SpotterProcess.StartWorker(gateway.Address, data, Programs.Environment(program));
        processes.Add(($"{program} worker", worker));
        return worker;
    }

    /// <summary>Ends processes as a service manager does; each has to end well.</summary>
    public static async Task StopAsync(params SpotterProcess[] some)
    {
        foreach (var process in some)
            (await process.TerminateAsync()).ShouldBe(0, process.Log);
    }

    public async ValueTask DisposeAsync()
    {
        clients.ForEach(client => client.Dispose());
        foreach (var (name, process) in processes)
        {
            output.WriteLine($"--- {name}\n{process.Log}");
            await process.DisposeAsync();
        }
        folder.Dispose();
    }

    /// <summary>Takes its time, so that there is a queue while programs begin and end.</summary>
    private string Model()
    {
        var file = folder.File("patches.onnx");
        return System.IO.File.Exists(file) ? file : PatchModel.Write(file, work: 40);
    }
}
