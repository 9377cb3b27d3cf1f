using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Spotter.Scaling;
using Spotter.Scaling.Simulation;

namespace Spotter.Tests.Simulation;

/// <summary>
/// What each policy decides on each kind of load, written down, so that a change of mind is seen. After a change that is
/// meant, write them anew with SPOTTER_GOLDENS=write and read what has become different.
/// </summary>
public sealed class GoldenTests
{
    private const int Shown = 40;

    private static readonly string[] Policies = ["spotter", "controller", "backlog-per-instance", "list-length", "cpu"];

    public static TheoryData<string> Kinds => [.. SyntheticTraces.Kinds];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Decisions_on_a_trace_are_as_they_were(string kind)
    {
        var file = Path.Combine(SharedFiles.Repository, "tests", "Spotter.Tests", "Simulation", "Goldens", $"{kind}.txt");
        var decided = string.Join('\n', Policies.Select(policy => Write(policy, kind)));

        if (Environment.GetEnvironmentVariable("SPOTTER_GOLDENS") == "write")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, decided);
        }
        decided.Split('\n').ShouldBe(File.ReadAllText(file).Split('\n'));
    }

    /// <summary>The first decisions that changed something, then how many there were and a hash of all of them.</summary>
    private static string Write(string policy, string kind)
    {
        var machine = MachineKind.Ec2;
        var entry = Contenders.Named(policy).Enter(Comparison.For(machine, new()), Draws.For($"golden/{policy}", 1));
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var text = new StringBuilder(policy).Append('\n');
        var count = 0;
        var figures = new Simulator(machine, SyntheticTraces.Create(kind, machine, seed: 1), entry.Rules, seed: 1).Run(entry.Policy, Note);
        return text.Append(CultureInfo.InvariantCulture, $"""
              {count} changes, sha256 {Convert.ToHexStringLower(hash.GetHashAndReset())[..16]}
              {figures.WorkerSeconds:0} worker-seconds, {figures.TotalWait:0} s of waiting, {figures.Launches:0} boots

            """).ToString();

        void Note(ScaleObservation seen, ScaleDecision decision)
        {
            if (decision.Launch == 0 && decision.Drain.Count == 0 && decision.CancelDrain.Count == 0)
                return;
            var line = string.Create(
                CultureInfo.InvariantCulture,
                $"  {seen.Time.TotalSeconds,9:0.00} target {decision.Target} launch {decision.Launch} drain [{string.Join(' ', decision.Drain)}] keep [{string.Join(' ', decision.CancelDrain)}]\n");
            hash.AppendData(Encoding.UTF8.GetBytes(line));
            if (count++ < Shown)
                text.Append(line);
        }
    }
}
