using Microsoft.Extensions.Logging.Abstractions;
using Spotter.Core;
using Spotter.Fleets.Aws;

namespace Spotter.Tests.Aws;

/// <summary>What the launcher asks of EC2, and what it makes of the answers.</summary>
public sealed class Ec2LauncherTests : IAsyncLifetime
{
    private readonly ManualClock clock = new();
    private FakeEc2 ec2 = null!;
    private Ec2Launcher launcher = null!;

    public async Task InitializeAsync()
    {
        ec2 = await FakeEc2.StartAsync(clock);
        launcher = New();
    }

    public async Task DisposeAsync() => await ec2.DisposeAsync();

    [Theory]
    [InlineData("workers", "LaunchTemplate.LaunchTemplateName")]
    [InlineData("lt-0123456789abcdef0", "LaunchTemplate.LaunchTemplateId")]
    public async Task A_machine_comes_from_the_newest_template_with_the_pool_s_tag_and_a_numbered_name(string template, string key)
    {
        await New(ec2.Pool("shop", template), types: ["c7i.large"], subnets: ["subnet-a"]).StartAsync(2, default);

        ec2.Machines.Select(m => $"{m.Name} {m.Pool} {m.Type} {m.Subnet}").ShouldBe(["shop-1 shop c7i.large subnet-a", "shop-2 shop c7i.large subnet-a"], ignoreOrder: true);
        var launches = ec2.Requests.Where(r => r["Action"] == "RunInstances").ToList();
        launches.Select(r => $"{r[key]} {r["LaunchTemplate.Version"]} {r["MinCount"]} {r["MaxCount"]} {r["InstanceInitiatedShutdownBehavior"]}").Distinct(StringComparer.Ordinal)
            .ShouldBe([$"{template} $Latest 1 1 terminate"]);
        launches.Select(r => r["ClientToken"]).Distinct(StringComparer.Ordinal).Count().ShouldBe(2);
    }

    [Fact]
    public async Task Without_types_and_subnets_the_template_says_them()
    {
        await launcher.StartAsync(1, default);

        var launch = ec2.Requests.Single(r => r["Action"] == "RunInstances");
        launch.ContainsKey("InstanceType").ShouldBeFalse();
        launch.ContainsKey("SubnetId").ShouldBeFalse();
    }

    [Fact]
    public async Task A_number_comes_back_once_its_machine_has_ended()
    {
        await launcher.StartAsync(3, default);
        var second = ec2.Machines.Single(m => m.Name == "p-2");

        await launcher.StopAsync(second.Id, default);
        await launcher.StartAsync(1, default);

        // It is still there.
        second.State.ShouldBe("shutting-down");
        ec2.Machines.Select(m => m.Name).ShouldBe(["p-1", "p-2", "p-3", "p-4"], ignoreOrder: true);
        second.State = "terminated";
        await launcher.StartAsync(1, default);
        ec2.Machines.Where(m => m.State == "pending").Select(m => m.Name).ShouldBe(["p-1", "p-2", "p-3", "p-4"], ignoreOrder: true);
    }

    [Fact]
    public async Task Machines_stand_in_all_zones_in_turn()
    {
        launcher = New(types: ["a", "b"], subnets: ["x", "y"]);

        await launcher.StartAsync(3, default);
        await launcher.StartAsync(1, default);

        ec2.Machines.GroupBy(m => $"{m.Type} {m.Subnet}", StringComparer.Ordinal).Select(g => $"{g.Key}: {g.Count()}").ShouldBe(["a x: 2", "a y: 2"], ignoreOrder: true);
    }

    [Theory]
    [InlineData(500, "InsufficientInstanceCapacity")]
    [InlineData(400, "Unsupported")]
    [InlineData(400, "VcpuLimitExceeded")]
    [InlineData(400, "InsufficientFreeAddressesInSubnet")]
    public async Task Where_there_is_no_capacity_the_next_zone_and_then_the_next_type_is_tried(int status, string code)
    {
        launcher = New(types: ["a", "b"], subnets: ["x", "y"]);
        ec2.Refuses = (type, subnet) => type == "a" && subnet == "x" ? (status, code) : null;
        (await launcher.StartAsync(1, default)).ShouldBe(1);
        ec2.Refuses = (type, _) => type == "a" ? (status, code) : null;
        (await launcher.StartAsync(1, default)).ShouldBe(1);

        ec2.Machines.Select(m => $"{m.Name} {m.Type}").ShouldBe(["p-1 a", "p-2 b"]);
        ec2.Machines[0].Subnet.ShouldBe("y");
        ec2.Count("RunInstances").ShouldBe(5, "no place was tried twice");
    }

    [Fact]
    public async Task Fewer_are_launched_when_there_is_no_more_capacity_anywhere_and_their_numbers_come_back()
    {
        launcher = New(types: ["a", "b"], subnets: ["x", "y"]);
        var left = 7;
        ec2.Refuses = (_, _) => left-- > 0 ? null : (500, "InsufficientInstanceCapacity");

        (await launcher.StartAsync(20, default)).ShouldBe(7);

        (await launcher.ListAsync(default)).Count.ShouldBe(7);
        var free = Enumerable.Range(1, 20).Select(i => $"p-{i}").Except(ec2.Machines.Select(m => m.Name), StringComparer.Ordinal).Take(2).ToList();
        ec2.Refuses = (_, _) => null;
        (await launcher.StartAsync(2, default)).ShouldBe(2);
        ec2.Machines.Skip(7).Select(m => m.Name).ShouldBe(free, ignoreOrder: true);
    }

    [Fact]
    public async Task A_lost_answer_launches_nothing_twice()
    {
        ec2.LosesAnswers = true;
        await Should.ThrowAsync<SpotterException>(() => launcher.StartAsync(1, default));
        ec2.LosesAnswers = false;

        (await launcher.StartAsync(2, default)).ShouldBe(2, "the first is one of them");

        ec2.Machines.Select(m => m.Name).ShouldBe(["p-1", "p-2"]);
        ec2.Requests.Where(r => r["Action"] == "RunInstances").Select(r => r["ClientToken"]).Distinct(StringComparer.Ordinal).Count().ShouldBe(2);
        (await launcher.ListAsync(default)).Select(w => w.Name).ShouldBe(ec2.Machines.Select(m => m.Id), ignoreOrder: true);
    }

    [Fact]
    public async Task A_launch_whose_answer_was_lost_is_asked_for_again_while_EC2_does_not_show_it()
    {
        (ec2.LosesAnswers, ec2.HidesNew) = (true, true);
        await Should.ThrowAsync<SpotterException>(() => launcher.StartAsync(1, default));
        ec2.LosesAnswers = false;

        (await launcher.StartAsync(1, default)).ShouldBe(1);

        var machine = ec2.Machines.ShouldHaveSingleItem();
        (await launcher.ListAsync(default)).ShouldHaveSingleItem().Name.ShouldBe(machine.Id);
    }

    [Fact]
    public async Task A_launch_that_is_never_heard_of_again_gives_its_number_back()
    {
        ec2.Refuses = (_, _) => (500, "InternalError");
        (await Should.ThrowAsync<SpotterException>(() => launcher.StartAsync(1, default))).Message.ShouldBe("EC2 failed (InternalError); try again in some seconds.");
        var first = ec2.Requests.Last()["ClientToken"];
        clock.Advance(Ec2Launcher.UnansweredFor);
        ec2.Refuses = (_, _) => null;

        await launcher.StartAsync(1, default);

        var machine = ec2.Machines.ShouldHaveSingleItem();
        machine.Name.ShouldBe("p-1");
        machine.Token.ShouldNotBe(first, StringComparer.Ordinal);
    }

    [Fact]
    public async Task A_machine_that_EC2_does_not_show_yet_is_listed_for_a_minute()
    {
        ec2.HidesNew = true;
        await launcher.StartAsync(1, default);

        clock.Advance(Ec2Launcher.HiddenFor - TimeSpan.FromSeconds(1));
        (await launcher.ListAsync(default)).ShouldHaveSingleItem();
        clock.Advance(TimeSpan.FromSeconds(6));
        (await launcher.ListAsync(default)).ShouldBeEmpty("it was never seen");
    }

    [Fact]
    public async Task A_machine_that_is_not_known_yet_can_be_stopped_once_it_is()
    {
        ec2.HidesNew = true;
        await launcher.StartAsync(1, default);
        var machine = ec2.Machines.ShouldHaveSingleItem();

        await launcher.StopAsync(machine.Id, default);
        (await launcher.ListAsync(default)).ShouldHaveSingleItem("the controller tries again");
        machine.IsHidden = false;
        await launcher.StopAsync(machine.Id, default);

        machine.State.ShouldBe("shutting-down");
        (await launcher.ListAsync(default)).ShouldBeEmpty();
    }

    [Fact]
    public async Task One_that_was_stopped_does_not_come_back_while_EC2_still_shows_it()
    {
        ec2.ShowsEnded = true;
        await launcher.StartAsync(1, default);

        await launcher.StopAsync(ec2.Machines[0].Id, default);
        clock.Advance(TimeSpan.FromSeconds(6));

        (await launcher.ListAsync(default)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Whoever_takes_over_finds_all_machines_page_by_page_and_how_old_they_are()
    {
        ec2.PageSize = 2;
        await launcher.StartAsync(5, default);
        clock.Advance(TimeSpan.FromMinutes(3));

        var workers = await New().ListAsync(default);

        workers.Select(w => w.Name).ShouldBe(ec2.Machines.Select(m => m.Id), ignoreOrder: true);
        workers.ShouldAllBe(w => w.Age == TimeSpan.FromMinutes(3));
        await New().StartAsync(1, default);
        ec2.Machines[^1].Name.ShouldBe("p-6");
    }

    [Fact]
    public async Task No_machine_is_younger_than_nothing_whatever_EC2_s_clock_says()
    {
        ec2.Ahead = TimeSpan.FromMinutes(2);
        await launcher.StartAsync(1, default);

        (await New().ListAsync(default)).ShouldHaveSingleItem().Age.ShouldBe(TimeSpan.Zero);
    }

    [Fact]
    public async Task Nothing_is_ended_that_is_not_the_pool_s_or_has_ended()
    {
        var (other, ending) = (ec2.Add("q-1", pool: "q"), ec2.Add("p-1", state: "shutting-down"));

        foreach (var id in (string[])[other.Id, ending.Id, "i-00000000000000000"])
            await launcher.StopAsync(id, default);

        ec2.Count("TerminateInstances").ShouldBe(0);
    }

    [Fact]
    public async Task One_that_somebody_has_stopped_is_no_worker_and_keeps_its_number()
    {
        var stopped = ec2.Add("p-1", state: "stopped");
        ec2.Add("by hand", age: TimeSpan.FromMinutes(1));

        (await launcher.ListAsync(default)).ShouldHaveSingleItem().Name.ShouldBe(ec2.Machines[1].Id);
        await launcher.StartAsync(1, default);

        ec2.Machines[^1].Name.ShouldBe("p-2");
        stopped.State = "running";
        clock.Advance(TimeSpan.FromSeconds(6));
        (await launcher.ListAsync(default)).Count.ShouldBe(3);
    }

    [Theory]
    [InlineData(400, "InvalidLaunchTemplateName.NotFoundException", "There is no launch template 'workers' in this region; make it, or correct the template or the region of the pool.")]
    [InlineData(400, "InvalidSubnetID.NotFound", "There is no subnet 'subnet-a' in this region; correct the subnets or the region of the pool.")]
    [InlineData(400, "InvalidParameterCombination", "EC2 takes no subnet for the launch template 'workers'; have it name security groups instead of network interfaces, or leave out the subnets of the pool.")]
    [InlineData(403, "UnauthorizedOperation", "The role or user may not call RunInstances of EC2 as is needed (UnauthorizedOperation); see the permissions in docs/aws.md.")]
    [InlineData(400, "InvalidKeyPair.NotFound", "EC2 refused a request (InvalidKeyPair.NotFound).")]
    public async Task A_refusal_says_what_to_correct(int status, string code, string sentence)
    {
        launcher = New(subnets: ["subnet-a"]);
        ec2.Refuses = (_, _) => (status, code);

        (await Should.ThrowAsync<SpotterException>(() => launcher.StartAsync(20, default))).Message.ShouldBe(sentence);

        ec2.Count("RunInstances").ShouldBeLessThanOrEqualTo(5, "the others would be refused too");
        (await launcher.ListAsync(default)).ShouldBeEmpty();
        ec2.Refuses = (_, _) => null;
        await launcher.StartAsync(1, default);
        ec2.Machines.ShouldHaveSingleItem().Name.ShouldBe("p-1");
    }

    private Ec2Launcher New(Ec2Pool? pool = null, IReadOnlyList<string>? types = null, IReadOnlyList<string>? subnets = null) =>
        new(pool ?? ec2.Pool(), new LaunchPlaces(types ?? [], subnets ?? []), clock, RandomSource.System, NullLogger<Ec2Launcher>.Instance);
}
