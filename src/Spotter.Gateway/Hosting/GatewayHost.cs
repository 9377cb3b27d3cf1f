using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Spotter.Core;
using Spotter.Engines.Catalogue;
using Spotter.Gateway.Access;
using Spotter.Gateway.Cameras;
using Spotter.Gateway.Compat;
using Spotter.Gateway.Deliveries;
using Spotter.Gateway.Egress;
using Spotter.Gateway.Fetching;
using Spotter.Gateway.Intake;
using Spotter.Gateway.Keda;
using Spotter.Gateway.Mcp;
using Spotter.Gateway.Models;
using Spotter.Gateway.OpenInference;
using Spotter.Gateway.Operations;
using Spotter.Gateway.Overload;
using Spotter.Gateway.Results;
using Spotter.Gateway.Scaling;
using Spotter.Gateway.Sessions;
using Spotter.Gateway.LegacyMessages;
using Spotter.Gateway.Telegram;
using Spotter.Gateway.Telemetry;
using Spotter.Gateway.Uploads;
using Spotter.Gateway.Workers;
using Spotter.Jobs;
using Spotter.Jobs.Deliveries;
using Spotter.Scaling;

namespace Spotter.Gateway.Hosting;

/// <summary>
/// The gateway: page, API and worker API on one port, camera software on that or another, KEDA on one of its own, as parts of a generic host. A program registers its job store, blob
/// store, outbox and <see cref="GatewaySettings"/>, and whatever else is to be other than by default.
/// </summary>
public static class GatewayHost
{
    // Everything the page needs comes from here and nothing else may be loaded, whatever gets into it.
    private const string PagePolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
        + "form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    /// <summary>The doors that come with Spotter: the one place where they are registered.</summary>
    private static readonly IReadOnlyList<IDoor> BuiltIn =
    [
        new SubmitEndpoints(),
        new UploadEndpoints(),
        new JobEndpoints(),
        new ResultEndpoints(),
        new DeadLetters(),
        new OperationsEndpoints(),
        new TelemetryDoor(),
        new ScalingEndpoints(),
        new WorkerEndpoints(),
        new TelegramDoor(),
        new LegacyDoor(),
        new CompatDoor(),
        new SessionsDoor(),
        new OpenInferenceDoor(),
        new CameraDoor(),
        new McpDoor(),
        new KedaDoor(),
    ];

    /// <summary>Begins a host with a web server and nothing else.</summary>
    public static WebApplicationBuilder CreateBuilder()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions
        {
            ApplicationName = typeof(GatewayHost).Assembly.GetName().Name,
            ContentRootPath = AppContext.BaseDirectory,
            WebRootPath = Path.Combine(AppContext.BaseDirectory, "wwwroot"),
        });
        builder.WebHost.UseKestrelCore();
        return builder;
    }

    /// <summary>Adds a way in.</summary>
    public static IServiceCollection AddDoor(this IServiceCollection services, IDoor door)
    {
        services.AddSingleton(door);
        door.Add(services);
        return services;
    }

    /// <summary>Adds the gateway.</summary>
    public static IServiceCollection AddGateway(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(RandomSource.System);
        // Its own: workers bring engines to this gateway, and to no other of this process.
        services.TryAddSingleton(_ => new EngineCatalogue(EngineCatalogue.BuiltIn.Compiled));
        services.TryAddSingleton<WorkerRoster>();
        services.TryAddSingleton(_ => new DecisionLog());
        services.TryAddSingleton<ScaleSeries>();
        services.TryAddSingleton(new ScaleMeter());
        services.TryAddSingleton(new ModelCatalogue((IReadOnlyList<CatalogueModel>)[]));
        services.AddSingleton(s => new OpenConnections(s.GetRequiredService<GatewaySettings>().MaxConnections));
        services.AddOptions<KestrelServerOptions>().Configure<GatewaySettings, OpenConnections>(Limit);

        services.AddSingleton<ModelsPresenter>().AddSingleton<EnginesPresenter>().AddSingleton<SamplePictures>();
        services.AddSingleton(s => new JobService(
            s.GetRequiredService<IJobStore>(), s.GetRequiredService<IBlobStore>(), s.GetRequiredService<WorkerRoster>(), s.GetRequiredService<ModelCatalogue>(),
            s.GetRequiredService<GatewaySettings>().Jobs, s.GetRequiredService<TimeProvider>(), s.GetRequiredService<RandomSource>())
        {
            Arrived = s.GetRequiredService<ScaleMeter>().Arrived,
            Sharing = s.GetService<ModelSharing>(),
            AcceptNotification = asked => s.GetRequiredService<DeliveryChannels>().Accept(asked),
        }).AddHostedService<JobLoops>().AddHostedService<RosterLoop>();
        services.AddSingleton(s => new Recordings(s.GetService<IArrivalTrace>(), s.GetService<IScaleReplay>()))
            .AddSingleton<JobPresenter>().AddSingleton<JobDrawings>().AddSingleton<AnnotatedPictures>()
            .AddSingleton<StoreMonitor>().AddSingleton<UnservedMonitor>().AddSingleton<ServiceState>();
        services.AddAccess().AddLimits().AddSingleton<UploadIntake>();
        services.AddSingleton<IMemoryPoolFactory<byte>, PictureMemoryPool.Factory>();
        services.AddSingleton<DeliveryChannels>().AddSingleton<IDeliveryMonitor, DeliveryMonitor>().AddWebhooks();
        services.AddSingleton(s => NewFetcher(s.GetRequiredService<GatewaySettings>().Fetch, s.GetRequiredService<TimeProvider>()));

        services.AddResponseCompression(options => options.EnableForHttps = true);
        services.AddRoutingCore();
        services.AddExceptionHandler<ProblemHandler>().AddProblemDetails();
        services.AddOptions<JsonOptions>().Configure<EngineCatalogue>(ConfigureJson);
        services.AddSingleton<ApiDocument>().AddOpenApi(ApiDocument.Name, options =>
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
                .AddOperationTransformer(AccessDocument.DescribeAsync)
                .AddSchemaTransformer(AnswerDocument.DescribeAsync);
        });
        foreach (var door in BuiltIn)
            services.AddDoor(door);
        return services;
    }

    private static UrlFetcher NewFetcher(FetchSettings settings, TimeProvider time) => new(settings, new EgressGuard(EgressUse.Pictures, settings.Allowed), time);

    /// <summary>Puts the gateway's calls and the page onto the addresses of its settings.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidSettings"/>.</exception>
    public static WebApplication MapGateway(this WebApplication app)
    {
        var settings = app.Services.GetRequiredService<GatewaySettings>();
        settings.Validate();
        app.Services.GetRequiredService<EngineCatalogue>().Follow(app.Services.GetRequiredService<ModelCatalogue>());
        app.Services.GetRequiredService<OpenDoor>().Check();
        app.Urls.Add($"http://{settings.Host}:{settings.Port}");
        if (settings.Cameras.Port is { } port)
            app.Urls.Add($"http://{settings.Host}:{port}");
        var cameras = app.Services.GetRequiredService<CameraPort>();
        app.Use(app.Services.GetRequiredService<OpenConnections>().ServeAsync);
        app.Use(HearOutAsync);
        app.Use(CutRequests.EndAsync);
        app.UseExceptionHandler();
        app.Use(Guard);
        app.Use(new OriginGuard(settings, app.Services.GetRequiredService<KeyRing>()).CheckAsync);
        app.UseWhen(http => !cameras.Is(http) && CompatDoor.WantsPage(settings, http.Request), UsePage);
        app.Use(HeadRequests.AsGetAsync);
        // After the page's files: what has no endpoint ends here.
        app.UseRouting();
        app.Use(cameras.CheckAsync);
        app.Use(Problems.ForEverythingElseAsync);
        app.Use(app.Services.GetRequiredService<AuditLog>().NoteAsync);
        app.UseAuthentication();
        app.UseRateLimiter();
        app.UseAuthorization();
        var routes = app.MapGroup("");
        NeedsKey.Demand(routes);
        foreach (var door in app.Services.GetServices<IDoor>())
            door.Map(routes);
        ApiDocument.Map(app);
        ApiReference.Map(app);
        app.Lifetime.ApplicationStarted.Register(app.Services.GetRequiredService<OpenDoor>().Warn);
        return app;
    }

    /// <summary>The address that a host listens on, once it has started.</summary>
    public static Uri Address(this WebApplication app) => new(app.Urls.First());

    /// <summary>The address that serves camera software only, once a host has started; null when there is none.</summary>
    public static Uri? CameraAddress(this WebApplication app) => app.Urls.Skip(1).FirstOrDefault() is { } second ? new(second) : null;

    /// <summary>The address at which KEDA asks for the number of workers, once a host has started; null when there is none.</summary>
    public static Uri? KedaAddress(this WebApplication app) => app.Services.GetService<KedaServer>()?.Address;

    /// <summary>Ends with the error of a background service of a host, once it has started and one fails.</summary>
    public static Task<Exception> FirstErrorAsync(this IHost host) =>
        Supervision.FirstErrorAsync(host.Services.GetServices<IHostedService>().OfType<BackgroundService>().Select(s => s.ExecuteTask ?? Task.CompletedTask));

    private static void Limit(KestrelServerOptions kestrel, GatewaySettings settings, OpenConnections connections)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = settings.Jobs.MaxInputBytes + UploadIntake.FramingBytes;
        kestrel.Limits.MaxRequestHeadersTotalSize = 32 * 1024;
        kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
        kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(bytesPerSecond: 10 * 1024, gracePeriod: TimeSpan.FromSeconds(5));
        // Those that are on their way out count as well.
        kestrel.Limits.MaxConcurrentConnections = 2L * settings.MaxConnections;
        kestrel.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(60);
        kestrel.ConfigureEndpointDefaults(endpoint => endpoint.Use(next => connection => connections.HoldAsync(connection, next)));
    }

    private static void ConfigureJson(JsonOptions json, EngineCatalogue engines)
    {
        json.SerializerOptions.TypeInfoResolver = JsonTypeInfoResolver.Combine([ProblemJson.Default, ResultsJson.Default, ModelsJson.Default, OperationsJson.Default, ScalingViewsJson.Default, SpotterJson.Default, .. ResultDocument.TypesOf(engines), new DefaultJsonTypeInfoResolver()]);
        // The calls that answer with these have them too; here they are for the document, which is made of these options.
        json.SerializerOptions.Converters.Add(new DeliveryStateConverter());
        json.SerializerOptions.Converters.Add(new LowerCaseEnumConverter<ModelState>());
        json.SerializerOptions.Converters.Add(new LowerCaseEnumConverter<ScalePreset>());
        // What a worker leaves out is its mistake, not a null for us to stumble over.
        json.SerializerOptions.RespectNullableAnnotations = true;
        json.SerializerOptions.RespectRequiredConstructorParameters = true;
        json.SerializerOptions.AllowOutOfOrderMetadataProperties = true;
    }

    private const long MostHeardOut = 256L << 20;

    /// <summary>
    /// A client that is refused while it still sends hears of it only if the connection stays open until it looks. The server
    /// reads on for five seconds at most, and then closes; here it is let, also where the body is longer than it would take.
    /// </summary>
    private static async Task HearOutAsync(HttpContext http, RequestDelegate next)
    {
        await next(http);
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
            size.MaxRequestBodySize = MostHeardOut;
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
            // Nothing is to be kept on the way; what may be says so itself.
            if (headers.CacheControl.Count == 0)
                headers.CacheControl = "no-store";
            // Pictures have a stricter one of their own.
            if (headers.ContentSecurityPolicy.Count == 0)
                headers.ContentSecurityPolicy = ApiReference.PolicyOf(http) ?? PagePolicy;
            return Task.CompletedTask;
        });
        return next(http);
    }

    private const string Assets = "/assets";

    private static void UsePage(IApplicationBuilder app)
    {
        var root = Path.Combine(AppContext.BaseDirectory, "wwwroot");
        if (!Directory.Exists(root))
            return;
        var files = new PhysicalFileProvider(root);
        // Its files alone, which hold no secrets: answers of the API are small, or pictures.
        app.UseWhen(http => HttpMethods.IsGet(http.Request.Method) && (http.Request.Path == "/" || http.Request.Path.StartsWithSegments(Assets, StringComparison.Ordinal)), page => page.UseResponseCompression());
        app.UseDefaultFiles(new DefaultFilesOptions { FileProvider = files });
        app.UseStaticFiles(new StaticFileOptions
        {
            FileProvider = files,
            ContentTypeProvider = new FileExtensionContentTypeProvider(),
            // Vite names assets by their content, so they can be kept for good; the page itself can't.
            OnPrepareResponse = context => context.Context.Response.Headers.CacheControl =
                context.Context.Request.Path.StartsWithSegments(Assets, StringComparison.Ordinal) ? "public, max-age=31536000, immutable" : "no-cache",
        });
    }

    /// <summary>Runs the application's loops; one that ends with an error ends the gateway.</summary>
    private sealed class JobLoops(JobService jobs, StoreMonitor stores, UnservedMonitor unserved, ILogger<JobService> log) : BackgroundService, IHostedLifecycleService
    {
        public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        /// <summary>Before the server stops: it would wait for those who watch a job or wait for one.</summary>
        public Task StoppingAsync(CancellationToken cancellationToken)
        {
            jobs.Watcher.Close();
            return jobs.StopTakesAsync();
        }

        public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
            jobs.RunAsync(Note, Look, stoppingToken);

        private void Look()
        {
            stores.Answered();
            unserved.Look();
        }

        private void Note(Exception failed)
        {
            if (!stores.Note(failed))
                log.LogWarning(failed, "Maintenance of jobs failed; it is tried again. If this repeats, check the job store.");
        }
    }

    /// <summary>Forgets workers elsewhere that have gone silent; their leases run out by themselves.</summary>
    private sealed class RosterLoop(WorkerRoster roster, GatewaySettings settings, TimeProvider time, ILogger<WorkerRoster> log) : BackgroundService
    {
        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            using var timer = new PeriodicTimer(settings.Jobs.Leases.Sweep, time);
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                foreach (var worker in roster.Forget(settings.Jobs.Leases.Duration))
                    log.LogWarning("Worker {Worker} gives no sign of life any more; its jobs are taken back as their leases run out", worker);
            }
        }
    }
}
