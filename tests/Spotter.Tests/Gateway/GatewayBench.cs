using System.Buffers.Binary;
using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Spotter.Backends;
using Spotter.Backends.Scaling;
using Spotter.Core;
using Spotter.Gateway;
using Spotter.Gateway.Hosting;
using Spotter.Jobs;
using Spotter.Scaling;
using Spotter.Tests.Jobs;
using Spotter.Vision;

namespace Spotter.Tests.Gateway;

/// <summary>A gateway on a free port, on the real local backend in a folder of its own, without workers.</summary>
internal sealed class GatewayBench : IAsyncDisposable
{
    public const string Token = "0123456789abcdef0123456789abcdef";

    public static readonly TimeSpan Safety = TimeSpan.FromSeconds(60);

    private readonly LocalFixture fixture = new();
    private readonly TemporaryFolder folder = new();
    private readonly Backend backend;
    private readonly TimeProvider time;
    private readonly Func<WorkerRoster, WorkerPools>? pools;

    private GatewayBench(GatewaySettings settings, TimeProvider time, Func<WorkerRoster, WorkerPools>? pools)
    {
        Settings = settings;
        this.time = time;
        this.pools = pools;
        Arrivals = new ArrivalFiles(folder.File("arrivals"), TimeProvider.System, NullLogger<ArrivalFiles>.Instance);
        backend = fixture.Open(TimeProvider.System, new RetrySchedule { FirstDelay = TimeSpan.FromMilliseconds(1) });
    }

    public GatewaySettings Settings { get; private set; }

    public WebApplication Host { get; private set; } = null!;

    public HttpClient Client { get; } = new();

    public Uri Address { get; private set; } = null!;

    public WorkerRoster Roster { get; private set; } = null!;

    public ModelCatalogue Models { get; private set; } = null!;

    /// <summary>The application of the gateway that runs.</summary>
    public JobService Service => Host.Services.GetRequiredService<JobService>();

    public DecisionLog Decisions { get; } = new();

    public ScaleSeries Series { get; } = new();

    public ArrivalFiles Arrivals { get; }

    public IJobStore Jobs => backend.Jobs;

    public Backend Backend => backend;

    /// <summary>Everything that was logged, exceptions included.</summary>
    public ConcurrentQueue<string> Log { get; } = new();

    public static ModelInfo Model { get; } = new("tiny", VisionTasks.Detect, "yolov8", 64, 64, ["person", "bus", "dog"]);

    public static async Task<GatewayBench> StartAsync(Func<GatewaySettings, GatewaySettings>? change = null, TimeProvider? time = null, Func<WorkerRoster, WorkerPools>? pools = null)
    {
        var settings = new GatewaySettings { Port = 0, WorkerToken = Token, Telemetry = new TelemetrySettings { Meter = $"Spotter.{RandomSource.System.NextHex(16)}" }, Jobs = new JobSettings { MaxInputBytes = 256 * 1024 } };
        var bench = new GatewayBench(change?.Invoke(settings) ?? settings, time ?? TimeProvider.System, pools);
        await bench.StartHostAsync();
        bench.Settings = bench.Settings with { Port = bench.Host.Address().Port };
        bench.Address = bench.Host.Address();
        bench.Client.BaseAddress = bench.Address;
        return bench;
    }

    /// <summary>Ends the gateway and starts another on the same port, which knows no worker.</summary>
    public async Task RestartAsync()
    {
        await StopHostAsync();
        await StartHostAsync();
    }

    public async Task StopHostAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await Host.StopAsync(patience.Token);
        await Host.DisposeAsync();
    }

    public async Task StartHostAsync()
    {
        Roster = new WorkerRoster(TimeProvider.System);
        Models = new ModelCatalogue((IEnumerable<ModelInfo>)[Model]);
        var builder = GatewayHost.CreateBuilder();
        builder.Logging.AddProvider(new LogLines(Log)).SetMinimumLevel(LogLevel.Trace);
        builder.Services.AddSingleton(Settings).AddSingleton(time).AddSingleton(backend.Jobs).AddSingleton(backend.Blobs).AddSingleton(backend.Outbox)
            .AddSingleton(Roster).AddSingleton(Decisions).AddSingleton(Models).AddSingleton(Series)
            .AddSingleton(new ScaleMeter(Arrivals)).AddSingleton<IArrivalTrace>(Arrivals)
            .AddGateway();
        if (pools is not null)
            builder.Services.AddSingleton(pools(Roster));
        Host = builder.Build().MapGateway();
        await Host.StartAsync(default);
    }

    /// <summary>Bytes that have the head of a PNG; the gateway looks no further.</summary>
    public static byte[] Picture(int width = 64, int height = 64, int bytes = 2000)
    {
        var png = new byte[bytes];
        RandomSource.Seeded(width).Fill(png);
        ReadOnlySpan<byte> head = [0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10, 0, 0, 0, 13, (byte)'I', (byte)'H', (byte)'D', (byte)'R'];
        head.CopyTo(png);
        BinaryPrimitives.WriteInt32BigEndian(png.AsSpan(16), width);
        BinaryPrimitives.WriteInt32BigEndian(png.AsSpan(20), height);
        ReadOnlySpan<byte> kind = [8, 2, 0, 0, 0];
        kind.CopyTo(png.AsSpan(24));
        return png;
    }

    public static ByteArrayContent Body(byte[] bytes, string type = "image/png")
    {
        var content = new ByteArrayContent(bytes);
        content.Headers.TryAddWithoutValidation("Content-Type", type);
        return content;
    }

    public async Task<JobId> SubmitAsync()
    {
        using var response = await Client.PostAsync(new Uri("/v1/jobs", UriKind.Relative), Body(Picture()));
        response.IsSuccessStatusCode.ShouldBeTrue(await response.Content.ReadAsStringAsync());
        return JobId.Parse(response.Headers.Location!.ToString().Split('/')[^1]);
    }

    public async ValueTask DisposeAsync()
    {
        await StopHostAsync();
        Client.Dispose();
        await fixture.DisposeAsync();
        Arrivals.Dispose();
        folder.Dispose();
    }

    private sealed class LogLines(ConcurrentQueue<string> lines) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            lines.Enqueue($"{logLevel} {formatter(state, exception)} {exception}");

        public void Dispose()
        {
        }
    }
}
