using System.CommandLine;
using System.Globalization;
using Spotter.Backends.Local;
using Spotter.Cli.Settings;

namespace Spotter.Cli.Commands;

/// <summary><c>backup</c>: a copy of a data folder, also while a service runs on it.</summary>
internal static class BackupCommand
{
    private static readonly Argument<string> Into = new("FOLDER")
    {
        Description = "Where the copy goes: a folder that is empty or not there. To restore it, start a service on it, or on a copy of it, with --data.",
    };

    private static readonly Option<string?> Data = DataOption.For("which is copied");

    public static Command Create()
    {
        var command = new Command("backup", "Copy the data folder (jobs, pictures, models, keys), also while a service runs on it.") { Into, Data };
        command.SetAction((parsed, cancel) =>
        {
            var into = parsed.GetRequiredValue(Into);
            var size = LocalBackup.Make(GatewaySection.ExistingDataFolderOf(parsed.GetValue(Data)), into, cancel);
            Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{size.Jobs} jobs and {size.Files} files ({size.Bytes / 1e6:0.0} MB) are in {Path.GetFullPath(into)}."));
            return Task.FromResult(ExitStatus.Done);
        });
        return command;
    }
}
