using System.CommandLine;
using Spotter.Engines.Catalogue;

namespace Spotter.Cli.Commands;

/// <summary><c>options</c>: the page of the documentation about job options, as they are declared.</summary>
internal static class OptionsCommand
{
    public static Command Create()
    {
        var command = new Command("options", "Print the page about job options.") { Hidden = true };
        command.SetAction(_ =>
        {
            Console.Out.Write(OptionsTable.Markdown(EngineCatalogue.BuiltIn));
            return ExitStatus.Done;
        });
        return command;
    }
}
