using System.Diagnostics;
using System.Globalization;
using Spotter.Backends;
using Spotter.Backends.Local;
using Spotter.Backends.Postgres;
using Spotter.Core;
using Spotter.EndToEnd.Harness;
using Spotter.Jobs;

namespace Spotter.Tests.Jobs;

/// <summary>Tests that need PgBouncer before a PostgreSQL server.</summary>
public sealed class NeedsPgBouncerAttribute : NeedsAttribute
{
    public override string? Missing =>
        PostgresCluster.Missing ?? (PgBouncer.Program is null ? "there is no PgBouncer here: install the package pgbouncer" : null);
}

/// <summary>A real pooler between the gateway and the server, as many hosters have one.</summary>
[NeedsPgBouncer]
[Collection(PostgresServer.Name)]
public sealed class PostgresPoolerTests(PostgresServer server) : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly JobPriority[] Levels = [JobPriority.High, JobPriority.Normal, JobPriority.Low];

    private readonly TemporaryFolder folder = new();
    private readonly PostgresFixture fixture = new(server);

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await fixture.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task Behind_a_pooler_of_sessions_everything_works()
    {
        using var pooler = PgBouncer.Start(server.Cluster, "session");
        await using var backend = Open(pooler);
        await using var other = Open(pooler);
        using var stop = new CancellationTokenSource(Patience);
        var heard = new TaskCompletionSource<JobId>(TaskCreationOptions.RunContinuationsAsynchronously);
        var job = SampleJobs.New(model: "tiny");
        var listening = Task.Run(async () =>
        {
            await foreach (var change in other.Jobs.ChangesAsync(stop.Token))
            {
                if (change.Job == job.Id)
                    heard.TrySetResult(job.Id);
            }
        }, CancellationToken.None);

        // Often enough that statements are prepared, and a change is heard whenever listening began.
        await backend.Jobs.AddAsync([job], default);
        for (var i = 0; !heard.Task.IsCompleted || i < 5; i++)
        {
            var taken = (await backend.Jobs.TakeAsync(new TakeRequest(["detect/tiny"], Levels, ["w"], Patience), stop.Token)).Jobs.ShouldHaveSingleItem();
            await backend.Jobs.FinishAsync(taken.Lease, new JobOutcome.Retry(new JobError("again", "Again."), SpendAttempt: false), default);
            await fixture.RunAsync("UPDATE jobs SET due = 0");
        }
        await stop.CancelAsync();
        await listening.ContinueWith(_ => { }, TaskScheduler.Default);
    }

    [Fact]
    public void A_pooler_of_transactions_is_refused_with_what_to_set()
    {
        using var pooler = PgBouncer.Start(server.Cluster, "transaction");

        var refusal = Should.Throw<SpotterException>(() => Open(pooler));

        refusal.Message.ShouldStartWith($"The job store at 127.0.0.1:{pooler.Port.ToString(CultureInfo.InvariantCulture)}/postgres can't be opened. A pooler between");
        refusal.Message.ShouldContain("set pool_mode = session");
    }

    private Backend Open(PgBouncer pooler) => PostgresBackend.Open(
        new PostgresSettings { Address = pooler.Url, Schema = fixture.Schema }, new BlobPlace(new FolderBlobStore(folder.File("blobs"), RandomSource.System), "The folder"),
        new RetrySchedule(), RandomSource.System, TimeProvider.System);
}

/// <summary>A PgBouncer before a cluster, as its package configures it but for the mode.</summary>
internal sealed class PgBouncer : IDisposable
{
    public static readonly string? Program =
        ((string[])["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/usr/local/bin/pgbouncer", "/opt/homebrew/bin/pgbouncer"]).FirstOrDefault(File.Exists);

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly string folder = Directory.CreateTempSubdirectory("spotter-pgbouncer-").FullName;
    private Process? process;

    public required int Port { get; init; }

    public string Url => string.Create(CultureInfo.InvariantCulture, $"postgres://anybody@127.0.0.1:{Port}/postgres");

    public static PgBouncer Start(PostgresCluster cluster, string mode)
    {
        var pooler = new PgBouncer { Port = FreePort.Take() };
        try
        {
            pooler.Run(cluster, mode);
            return pooler;
        }
        catch
        {
            pooler.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        if (process is { HasExited: false })
            process.Kill(entireProcessTree: true);
        process?.WaitForExit(Patience);
        process?.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private void Run(PostgresCluster cluster, string mode)
    {
        var settings = Path.Combine(folder, "pgbouncer.ini");
        File.WriteAllText(settings, string.Create(CultureInfo.InvariantCulture, $"""
            [databases]
            postgres = host=127.0.0.1 port={cluster.Port} user=spotter password='{PostgresCluster.Secret.Replace("'", "''", StringComparison.Ordinal)}'
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = {Port}
            unix_socket_dir =
            auth_type = any
            pool_mode = {mode}
            default_pool_size = 60
            max_client_conn = 200
            """));
        string[] command = [Program!, settings];
        if (Environment.IsPrivilegedProcess && !OperatingSystem.IsWindows())
        {
            // It refuses to run as root.
            File.SetUnixFileMode(folder, (UnixFileMode)0b111_101_101);
            command = ["runuser", "-u", "nobody", "--", .. command];
        }
        var start = new ProcessStartInfo(command[0], command[1..]) { UseShellExecute = false, RedirectStandardError = true, RedirectStandardOutput = true, WorkingDirectory = "/" };
        process = Process.Start(start) ?? throw new InvalidOperationException($"{Program} can't be started.");
        process.OutputDataReceived += static (_, _) => { };
        process.BeginOutputReadLine();
        var listens = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is null)
                listens.TrySetException(new InvalidOperationException("PgBouncer has ended."));
            else if (line.Data.Contains("process up", StringComparison.Ordinal))
                listens.TrySetResult();
        };
        process.BeginErrorReadLine();
        listens.Task.WaitAsync(Patience).GetAwaiter().GetResult();
    }
}
