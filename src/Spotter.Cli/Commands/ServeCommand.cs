using System.CommandLine;
using Spotter.Cli.Catalogue;
using Spotter.Cli.Serve;
using Spotter.Cli.Settings;
using Spotter.Core.Settings;

namespace Spotter.Cli.Commands;

/// <summary><c>serve</c> and <c>gateway</c>: the service on one machine, with its own workers or for workers elsewhere.</summary>
internal static class ServeCommand
{
    private static IReadOnlyList<Setting> OfService { get; } = [.. SettingList.OfGateway, .. ScalingSection.All, PoolSection.Flag];

    /// <summary>Creates <c>serve</c>.</summary>
    public static Command Create() => Create(
        "serve", "Run everything on this machine: page, API, queue and as many workers as the backlog needs.", [.. OfService, WorkerSection.Device], isGateway: false);

    /// <summary>Creates <c>gateway</c>.</summary>
    public static Command CreateGateway() => Create("gateway", "Run page, API and queue, for workers that join over HTTP.", OfService, isGateway: true);

    private static Command Create(string name, string description, IReadOnlyList<Setting> settings, bool isGateway)
    {
        var flags = new SettingFlags([SettingSources.File, .. settings]);
        var command = new Command(name, $"{description} Each option can also be set in {SettingSources.FileName} or in the environment: see docs/settings.md.");
        flags.AddTo(command);
        command.SetAction(async parsed =>
        {
            var given = SettingSources.Open(PoolSection.Divide(flags.Read(parsed)));
            await NamedModels.FetchAsync(given.GetList(GatewaySection.Models), GatewaySection.DataFolder(given));
            return await ServiceRunner.RunAsync(given, isGateway);
        });
        return command;
    }
}
