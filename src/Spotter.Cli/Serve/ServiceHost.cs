using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Spotter.Backends;
using Spotter.Backends.Opening;
using Spotter.Cli.Models;
using Spotter.Cli.Settings;
using Spotter.Core;
using Spotter.Core.Settings;
using Spotter.Gateway.Hosting;
using Spotter.Gateway.LegacyMessages;
using Spotter.Gateway.Telegram;
using Spotter.Jobs;
using Spotter.Scaling;
using Spotter.Scaling.Simulation;

namespace Spotter.Cli.Serve;

/// <summary>Puts a service together: a gateway on its backend, with the models it finds and the pools of its workers.</summary>
internal static class ServiceHost
{
    /// <summary>Builds the host without starting it.</summary>
    /// <param name="settings">What was asked for.</param>
    /// <param name="isGateway">True for a gateway, which starts no processes: its workers join from elsewhere.</param>
    /// <param name="signals">Says when to end.</param>
    /// <exception cref="SpotterException">It can't be as was asked for, or the data folder can't be used.</exception>
    public static WebApplication Build(SettingReader settings, bool isGateway, StopSignals signals)
    {
        var builder = GatewayHost.CreateBuilder();
        Logging.Configure(builder.Logging, LogSection.Read(settings));
        var random = RandomSource.System;
        builder.Services
            .AddSingleton(signals)
            .AddSingleton<IHostLifetime>(signals)
            .AddSingleton<TimeProvider>(new SteadyClock(TimeProvider.System))
            .AddSingleton(random)
            .AddSingleton(settings)
            .AddSingleton<IOptionsFactory<ServiceSettings>>(new ServiceSettings.Factory(settings, isGateway, random))
            .AddOptions<ServiceSettings>().ValidateOnStart();
        builder.Services.AddSingleton(s => s.GetRequiredService<IOptions<ServiceSettings>>().Value);
        builder.Services.AddSingleton(s => new TelegramDeployment(s.GetRequiredService<ServiceSettings>().Telegram));
        builder.Services.AddSingleton(s => s.GetRequiredService<ServiceSettings>().Seed is { } seed ? new LegacyDeployment(seed, LegacySection.Open(settings)) : new LegacyDeployment(settings: null, post: null));
        AddBackend(builder.Services);
        if (BackendFactory.HearsOfUploads(settings))
            builder.Services.AddSingleton(s => s.GetRequiredService<Backend>().UploadEvents!);
        AddModels(builder.Services);
        AddScaling(builder.Services, ServiceSettings.HasPools(settings, isGateway));
        builder.Services.AddGateway().AddDoor(new CatalogueDoor()).AddSingleton<PoolService>().AddHostedService(s => s.GetRequiredService<PoolService>())
            .AddHostedService<PublishService>().AddSingleton(SettingSources.Secrets).AddHostedService<SecretWatch>();
        return builder.Build().MapGateway();
    }

    private static void AddBackend(IServiceCollection services) => services
        .AddSingleton(s =>
        {
            var told = s.GetRequiredService<ServiceSettings>();
            return BackendFactory.Open(
                s.GetRequiredService<SettingReader>(), told.DataFolder, told.Retries, s.GetRequiredService<RandomSource>(), s.GetRequiredService<TimeProvider>());
        })
        .AddSingleton(s => s.GetRequiredService<Backend>().Jobs)
        .AddSingleton(s => s.GetRequiredService<Backend>().Blobs)
        .AddSingleton(s => s.GetRequiredService<Backend>().Outbox)
        .AddSingleton(s => s.GetRequiredService<Backend>().Inbox)
        .AddSingleton(s => s.GetRequiredService<Backend>().Controllers)
        .AddSingleton(s => GatewayName.Of(s.GetRequiredService<Backend>(), s.GetRequiredService<ServiceSettings>().DataFolder, s.GetRequiredService<RandomSource>()))
        .AddSingleton(s =>
        {
            var told = s.GetRequiredService<ServiceSettings>();
            // Not before the folder is known to be this process's own: a key may be made in it.
            _ = s.GetRequiredService<Backend>();
            DataPrivacy.See(told.DataFolder, StandardError.Complain);
            var secrets = WebhookKey.Open(s.GetRequiredService<SettingReader>(), told.DataFolder, s.GetRequiredService<RandomSource>());
            return told.Gateway with { Webhooks = told.Gateway.Webhooks with { Secrets = secrets } };
        })
        .AddHostedService<BackendService>();

    private static void AddModels(IServiceCollection services) => services
        .AddSingleton(s =>
        {
            var told = s.GetRequiredService<ServiceSettings>();
            return new ModelWatch(
                new ModelChoice(told.Models, told.DataFolder), new ModelInspection(told.Sandbox, told.DataFolder).InspectAsync, s.GetRequiredService<TimeProvider>(), s.GetRequiredService<ILogger<ModelWatch>>());
        })
        .AddSingleton(s => new ModelSharing(
            s.GetRequiredService<Backend>().Models, s.GetRequiredService<GatewayName>().Name, s.GetRequiredService<ModelCatalogue>(),
            s.GetRequiredService<WorkerRoster>(), s.GetRequiredService<TimeProvider>()))
        .AddSingleton<ModelService>()
        .AddHostedService(s => s.GetRequiredService<ModelService>());

    private static void AddScaling(IServiceCollection services, bool hasPools)
    {
        services.AddSingleton<ScaleRecords>()
            .AddSingleton(s => s.GetRequiredService<ScaleRecords>().Meter)
            .AddSingleton(s => s.GetRequiredService<ScaleRecords>().Arrivals)
            .AddSingleton(s => s.GetRequiredService<ScaleRecords>().Decisions)
            .AddSingleton(s => s.GetRequiredService<ScaleRecords>().Series)
            .AddSingleton(s => s.GetRequiredService<PoolService>().Pools);
        // Where nothing is scaled there is nothing to play again.
        if (hasPools)
            services.AddSingleton<IScaleReplay>(s => new DayReplay(s.GetRequiredService<ServiceSettings>().Scaling, s.GetRequiredService<ScaleMeter>()));
    }
}
