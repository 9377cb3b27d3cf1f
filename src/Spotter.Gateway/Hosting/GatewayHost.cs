using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Spotter.Core;
using Spotter.Engines.Catalogue;
using Spotter.Gateway.Access;
using Spotter.Gateway.Deliveries;
using Spotter.Gateway.Intake;
using Spotter.Gateway.Models;
using Spotter.Gateway.Operations;
using Spotter.Gateway.Overload;
using Spotter.Gateway.Results;
using Spotter.Gateway.Scaling;
using Spotter.Gateway.Workers;
using Spotter.Jobs;
using Spotter.Jobs.Deliveries;
using Spotter.Scaling;

namespace Spotter.Gateway.Hosting;

/// <summary>What a gateway stands on. All of it belongs to the caller, who disposes of it after the gateway.</summary>
/// <param name="Store">The job store.</param>
/// <param name="Blobs">The blob store.</param>
/// <param name="Outbox">The outbox.</param>
/// <param name="Roster">The workers that have joined.</param>
/// <param name="Decisions">Where the autoscaler notes what it decides.</param>
/// <param name="Pools">The pools whose workers this deployment starts itself; null when others do.</param>
/// <param name="Time">The clock.</param>
/// <param name="Random">Where ids come from.</param>
public sealed record GatewayDependencies(
    IJobStore Store, IBlobStore Blobs, IOutbox Outbox, WorkerRoster Roster, DecisionLog Decisions, WorkerPools? Pools,
    TimeProvider Time, RandomSource Random)
{
    /// <summary>The models, which may change while the gateway runs; null for those of the settings.</summary>
    public ModelCatalogue? Models { get; init; }

    /// <summary>Counts what the scale loop wants to know.</summary>
    public ScaleMeter Meter { get; init; } = new();

    /// <summary>When jobs came in; null when that is not recorded.</summary>
    public IArrivalTrace? Arrivals { get; init; }

    /// <summary>Plays recorded days again; null when nothing is scaled here.</summary>
    public IScaleReplay? Replay { get; init; }

    /// <summary>The engines that requests may choose from.</summary>
    public EngineCatalogue Engines { get; init; } = EngineCatalogue.BuiltIn;

    /// <summary>More doors than those that come with Spotter.</summary>
    public IReadOnlyList<IDoor> Doors { get; init; } = [];

    /// <summary>How backlog and fleet stood of late, as the scale loop saw them.</summary>
    public ScaleSeries Series { get; init; } = new();
}

/// <summary>The gateway: page, API and worker API on one port.</summary>
public sealed class GatewayHost : IAsyncDisposable
{
    // Everything the page needs comes from here and nothing else may be loaded, whatever gets into it.
    private const string PagePolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
        + "form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    /// <summary>The doors that come with Spotter: the one place where they are registered.</summary>
    private static readonly IReadOnlyList<IDoor> BuiltIn =
    [
        new SubmitEndpoints(),
        new JobEndpoints(),
        new DeadLetters(),
        new OperationsEndpoints(),
        new ScalingEndpoints(),
        new WorkerEndpoints(),
    ];

    private readonly WebApplication web;

    private GatewayHost(WebApplication web) => this.web = web;

    /// <summary>The address it listens on, once it has started.</summary>
    public Uri Address => new(web.Urls.First());

    /// <summary>The application behind it.</summary>
    public JobService Jobs => web.Services.GetRequiredService<JobService>();

    /// <summary>Builds a gateway without starting it.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidSettings"/>.</exception>
    public static GatewayHost Create(GatewaySettings settings, GatewayDependencies parts, Action<ILoggingBuilder> logging)
    {
        settings.Validate();
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions
        {
            ApplicationName = typeof(GatewayHost).Assembly.GetName().Name,
            ContentRootPath = AppContext.BaseDirectory,
            WebRootPath = Path.Combine(AppContext.BaseDirectory, "wwwroot"),
        });
        logging(builder.Logging);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => Limit(kestrel, settings)).UseUrls($"http://{settings.Host}:{settings.Port}");
        AddServices(builder.Services, settings, parts);
        IReadOnlyList<IDoor> doors = [.. BuiltIn, .. parts.Doors];
        foreach (var door in doors)
            door.Add(builder.Services);

        var app = builder.Build();
        app.UseExceptionHandler();
        app.Use(Guard);
        app.Use(new OriginGuard(settings).CheckAsync);
        UsePage(app);
        // After the page's files: what has no endpoint ends here.
        app.UseRouting();
        app.Use(Problems.ForEverythingElseAsync);
        app.Use(app.Services.GetRequiredService<KeyGuard>().IdentifyAsync);
        app.Use(app.Services.GetRequiredService<ClientLimit>().CheckAsync);
        app.Use(KeyGuard.CheckAsync);
        app.Use(WorkerApi.GuardAsync);
        var routes = app.MapGroup("").WithMetadata(NeedsKey.ToOperate);
        foreach (var door in doors)
            door.Map(routes);
        app.MapOpenApi("/openapi/{documentName}.json");
        app.Lifetime.ApplicationStarted.Register(app.Services.GetRequiredService<OpenDoor>().Warn);
        app.Lifetime.ApplicationStopping.Register(app.Services.GetRequiredService<JobService>().Watcher.Close);
        return new GatewayHost(app);
    }

    /// <summary>Starts to listen.</summary>
    /// <exception cref="IOException">The port is in use.</exception>
    public Task StartAsync(CancellationToken cancel) => web.StartAsync(cancel);

    /// <summary>Ends with the error of a background service, once it has started and one fails.</summary>
    public Task<Exception> Failed =>
        Supervision.FirstErrorAsync(web.Services.GetServices<IHostedService>().OfType<BackgroundService>().Select(s => s.ExecuteTask ?? Task.CompletedTask));

    /// <summary>From now on no job is accepted; everything else goes on, so that workers can hand in what they have.</summary>
    public void CloseIntake() => Jobs.Admission.Close();

    /// <summary>Stops to listen.</summary>
    public Task StopAsync(CancellationToken cancel) => web.StopAsync(cancel);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => web.DisposeAsync();

    private static void Limit(KestrelServerOptions kestrel, GatewaySettings settings)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = settings.Jobs.MaxInputBytes + SubmitEndpoint.FramingBytes;
        kestrel.Limits.MaxRequestHeadersTotalSize = 32 * 1024;
        kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
        kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(bytesPerSecond: 10 * 1024, gracePeriod: TimeSpan.FromSeconds(5));
        kestrel.Limits.MaxConcurrentConnections = settings.MaxConnections;
    }

    private static void AddServices(IServiceCollection services, GatewaySettings settings, GatewayDependencies parts)
    {
        services.AddSingleton(settings)
            .AddSingleton(parts.Store).AddSingleton(parts.Outbox).AddSingleton(parts.Roster).AddSingleton(parts.Decisions)
            .AddSingleton(parts.Engines).AddSingleton(parts.Time).AddSingleton(parts.Random);
        services.AddSingleton(parts.Models ?? new ModelCatalogue(settings.Models)).AddSingleton<ModelsPresenter>().AddSingleton<SamplePictures>();
        if (parts.Pools is not null)
            services.AddSingleton(parts.Pools);

        services.AddSingleton(s => new JobService(
            parts.Store, parts.Blobs, parts.Roster, s.GetRequiredService<ModelCatalogue>(), settings.Jobs, parts.Time, parts.Random)
        {
            Arrived = parts.Meter.Arrived,
            AcceptNotification = asked => s.GetRequiredService<DeliveryChannels>().Accept(asked),
        }).AddHostedService<JobLoops>();
        services.AddSingleton(parts.Meter).AddSingleton(parts.Series).AddSingleton(new Recordings(parts.Arrivals, parts.Replay))
            .AddSingleton<LongRequests>().AddSingleton(new ClientBuckets(parts.Time)).AddSingleton<ClientLimit>()
            .AddSingleton<JobPresenter>().AddSingleton<AnnotatedPictures>()
            .AddSingleton<GatewayMeters>().AddSingleton<PrometheusText>().AddSingleton<ServiceState>();
        services.AddSingleton(s => new KeyRing(
                settings.KeysFile is { } file ? new KeyFile(file) : null, settings.KeysRequired, parts.Time, s.GetRequiredService<ILogger<KeyRing>>()))
            .AddSingleton<KeyGuard>().AddSingleton<OpenDoor>();
        services.AddSingleton<IMemoryPoolFactory<byte>, PictureMemoryPool.Factory>();
        // The listener has to be there before the first measurement.
        services.AddHostedService<EagerMetrics>();
        services.AddSingleton<DeliveryChannels>().AddSingleton<IDeliveryMonitor, DeliveryMonitor>()
            .AddWebhooks(settings.Webhooks);

        services.AddRoutingCore();
        services.AddExceptionHandler<ProblemHandler>().AddProblemDetails();
        services.ConfigureHttpJsonOptions(json =>
        {
            json.SerializerOptions.TypeInfoResolver = JsonTypeInfoResolver.Combine([ProblemJson.Default, ResultsJson.Default, ModelsJson.Default, OperationsJson.Default, ScalingViewsJson.Default, SpotterJson.Default, .. ResultDocument.TypesOf(parts.Engines), new DefaultJsonTypeInfoResolver()]);
            // What a worker leaves out is its mistake, not a null for us to stumble over.
            json.SerializerOptions.RespectNullableAnnotations = true;
            json.SerializerOptions.RespectRequiredConstructorParameters = true;
        });
        services.AddOpenApi("v1", options =>
        {
            options.CreateSchemaReferenceId = ResultDocument.NameOf;
            options
                .AddDocumentTransformer((document, _, _) =>
                {
                    document.Info.Title = "Spotter";
                    document.Info.Description = "Finds objects in pictures. Boxes are in pixels of the upright picture, origin top left.";
                    return Task.CompletedTask;
                })
                .AddDocumentTransformer(AccessDocument.DescribeAsync)
                .AddDocumentTransformer(ResultDocument.DescribeAsync)
                .AddOperationTransformer(AccessDocument.DescribeAsync);
        });
    }

    /// <summary>Set as the answer starts: the handler of exceptions clears whatever headers there were before.</summary>
    private static Task Guard(HttpContext http, RequestDelegate next)
    {
        http.Response.OnStarting(() =>
        {
            var headers = http.Response.Headers;
            headers.XContentTypeOptions = "nosniff";
            headers["Referrer-Policy"] = "no-referrer";
            headers["Cross-Origin-Resource-Policy"] = "same-origin";
            // Pictures have a stricter one of their own.
            if (headers.ContentSecurityPolicy.Count == 0)
                headers.ContentSecurityPolicy = PagePolicy;
            return Task.CompletedTask;
        });
        return next(http);
    }

    private static void UsePage(WebApplication app)
    {
        var root = Path.Combine(AppContext.BaseDirectory, "wwwroot");
        if (!Directory.Exists(root))
            return;
        var files = new PhysicalFileProvider(root);
        app.UseDefaultFiles(new DefaultFilesOptions { FileProvider = files });
        app.UseStaticFiles(new StaticFileOptions
        {
            FileProvider = files,
            ContentTypeProvider = new FileExtensionContentTypeProvider(),
            // Vite names assets by their content, so they can be kept for good; the page itself can't.
            OnPrepareResponse = context => context.Context.Response.Headers.CacheControl =
                context.Context.Request.Path.StartsWithSegments("/assets", StringComparison.Ordinal) ? "public, max-age=31536000, immutable" : "no-cache",
        });
    }

    /// <summary>Runs the application's loops; one that ends with an error ends the gateway.</summary>
    private sealed class JobLoops(JobService jobs, ILogger<JobService> log) : BackgroundService
    {
        protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
            jobs.RunAsync(failed => log.LogWarning(failed, "Maintenance of jobs failed; it is tried again. If this repeats, check the job store."), stoppingToken);
    }

    private sealed class EagerMetrics(PrometheusText metrics) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken)
        {
            _ = metrics;
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
