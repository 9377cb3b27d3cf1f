using System.Diagnostics;
using Spotter.Cli.Commands;

namespace Spotter.Tests.Deploy;

/// <summary>The units in deploy/systemd are systemd's, and what they start is what the program understands.</summary>
public sealed class SystemdTests
{
    private const string Program = "/usr/lib/spotter/spotter";

    private static readonly string[] Names = ["spotter.service", "spotter-gateway.service", "spotter-worker.service"];

    public static TheoryData<string> Units => [.. Names];

    [Fact]
    public void They_are_all_that_there_are() =>
        Directory.EnumerateFiles(Folder).Select(f => Path.GetFileName(f)!).ShouldBe(Names, ignoreOrder: true);

    [Theory]
    [MemberData(nameof(Units))]
    public void The_program_takes_its_command_and_has_the_time_that_a_drain_takes(string unit)
    {
        var command = ValuesOf(unit, "ExecStart").ShouldHaveSingleItem().Split(' ');

        command[0].ShouldBe(Program);
        CommandLine.Parse(command[1..]).Errors.ShouldBeEmpty();
        // Sixty seconds for running jobs, and then the connections.
        int.Parse(ValuesOf(unit, "TimeoutStopSec").ShouldHaveSingleItem(), System.Globalization.CultureInfo.InvariantCulture).ShouldBeGreaterThanOrEqualTo(75);
        ValuesOf(unit, "KillMode").ShouldBe(["mixed"]);
    }

    [Theory]
    [MemberData(nameof(Units))]
    public void It_may_do_as_little_as_the_others(string unit)
    {
        Hardening(unit).ShouldBe(Hardening("spotter.service"));
        ((string[])["NoNewPrivileges=true", "ProtectSystem=strict"]).Except(Hardening(unit), StringComparer.Ordinal).ShouldBeEmpty();
        // .NET compiles while it runs, and workers put on a sandbox that older lists of systemd don't know.
        ValuesOf(unit, "MemoryDenyWriteExecute").ShouldBeEmpty();
        ValuesOf(unit, "SystemCallFilter").ShouldAllBe(list => list.StartsWith('~'));
    }

    [SystemdTheory]
    [MemberData(nameof(Units))]
    public async Task Systemd_finds_nothing_wrong(string unit)
    {
        using var folder = new TemporaryFolder();
        (await VerifyAsync(folder, unit, text => text)).ShouldBe((0, ""));

        var (_, complaint) = await VerifyAsync(folder, unit, text => text.Replace("ProtectHome=", "ProtectHouse=", StringComparison.Ordinal));
        complaint.ShouldContain("ProtectHouse");
    }

    private static string Folder => Path.Combine(SharedFiles.Repository, "deploy", "systemd");

    private static string Text(string unit) => File.ReadAllText(Path.Combine(Folder, unit));

    private static List<string> ValuesOf(string unit, string key) =>
        [.. Text(unit).Split('\n').Where(line => line.StartsWith($"{key}=", StringComparison.Ordinal)).Select(line => line[(key.Length + 1)..])];

    /// <summary>The settings after the comment that says what they leave out.</summary>
    private static string[] Hardening(string unit) =>
        [.. Text(unit).Split("\n\n").Single(part => part.Contains("NoNewPrivileges", StringComparison.Ordinal)).Split('\n').Where(line => !line.StartsWith('#'))];

    private static async Task<(int Status, string Complaints)> VerifyAsync(TemporaryFolder folder, string unit, Func<string, string> change)
    {
        // The program is not installed here.
        await File.WriteAllTextAsync(folder.File(unit), change(Text(unit)).Replace(Program, "/bin/true", StringComparison.Ordinal));
        using var verify = Process.Start(new ProcessStartInfo("systemd-analyze", ["verify", "--man=no", folder.File(unit)]) { RedirectStandardError = true, UseShellExecute = false })!;
        var complaints = await verify.StandardError.ReadToEndAsync();
        await verify.WaitForExitAsync();
        return (verify.ExitCode, complaints);
    }

    /// <summary>A test that needs systemd-analyze; counted as skipped without it.</summary>
    [AttributeUsage(AttributeTargets.Method)]
    private sealed class SystemdTheoryAttribute : TheoryAttribute
    {
        public SystemdTheoryAttribute()
        {
            if (!(Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(f => File.Exists(Path.Combine(f, "systemd-analyze"))))
                Skip = "there is no systemd-analyze here";
        }
    }
}
