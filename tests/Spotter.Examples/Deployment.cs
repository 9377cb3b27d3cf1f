using System.Buffers.Binary;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Spotter.Core;
using Spotter.Core.Images;
using Spotter.Engines;
using Spotter.Engines.Catalogue;
using Spotter.Engines.Running;
using Spotter.Examples.Doors;
using Spotter.Examples.Engines;
using Spotter.Examples.Engines.Frames;
using Spotter.Examples.Stores;
using Spotter.Gateway;
using Spotter.Gateway.Hosting;
using Spotter.Jobs;
using Spotter.Worker;

namespace Spotter.Examples;

/// <summary>A deployment that was put together from outside: a gateway and a worker in this process, with the examples registered.</summary>
internal sealed class Deployment : IAsyncDisposable
{
    private const string Worker = "w1";

    private static readonly string Token = new('t', 32);

    private readonly WebApplication gateway;
    private readonly HttpJobSource source;
    private readonly LoadedModels models = new();
    private readonly WorkLoop worker;
    private readonly Task<WorkerEnd> working;

    private Deployment(WebApplication gateway)
    {
        this.gateway = gateway;
        var runner = new JobRunner(new EngineHost(models, new ImageLimits(), RandomSource.Seeded(1)), MemoryBudget.Default(1), NullLogger<JobRunner>.Instance, Engines.Find);
        source = new HttpJobSource(gateway.Address(), Token, Worker, () => new WorkerJoin(1, models.List()), TimeProvider.System, NullLogger<HttpJobSource>.Instance);
        worker = new WorkLoop(source, () => models.Served(Engines.QueuesOf), runner, new WorkerSettings { Name = Worker }, TimeProvider.System, NullLogger<WorkLoop>.Instance);
        working = worker.RunAsync();
        Client = new HttpClient { BaseAddress = gateway.Address(), Timeout = TimeSpan.FromSeconds(90) };
    }

    /// <summary>Those that come with Spotter, and two more.</summary>
    public static EngineCatalogue Engines { get; } = new([.. EngineCatalogue.BuiltIn.All, new FramesEngine(), new SizeEngine()]);

    public Uri Address => gateway.Address();

    public HttpClient Client { get; }

    /// <summary>Starts one that keeps everything in memory.</summary>
    public static Task<Deployment> StartAsync()
    {
        var outbox = new InMemoryOutbox(TimeProvider.System);
        var store = new InMemoryJobStore(new RetrySchedule(), RandomSource.Seeded(1), TimeProvider.System, outbox);
        return StartAsync(store, new InMemoryBlobStore(), outbox);
    }

    /// <summary>Starts one on these stores, which belong to the caller.</summary>
    public static async Task<Deployment> StartAsync(IJobStore store, IBlobStore blobs, IOutbox outbox)
    {
        var builder = GatewayHost.CreateBuilder();
        builder.Services.AddSingleton(new GatewaySettings { Port = 0, WorkerToken = Token })
            .AddSingleton(store).AddSingleton(blobs).AddSingleton(outbox)
            .AddSingleton(Engines)
            .AddGateway()
            .AddDoor(new PlainTextDoor());
        var host = builder.Build().MapGateway();
        await host.StartAsync(default);
        return new Deployment(host);
    }

    /// <summary>Bytes that have the head of a PNG; nobody looks further here.</summary>
    public static byte[] Picture(int width, int height)
    {
        var png = new byte[64];
        ReadOnlySpan<byte> head = [0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10, 0, 0, 0, 13, (byte)'I', (byte)'H', (byte)'D', (byte)'R'];
        head.CopyTo(png);
        BinaryPrimitives.WriteInt32BigEndian(png.AsSpan(16), width);
        BinaryPrimitives.WriteInt32BigEndian(png.AsSpan(20), height);
        ReadOnlySpan<byte> kind = [8, 2, 0, 0, 0];
        kind.CopyTo(png.AsSpan(24));
        return png;
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        worker.Drain();
        await working;
        await gateway.StopAsync(default);
        worker.Dispose();
        source.Dispose();
        models.Dispose();
        await gateway.DisposeAsync();
    }
}
