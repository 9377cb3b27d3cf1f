using System.CommandLine;
using Spotter.Backends.Opening;
using Spotter.Cli.Doctor;
using Spotter.Cli.Settings;
using Spotter.Core.Settings;

namespace Spotter.Cli.Commands;

/// <summary><c>doctor</c>: what is installed, reachable and wrong.</summary>
internal static class DoctorCommand
{
    // As `serve` reads them: what it would do is what is looked at.
    private static readonly SettingFlags Flags = new([SettingSources.File, GatewaySection.Data, GatewaySection.Host, GatewaySection.Port, .. BackendFactory.Settings, LegacySection.Compat, .. LegacySection.All, KedaSection.Port, PoolSection.Flag]);

    private static readonly Option<bool> Json = new("--json") { Description = "Print one JSON object per finding." };

    public static Command Create()
    {
        var command = new Command("doctor", "Show what is installed, reachable and wrong, with the settings that `serve` would have.") { Json };
        Flags.AddTo(command);
        command.SetAction(parsed => Run(SettingSources.Open(PoolSection.Divide(Flags.Read(parsed))), parsed.GetValue(Json)));
        return command;
    }

    private static int Run(SettingReader settings, bool json)
    {
        var findings = HealthCheck.Examine(settings).ToList();
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
