using System.Text;

namespace Spotter.Faults;

/// <summary>Whether the suite would notice: every planted mistake has to be caught by the fault that is made for it.</summary>
public sealed class PlantedBugTests
{
    private static readonly Dictionary<string, Func<string?, Task<Verdict>>> Catchers = new(StringComparer.Ordinal)
    {
        ["blob-not-flushed"] = Scenarios.PromisesAreOnTheDiskAsync,
        ["folder-not-flushed"] = Scenarios.PromisesAreOnTheDiskAsync,
        ["log-not-flushed"] = Scenarios.PromisesAreOnTheDiskAsync,
        ["failed-flush-ignored"] = Scenarios.TheDiskFailsToFlushAsync,
        ["answered-before-commit"] = Scenarios.KilledBeforeTheCommitAsync,
        ["key-forgotten"] = Scenarios.TheAnswerGetsLostAsync,
        ["fence-dropped"] = Scenarios.ThreeWorkersOneJobAsync,
        ["take-without-hiding"] = Scenarios.NothingGoesWrongAsync,
        ["leases-never-end"] = Scenarios.AWorkerFallsSilentAsync,
        ["death-is-free"] = Scenarios.APictureKillsItsWorkersAsync,
        ["end-overwritten"] = Scenarios.CancelledAfterItsEndAsync,
        ["delivery-forgotten"] = Scenarios.KilledBeforeADeliveryAsync,
        ["hash-unchecked"] = Scenarios.ABitIsFlippedAsync,
    };

    private static readonly Func<string?, Task<Verdict>>[] ThatTrace = [Scenarios.PromisesAreOnTheDiskAsync, Scenarios.TheDiskFailsToFlushAsync];

    public static TheoryData<string> Bugs => [.. Catchers.Where(c => Strace.Missing is null || !ThatTrace.Contains(c.Value)).Select(c => c.Key)];

    [PlantedTheory]
    [MemberData(nameof(Bugs))]
    public async Task A_planted_bug_is_caught(string bug) => FaultTable.ShouldCatch(bug, await Catchers[bug](bug));

    [StraceFact]
    public void The_bugs_that_only_a_trace_shows_are_looked_for() => Bugs.Count.ShouldBe(Catchers.Count);

    [Fact]
    public void No_planted_bug_is_in_the_program_that_is_run()
    {
        var assemblies = Directory.GetFiles(Path.GetDirectoryName(SpotterProgram.File)!, "*.dll")
            .Where(file => Path.GetFileName(file).StartsWith("spotter", StringComparison.OrdinalIgnoreCase)).ToList();
        assemblies.Count.ShouldBeGreaterThan(5);
        foreach (var assembly in assemblies)
        {
            var bytes = File.ReadAllBytes(assembly);
            foreach (var name in Catchers.Keys.Append(SpotterProgram.PlantedBug))
                bytes.AsSpan().IndexOf(Encoding.Unicode.GetBytes(name)).ShouldBe(-1, $"{Path.GetFileName(assembly)} holds '{name}'");
        }
    }

    [PlantedTheory]
    [MemberData(nameof(Bugs))]
    public void A_planted_bug_is_in_the_program_with_bugs(string bug)
    {
        // Else it could not be caught, and this suite would look better than it is.
        Directory.GetFiles(Path.GetDirectoryName(SpotterProgram.PlantedFile)!, "Spotter.*.dll")
            .Any(file => File.ReadAllBytes(file).AsSpan().IndexOf(Encoding.Unicode.GetBytes(bug)) >= 0).ShouldBeTrue();
    }
}
