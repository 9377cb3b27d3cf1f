using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Spotter.Backends.Scaling;
using Spotter.Scaling;

namespace Spotter.Tests.Scaling;

/// <summary>What scaling remembers from one run of the service to the next.</summary>
public sealed class ScaleFileTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly ManualClock clock = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Decisions_are_there_again_with_all_that_explains_them()
    {
        var decision = new ScaleDecision(3, 2, ["a"], ["b"], "grow 1 -> 3")
        {
            Formula = "backlog of 12 worker-seconds",
            Clamp = "max 3",
            Inputs = new ScaleInputs { Queued = 7, ServiceSeconds = 0.5 },
        };
        Decisions().Add(clock.GetUtcNow(), decision);

        var again = Decisions().Latest().ShouldHaveSingleItem();
        (again.Id, again.Time).ShouldBe((1, clock.GetUtcNow()));
        Json(again.Decision).ShouldBe(Json(decision));
    }

    [Fact]
    public void A_line_that_was_cut_by_a_crash_costs_nothing_but_itself()
    {
        Decisions().Add(clock.GetUtcNow(), Decision("first"));
        File.AppendAllText(DecisionPath, "{\"id\":2,\"ti");

        Decisions().Add(clock.GetUtcNow(), Decision("second"));

        Decisions().Latest().Select(d => d.Decision.Reason).ShouldBe(["second", "first"]);
    }

    [Fact]
    public void Ten_thousand_decisions_are_kept_and_the_file_does_not_grow_for_ever()
    {
        var log = Decisions();
        for (var i = 0; i < 20_050; i++)
            log.Add(clock.GetUtcNow(), Decision("again") with { Launch = 1 });

        File.ReadLines(DecisionPath).Count().ShouldBeLessThanOrEqualTo(20_000);
        var kept = Decisions().Latest();
        kept.Count.ShouldBe(10_000);
        (kept[0].Id, kept[^1].Id).ShouldBe((20_050, 10_051));
    }

    [Fact]
    public void A_folder_that_cannot_be_written_to_costs_memory_and_nothing_else()
    {
        var log = DecisionFile.Open(folder.File("missing/decisions.jsonl"), NullLogger<DecisionFile>.Instance);
        log.Add(clock.GetUtcNow(), Decision("one")).ShouldBeTrue();
        log.Latest().ShouldHaveSingleItem();
        new LearnedFile(folder.File("missing/learned.json"), NullLogger<LearnedFile>.Instance).Save("{}");
    }

    [Fact]
    public void What_was_learned_is_replaced_as_a_whole()
    {
        var memory = new LearnedFile(folder.File("learned.json"), NullLogger<LearnedFile>.Instance);
        memory.Load().ShouldBeNull();
        memory.Save("a long state");
        memory.Save("short");
        new LearnedFile(folder.File("learned.json"), NullLogger<LearnedFile>.Instance).Load().ShouldBe("short");
    }

    [Fact]
    public void Arrivals_are_counted_by_the_second_and_kept_by_the_day()
    {
        using (var trace = Arrivals())
        {
            trace.Arrived(2);
            clock.Advance(TimeSpan.FromSeconds(0.4));
            trace.Arrived(1);
            clock.Advance(TimeSpan.FromSeconds(0.6));
            trace.Arrived(5);
            clock.Advance(TimeSpan.FromHours(12));
            trace.Arrived(7);
        }

        using var again = Arrivals();
        again.Days().ShouldBe([new DateOnly(2026, 1, 2), new DateOnly(2026, 1, 1)]);
        var noon = new DateTimeOffset(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);
        again.Read(new DateOnly(2026, 1, 1)).ShouldBe([new(noon, 3), new(noon.AddSeconds(1), 5)]);
        again.Read(new DateOnly(2026, 1, 2)).ShouldBe([new(noon.AddHours(12).AddSeconds(1), 7)]);
        again.Read(new DateOnly(2025, 12, 31)).ShouldBeNull();
        File.ReadAllLines(folder.File("arrivals/2026-01-01.csv")).ShouldBe(["timestamp,count", "2026-01-01T12:00:00Z,3", "2026-01-01T12:00:01Z,5"]);
    }

    [Fact]
    public void What_came_just_now_is_there_to_be_read()
    {
        using var trace = Arrivals();
        trace.Arrived(2);
        trace.Read(new DateOnly(2026, 1, 1)).ShouldNotBeNull().Sum(a => a.Jobs).ShouldBe(2);
        trace.Arrived(3);
        trace.Read(new DateOnly(2026, 1, 1)).ShouldNotBeNull().Sum(a => a.Jobs).ShouldBe(5);
    }

    [Fact]
    public void Days_older_than_a_month_are_deleted()
    {
        using var trace = Arrivals();
        for (var day = 0; day < 40; day++)
        {
            trace.Arrived(1);
            clock.Advance(TimeSpan.FromDays(1));
        }

        var days = trace.Days();
        days.Count.ShouldBe(ArrivalFiles.MostDays);
        days[0].ShouldBe(new DateOnly(2026, 2, 9));
    }

    private string DecisionPath => folder.File("decisions.jsonl");

    private DecisionLog Decisions() => DecisionFile.Open(DecisionPath, NullLogger<DecisionFile>.Instance);

    private ArrivalFiles Arrivals() => new(folder.File("arrivals"), clock, NullLogger<ArrivalFiles>.Instance);

    private static string Json(ScaleDecision decision) => JsonSerializer.Serialize(decision, ScalingJson.Default.ScaleDecision);

    private static ScaleDecision Decision(string reason) => new(1, 0, [], [], reason);
}
