using Microsoft.Extensions.Logging.Abstractions;
using Spotter.Worker;
using Spotter.Worker.Machines;

namespace Spotter.Tests.Worker;

/// <summary>A worker hears from its machine in time that it is to go.</summary>
public sealed class Ec2WatchTests : IAsyncLifetime
{
    private const string State = "autoscaling/target-lifecycle-state";

    private readonly ManualClock clock = new();
    private readonly DrainSwitch drain = new();
    private readonly CancellationTokenSource over = new();
    private MetadataService service = null!;
    private Ec2Metadata metadata = null!;
    private Ec2Watch watch = null!;
    private bool hasLooked;
    private Task watching = Task.CompletedTask;

    public async Task InitializeAsync()
    {
        service = await MetadataService.StartAsync();
        metadata = new Ec2Metadata(service.Address);
        watch = new Ec2Watch(metadata, drain, clock, NullLogger<Ec2Watch>.Instance);
    }

    public async Task DisposeAsync()
    {
        await over.CancelAsync();
        await watching;
        metadata.Dispose();
        await service.DisposeAsync();
        drain.Dispose();
        over.Dispose();
    }

    [Fact]
    public async Task While_there_is_no_notice_it_works()
    {
        watching = watch.RunAsync(over.Token);

        await LooksAsync(3);

        drain.IsDraining.ShouldBeFalse();
        service.Asked.Take(3).ShouldBe(["spot/instance-action 404", $"{State} 200", "events/recommendations/rebalance 404"]);
    }

    [Fact]
    public async Task A_spot_interruption_drains_it_for_good_and_shortly_before_the_end_nothing_runs_any_more()
    {
        var end = clock.GetUtcNow().AddMinutes(2);
        service.Interrupt(end);
        watching = watch.RunAsync(over.Token);

        await LooksAsync(1);
        (drain.IsForGood, drain.GivingUp.IsCancellationRequested).ShouldBe((true, false));

        clock.Advance(end - Ec2Watch.Reserve - clock.GetUtcNow() - Ec2Watch.LookEvery);
        await clock.WaitForTimersAsync();
        drain.GivingUp.IsCancellationRequested.ShouldBeFalse("there is time");
        await LooksAsync(1);
        drain.GivingUp.IsCancellationRequested.ShouldBeTrue();
    }

    [Theory]
    [InlineData("no json")]
    [InlineData("{}")]
    [InlineData("""{"action":"stop","time":"soon"}""")]
    [InlineData("[]")]
    public async Task A_notice_that_it_can_not_read_is_one(string text)
    {
        service.Says["spot/instance-action"] = text;
        watching = watch.RunAsync(over.Token);

        await LooksAsync(1);

        (drain.IsForGood, drain.GivingUp.IsCancellationRequested).ShouldBe((true, false));
    }

    [Fact]
    public async Task A_recommendation_drains_it_and_sets_no_end()
    {
        service.Says["events/recommendations/rebalance"] = """{"noticeTime": "2026-01-01T00:00:00Z"}""";
        watching = watch.RunAsync(over.Token);

        await LooksAsync(1);
        clock.Advance(TimeSpan.FromHours(1));
        await LooksAsync(1);

        (drain.IsForGood, drain.GivingUp.IsCancellationRequested).ShouldBe((true, false));
    }

    [Theory]
    [InlineData("Terminated")]
    [InlineData("Warmed:Stopped")]
    [InlineData("Warmed:Terminated")]
    public async Task A_group_that_ends_its_instance_is_given_what_it_waits_for(string state)
    {
        watching = watch.RunAsync(over.Token);
        await LooksAsync(1);
        service.Says[State] = state;

        await LooksAsync(1);
        (drain.IsForGood, drain.GivingUp.IsCancellationRequested).ShouldBe((true, false));

        clock.Advance(TimeSpan.FromSeconds(90) - Ec2Watch.Reserve);
        await LooksAsync(1);
        drain.GivingUp.IsCancellationRequested.ShouldBeTrue();
    }

    [Theory]
    [InlineData("InService")]
    [InlineData("Standby")]
    public async Task Any_other_state_is_none_of_its_business(string state)
    {
        service.Says[State] = state;
        watching = watch.RunAsync(over.Token);

        await LooksAsync(1);

        drain.IsDraining.ShouldBeFalse();
    }

    [Fact]
    public async Task A_token_that_counts_no_more_is_fetched_anew()
    {
        watching = watch.RunAsync(over.Token);
        await LooksAsync(1);
        service.ForgetTokens();
        service.Interrupt(clock.GetUtcNow().AddMinutes(2));

        await LooksAsync(1);

        drain.IsDraining.ShouldBeTrue();
        service.Asked.Count(a => a.EndsWith(" 401", StringComparison.Ordinal)).ShouldBe(1);
    }

    [Fact]
    public async Task Nobody_ends_because_nobody_answers()
    {
        using var nobody = new Ec2Metadata(new Uri("http://127.0.0.1:1"));
        watch = new Ec2Watch(nobody, drain, clock, NullLogger<Ec2Watch>.Instance);

        await watch.WaitForServiceAsync(default);
        watching = watch.RunAsync(over.Token);
        await LooksAsync(2);

        drain.IsDraining.ShouldBeFalse();
    }

    [Fact]
    public async Task In_a_warm_pool_it_waits_until_it_is_needed()
    {
        service.Says[State] = "Warmed:Stopped";
        var waiting = watch.WaitForServiceAsync(over.Token);
        for (var i = 0; i < 3; i++)
        {
            await clock.WaitForTimersAsync();
            clock.Advance(Ec2Watch.LookEvery);
        }
        waiting.IsCompleted.ShouldBeFalse();

        service.Says[State] = "InService";
        while (await Task.WhenAny(waiting, clock.WaitForTimersAsync()) != waiting)
            clock.Advance(Ec2Watch.LookEvery);

        drain.IsDraining.ShouldBeFalse();
    }

    [Fact]
    public async Task One_that_is_stopped_in_a_warm_pool_waits_no_longer()
    {
        service.Says[State] = "Warmed:Running";
        var waiting = watch.WaitForServiceAsync(over.Token);
        await clock.WaitForTimersAsync();

        await over.CancelAsync();

        await waiting;
    }

    /// <summary>Lets time pass until it has looked this often again, and done what follows.</summary>
    private async Task LooksAsync(int times)
    {
        for (; times > 0; times--)
        {
            await clock.WaitForTimersAsync();
            if (hasLooked)
            {
                clock.Advance(Ec2Watch.LookEvery);
                await clock.WaitForTimersAsync();
            }
            hasLooked = true;
        }
    }
}
