using System.Globalization;

namespace Spotter.Faults.Harness;

/// <summary>A gateway and workers in processes of their own, with short leases, and the ledger of a client.</summary>
internal sealed class Bench : IAsyncDisposable
{
    public const string Token = "0123456789abcdef0123456789abcdef";

    private static readonly Dictionary<string, string> ShortLeases = new(StringComparer.Ordinal)
    {
        ["SPOTTER__LEASE__DURATIONSECONDS"] = "2",
        ["SPOTTER__LEASE__HEARTBEATSECONDS"] = "0.3",
        ["SPOTTER__LEASE__SWEEPSECONDS"] = "0.2",
        // Longer than any submission takes on a busy machine: what is stored and not yet spoken of looks like an orphan.
        ["SPOTTER__LEASE__ORPHANSECONDS"] = "15",
        ["SPOTTER__WORKER__TOKEN"] = Token,
    };

    private readonly TemporaryFolder folder = new();
    private readonly List<SpotterProcess> processes = [];
    private readonly string? bug;
    private string[] arguments = [];
    private (string Name, string Value)[] permanent = [];
    private int onceFiles;

    private Bench(string? bug, int work, Action<string>? prepare)
    {
        this.bug = bug;
        prepare?.Invoke(Directory.CreateDirectory(Data).FullName);
        Directory.CreateDirectory(Path.Combine(Data, "models"));
        Directory.CreateDirectory(Path.Combine(WorkerData, "models"));
        PatchModel.Write(Path.Combine(Data, "models", "patches.onnx"), work);
        File.Copy(Path.Combine(Data, "models", "patches.onnx"), Path.Combine(WorkerData, "models", "patches.onnx"));
    }

    /// <summary>The gateway's data folder.</summary>
    public string Data => folder.File("data");

    /// <summary>The gateway as it runs now.</summary>
    public SpotterProcess Gateway { get; private set; } = null!;

    /// <summary>A client of it.</summary>
    public SpotterApi Api { get; private set; } = null!;

    /// <summary>What the client was promised.</summary>
    public Ledger Ledger { get; } = new();

    private string WorkerData => folder.File("worker");

    /// <summary>Starts a gateway.</summary>
    /// <param name="failpoint">Where it is to fail; null for nowhere.</param>
    /// <param name="bug">A mistake that it, and every worker, is to make; null for none.</param>
    /// <param name="work">How long the model takes, in products of matrices of some milliseconds each.</param>
    /// <param name="prepare">Does something about the data folder before it is used.</param>
    /// <param name="arguments">More arguments.</param>
    /// <param name="settings">More of the environment.</param>
    public static async Task<Bench> StartAsync(
        string? failpoint = null, string? bug = null, int work = 0, Action<string>? prepare = null, string[]? arguments = null,
        params (string Name, string Value)[] settings)
    {
        var bench = new Bench(bug, work, prepare) { arguments = arguments ?? [], permanent = settings };
        try
        {
            await bench.StartGatewayAsync(failpoint);
            return bench;
        }
        catch
        {
            await bench.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts the gateway again, after its end, at the same address.</summary>
    public async Task StartGatewayAsync(string? failpoint = null, params (string Name, string Value)[] settings)
    {
        var port = Gateway?.Address.Port ?? 0;
        Gateway = await SpotterProcess.StartAsync(Data, model: null, arguments, environment: Environment(failpoint, settings), port: port, command: "gateway");
        processes.Add(Gateway);
        Api ??= new SpotterApi(Gateway.Address);
    }

    /// <summary>Starts a worker.</summary>
    public SpotterProcess StartWorker(string? failpoint = null, params (string Name, string Value)[] settings)
    {
        var worker = SpotterProcess.StartWorker(Gateway.Address, WorkerData, Environment(failpoint, settings));
        processes.Add(worker);
        return worker;
    }

    /// <summary>Starts a worker and waits until it has joined.</summary>
    public async Task<SpotterProcess> JoinWorkerAsync(string? failpoint = null, params (string Name, string Value)[] settings)
    {
        var before = (await Api.StatsAsync()).GetProperty("workers").GetInt32();
        var worker = StartWorker(failpoint, settings);
        await Eventually.SeeAsync("the worker joins", Api.StatsAsync, stats => stats.GetProperty("workers").GetInt32() > before || worker.HasExited);
        return worker;
    }

    /// <summary>A failpoint that fails once, whichever process comes to it; and what tells whether it has.</summary>
    public (string Failpoint, OnceFile Once) Once(string failpoint)
    {
        var once = new OnceFile(folder.File(string.Create(CultureInfo.InvariantCulture, $"once-{++onceFiles}")));
        return (failpoint, once);
    }

    public async ValueTask DisposeAsync()
    {
        Api?.Dispose();
        foreach (var process in processes)
            await process.DisposeAsync();
        folder.Dispose();
    }

    private Dictionary<string, string> Environment(string? failpoint, (string Name, string Value)[] settings)
    {
        var environment = new Dictionary<string, string>(ShortLeases, StringComparer.Ordinal);
        if (failpoint is not null)
            environment["SPOTTER_FAILPOINT"] = failpoint;
        if (bug is not null)
            environment[SpotterProgram.PlantedBug] = bug;
        foreach (var (name, value) in (ReadOnlySpan<(string, string)>)[.. permanent, .. settings])
            environment[name] = value;
        return environment;
    }
}

/// <summary>The file by which a failpoint fails once.</summary>
/// <param name="Path">Where it will be.</param>
internal sealed record OnceFile(string Path)
{
    /// <summary>What tells a process of it.</summary>
    public (string Name, string Value) Setting => ("SPOTTER_FAILPOINT_FILE", Path);

    /// <summary>The step at which it failed; null when it has not.</summary>
    public string? Step => File.Exists(Path) ? File.ReadAllText(Path) : null;
}
