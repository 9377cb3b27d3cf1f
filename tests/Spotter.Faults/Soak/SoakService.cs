using System.Globalization;

namespace Spotter.Faults.Soak;

/// <summary>A gateway and its workers, each of which is started again when it was killed.</summary>
internal sealed class SoakService : IAsyncDisposable
{
    private const int Workers = 2;

    private static readonly Dictionary<string, string> Settings = new(StringComparer.Ordinal)
    {
        ["SPOTTER__LEASE__DURATIONSECONDS"] = "3",
        ["SPOTTER__LEASE__HEARTBEATSECONDS"] = "0.5",
        ["SPOTTER__LEASE__SWEEPSECONDS"] = "0.5",
        ["SPOTTER__LEASE__ORPHANSECONDS"] = "15",
        ["SPOTTER__WEBHOOKS__TIMEOUTSECONDS"] = "5",
        ["SPOTTER__WEBHOOKS__LEASESECONDS"] = "8",
        ["SPOTTER__WEBHOOKS__RETRYSECONDS"] = string.Join(',', Enumerable.Repeat("0.5", 50)),
        ["SPOTTER__CAMERAS__TIMEOUTSECONDS"] = "20",
        ["SPOTTER__WORKER__TOKEN"] = Bench.Token,
    };

    private readonly SoakStore store;
    private readonly TemporaryFolder folder;
    private readonly Dictionary<string, string> environment;
    private readonly SpotterProcess?[] workers = new SpotterProcess?[Workers];
    private readonly SmallDisk? disk;

    private SoakService(SoakStore store, TemporaryFolder folder)
    {
        (this.store, this.folder) = (store, folder);
        environment = new Dictionary<string, string>(Settings, StringComparer.Ordinal);
        Clock = new SoakClock(folder.File("clock"));
        Clock.Set(TimeSpan.Zero);
        foreach (var (name, value) in store.Environment.Concat(Clock.Environment))
            environment[name] = value;
        Directory.CreateDirectory(Data);
        Directory.CreateDirectory(folder.File("worker/models"));
        PatchModel.Write(folder.File("worker/models/patches.onnx"), work: 4);
        if (store.Name != SoakStore.Moto && SmallDisk.CanMount())
            disk = SmallDisk.Mount(Filled, mebibytes: 256);
        // One that has been started again knows what it can be asked for before any worker has come back.
        Directory.CreateDirectory(Path.Combine(Data, "models"));
        File.Copy(folder.File("worker/models/patches.onnx"), Path.Combine(Data, "models", "patches.onnx"));
    }

    /// <summary>True when the disk of <see cref="Filled"/> may be filled.</summary>
    public bool HasSmallDisk => disk is not null;

    /// <summary>Leases last as long as this.</summary>
    public static TimeSpan Lease { get; } = TimeSpan.FromSeconds(3);

    /// <summary>The clock of the gateway's and the workers' machine.</summary>
    public SoakClock Clock { get; }

    /// <summary>The gateway as it runs now.</summary>
    public SpotterProcess Gateway { get; private set; } = null!;

    /// <summary>A client of it, whichever process it is.</summary>
    public SpotterApi Api { get; private set; } = null!;

    /// <summary>The folder whose disk can be full: the data folder, or that of the pictures.</summary>
    public string Filled => Directory.Exists(folder.File("pictures")) ? folder.File("pictures") : Data;

    private string Data => folder.File("data");

    public static async Task<SoakService> StartAsync(SoakStore store, TemporaryFolder folder)
    {
        var service = new SoakService(store, folder);
        try
        {
            await service.StartGatewayAsync();
            for (var i = 0; i < Workers; i++)
                service.StartWorker(i);
            return service;
        }
        catch
        {
            await service.DisposeAsync();
            throw;
        }
    }

    /// <summary>SIGKILL, and a new one at the same address.</summary>
    public async Task KillGatewayAsync()
    {
        await Gateway.KillAsync();
        await Gateway.DisposeAsync();
        await StartGatewayAsync();
    }

    /// <summary>SIGKILL, and a new one in its place.</summary>
    public async Task KillWorkerAsync(int which)
    {
        await workers[which % Workers]!.KillAsync();
        await workers[which % Workers]!.DisposeAsync();
        StartWorker(which % Workers);
    }

    /// <summary>Stops a worker for longer than it may be silent.</summary>
    public async Task FreezeWorkerAsync(int which)
    {
        var worker = workers[which % Workers]!.Id;
        Processes.Signal(worker, Processes.Stop);
        await Task.Delay(1.5 * Lease, TimeProvider.System);
        Processes.Signal(worker, Processes.Continue);
    }

    /// <summary>Files in the folders that the gateway writes to.</summary>
    public int Files() => Folders().Sum(f => Directory.EnumerateFiles(f, "*", SearchOption.AllDirectories).Count());

    /// <summary>Pictures that are kept in files.</summary>
    public int PicturesKept() => Folders().Select(f => f == Data ? Path.Combine(f, "blobs") : f).Where(Directory.Exists)
        .Sum(f => Directory.EnumerateFiles(f, "*", SearchOption.AllDirectories).Count(file => Path.GetFileName(file) != "spotter-owner"));

    public async ValueTask DisposeAsync()
    {
        Api?.Dispose();
        foreach (var process in workers.Append(Gateway).OfType<SpotterProcess>())
            await process.DisposeAsync();
        disk?.Dispose();
    }

    private IEnumerable<string> Folders() => ((string[])[Data, Filled]).Distinct(StringComparer.Ordinal);

    private async Task StartGatewayAsync()
    {
        var port = Api is null ? 0 : Gateway.Address.Port;
        Gateway = await SpotterProcess.StartAsync(
            Data, model: null, [.. store.Arguments, "--compat", "--keep-pictures", "0", "--callback-allow", "127.0.0.1", "--client-rate", "0"], environment, port, "gateway");
        Api ??= new SpotterApi(Gateway.Address);
    }

    private void StartWorker(int which) => workers[which] = SpotterProcess.StartWorker(Gateway.Address, folder.File("worker"), environment);
}

/// <summary>What a gateway and its folders hold when nothing is going on.</summary>
internal sealed record SoakReading(long Memory, int Descriptors, int Files)
{
    /// <summary>Memory may be this many times as much in the end as after the first third, and <see cref="MoreMemory"/> more: how much of what is free it keeps depends on what happened last.</summary>
    public const double TimesMemory = 1.25;

    public const long MoreMemory = 64L << 20;

    /// <summary>Connections and files of which there may be more, as clients keep some open for a while.</summary>
    public const int MoreDescriptors = 20;

    public const int MoreFiles = 10;

    /// <summary>The least memory of some seconds, as it is given back bit by bit.</summary>
    public static async Task<SoakReading> TakeAsync(SoakService service)
    {
        var least = long.MaxValue;
        for (var i = 0; i < 6; i++)
        {
            least = Math.Min(least, MemoryOf(service.Gateway.Id));
            await Task.Delay(TimeSpan.FromMilliseconds(500), TimeProvider.System);
        }
        return new SoakReading(least, Directory.EnumerateFileSystemEntries($"/proc/{service.Gateway.Id}/fd").Count(), service.Files());
    }

    /// <summary>True when an earlier reading was about as large.</summary>
    public bool IsLike(SoakReading earlier) =>
        Memory <= (earlier.Memory * TimesMemory) + MoreMemory && Descriptors <= earlier.Descriptors + MoreDescriptors && Files <= earlier.Files + MoreFiles;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Memory >> 20} MiB, {Descriptors} descriptors, {Files} files");

    private static long MemoryOf(int process)
    {
        var line = File.ReadLines($"/proc/{process}/status").Single(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
        return long.Parse(line.AsSpan(6).Trim().TrimEnd(" kB"), NumberStyles.None, CultureInfo.InvariantCulture) * 1024;
    }
}
