using System.CommandLine;

namespace Spotter.Cli.Settings;

/// <summary><c>--data</c>, which means the same in every command: the data folder.</summary>
internal static class DataOption
{
    /// <summary>The option.</summary>
    /// <param name="use">What the command does with the folder, as <c>where the keys are</c>.</param>
    public static Option<string?> For(string use) => new(GatewaySection.Data.Flag!)
    {
        HelpName = GatewaySection.Data.ValueName,
        Description = $"The data folder, {use}. Default: what {GatewaySection.Data.Variable} or {SettingSources.FileName} says, else {SpotterPaths.DefaultDataFolder}.",
    };
}
