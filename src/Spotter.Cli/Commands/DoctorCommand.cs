using System.CommandLine;
using Spotter.Cli.Doctor;
using Spotter.Cli.Settings;

namespace Spotter.Cli.Commands;

/// <summary><c>doctor</c>: what is installed, reachable and wrong.</summary>
internal static class DoctorCommand
{
    private static readonly Option<string?> Data = new("--data")
    {
        HelpName = "DIR",
        Description = "The data folder that `serve` is to use. Default: `data`, or what SPOTTER__DATA says.",
    };

    private static readonly Option<int> Port = NumberOption.Whole("--port", 8080, 1, 65_535, "The port that `serve` is to use.");

    private static readonly Option<bool> Json = new("--json") { Description = "Print one JSON object per finding." };

    public static Command Create()
    {
        var command = new Command("doctor", "Show what is installed, reachable and wrong.") { Data, Port, Json };
        command.SetAction(parsed => Run(
            GatewaySection.DataFolderOf(parsed.GetValue(Data)), parsed.GetValue(Port), parsed.GetValue(Json)));
        return command;
    }

    private static int Run(string data, int port, bool json)
    {
        var findings = HealthCheck.Examine(data, port).ToList();
        if (json)
        {
            foreach (var finding in findings)
                JsonLines.Write(finding);
        }
        else
        {
            var table = new TextTable("", "what", "found");
            foreach (var finding in findings)
                table.Add(Mark(finding.Health), finding.Name, finding.Detail);
            Console.Out.Write(table);
        }
        var wrong = findings.Count(finding => finding.Health == Health.Wrong);
        if (wrong == 0)
            return ExitStatus.Done;
        StandardError.Complain(wrong == 1 ? "one thing is wrong; see above." : $"{wrong} things are wrong; see above.");
        return ExitStatus.Failed;
    }

    private static string Mark(Health health) => health switch
    {
        Health.Ok => "ok",
        Health.Warning => "!",
        _ => "WRONG",
    };
}
