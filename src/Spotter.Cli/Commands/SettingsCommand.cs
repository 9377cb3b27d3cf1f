using System.CommandLine;
using Spotter.Cli.Settings;

namespace Spotter.Cli.Commands;

/// <summary><c>settings</c>: the page of the documentation about the settings of a service, as they are declared.</summary>
internal static class SettingsCommand
{
    public static Command Create()
    {
        var command = new Command("settings", "Print the page about the settings of a service.") { Hidden = true };
        command.SetAction(_ =>
        {
            Console.Out.Write(SettingsPage.Markdown());
            return ExitStatus.Done;
        });
        return command;
    }
}
