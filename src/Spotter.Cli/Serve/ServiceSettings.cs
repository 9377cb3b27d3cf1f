using Microsoft.Extensions.Options;
using Spotter.Backends.Opening;
using Spotter.Cli.Settings;
using Spotter.Core;
using Spotter.Core.Settings;
using Spotter.Gateway;
using Spotter.Gateway.LegacyMessages;
using Spotter.Gateway.Telegram;
using Spotter.Jobs;
using Spotter.Scaling;
using Spotter.Scaling.Policies;

namespace Spotter.Cli.Serve;

/// <summary>What <c>serve</c> and <c>gateway</c> were told, of all modules together.</summary>
internal sealed record ServiceSettings
{
    /// <summary>The data folder, as a full path.</summary>
    public required string DataFolder { get; init; }

    /// <summary>Models by name or file; empty for all that are found.</summary>
    public required IReadOnlyList<string> Models { get; init; }

    /// <summary>The pools of workers; none when workers join from elsewhere.</summary>
    public required IReadOnlyList<PoolSettings> Pools { get; init; }

    /// <summary>The workers of all pools together.</summary>
    public required ScaleSettings Scaling { get; init; }

    /// <summary>The gateway's part.</summary>
    public required GatewaySettings Gateway { get; init; }

    /// <summary>The Telegram bot; null for none.</summary>
    public TelegramSettings? Telegram { get; init; }

    /// <summary>The earlier service whose messages are taken; null for none.</summary>
    public LegacySettings? Seed { get; init; }

    /// <summary>True to confine workers and what inspects models.</summary>
    public required bool Sandbox { get; init; }

    /// <summary>What workers are told, as variables.</summary>
    public required IReadOnlyDictionary<string, string> WorkerVariables { get; init; }

    /// <summary>What is logged, and how.</summary>
    public required LogSection Log { get; init; }

    /// <summary>When a job is tried again.</summary>
    public RetrySchedule Retries { get; init; } = new();

    /// <summary>Not the values: secrets are among them.</summary>
    public override string ToString() => nameof(ServiceSettings);

    /// <summary>True when workers are scaled here.</summary>
    public static bool HasPools(SettingReader settings, bool isGateway) => !isGateway || PoolSection.AreOfGateway(settings);

    /// <summary>Reads and checks all of them, and tells all mistakes at once.</summary>
    /// <param name="settings">What was asked for.</param>
    /// <param name="isGateway">True for a gateway, which starts no processes: its workers join from elsewhere.</param>
    /// <param name="random">Makes the worker token if none is given.</param>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidSettings"/>.</exception>
    public static ServiceSettings Read(SettingReader settings, bool isGateway, RandomSource random)
    {
        var pools = HasPools(settings, isGateway) ? PoolSection.Read(settings, ScalingSection.Read(settings), isGateway) : [];
        var scaling = PoolSettings.Sum(pools);
        var telegram = TelegramSection.Read(settings, GatewaySection.DataFolder(settings));
        var seed = LegacySection.Read(settings);
        var gateway = GatewaySection.Read(settings, scaling, telegram, random);
        BackendFactory.Check(settings);
        PublishSection.Check(settings, TimeProvider.System);
        if (isGateway && WorkerSection.Token(settings) is null)
            settings.Mistake($"A gateway needs the secret that its workers show; give it with --token-file FILE or {WorkerSection.TokenVariable}.");
        foreach (var check in (Action[])[gateway.Validate, () => telegram?.Validate(), () => seed?.Validate(), .. pools.Select(p => (Action)(() => ScalePolicies.Create(p.Scaling)))])
        {
            try
            {
                check();
            }
            catch (SpotterException wrong)
            {
                settings.Mistake(wrong.Message);
            }
        }
        settings.ThrowIfWrong();
        return new ServiceSettings
        {
            DataFolder = GatewaySection.DataFolder(settings),
            Models = settings.GetList(GatewaySection.Models),
            Pools = pools,
            Scaling = scaling,
            Gateway = gateway,
            Telegram = telegram,
            Seed = seed is null ? null : seed with { MaxInputBytes = gateway.Jobs.MaxInputBytes },
            Sandbox = WorkerSection.Sandbox(settings),
            WorkerVariables = WorkerSection.AsVariables(settings),
            Log = LogSection.Read(settings),
        };
    }

    /// <summary>Makes them the host's options, which it checks as it starts.</summary>
    internal sealed class Factory(SettingReader settings, bool isGateway, RandomSource random) : IOptionsFactory<ServiceSettings>
    {
        public ServiceSettings Create(string name) => Read(settings, isGateway, random);
    }
}
