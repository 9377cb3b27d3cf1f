using Spotter.Fleets.Kubernetes;

namespace Spotter.Tests.Kubernetes;

public sealed class ScaleInTests
{
    private static readonly WorkerPod Victim = Pod("victim");

    [Fact]
    public void One_that_works_is_marked_and_nobody_is_waited_for_while_all_others_are_ready() =>
        Of(Pod("a"), Pod("b") with { Cost = 5 }).ShouldBe("ends");

    [Fact]
    public void A_mark_of_before_goes_first_or_that_pod_would_end_instead() =>
        Of(Pod("a") with { Cost = ScaleIn.Marked }, Pod("b") with { Cost = -1001 }, Pod("c") with { Cost = -999 }).ShouldBe("ends after a, b");

    [Theory]
    [InlineData(false, false, false)]
    [InlineData(true, false, false)]
    [InlineData(true, true, false)]
    public void One_that_would_end_before_it_whatever_it_costs_is_waited_for(bool isAssigned, bool isRunning, bool isReady) =>
        Of(Pod("a"), Pod("b") with { IsAssigned = isAssigned, IsRunning = isRunning, IsReady = isReady, Cost = 1000 }).ShouldBe("waits for b");

    [Fact]
    public void One_that_is_ending_already_matters_no_more() =>
        Of(Pod("a") with { IsEnding = true, IsReady = false, Cost = -5000 }).ShouldBe("ends");

    [Fact]
    public void One_that_is_not_ready_waits_for_nobody()
    {
        var victim = Victim with { IsReady = false };

        var plan = ScaleIn.Of([victim, Pod("a") with { IsAssigned = false, IsRunning = false, IsReady = false }], victim);

        plan.WaitsFor.ShouldBeNull();
    }

    private static string Of(params WorkerPod[] others)
    {
        var plan = ScaleIn.Of([Victim, .. others], Victim);
        return plan.WaitsFor is { } first ? $"waits for {first}" : plan.Reset.Count > 0 ? $"ends after {string.Join(", ", plan.Reset)}" : "ends";
    }

    private static WorkerPod Pod(string name) => new() { Name = name, IsThere = true, IsAssigned = true, IsRunning = true, IsReady = true };
}
