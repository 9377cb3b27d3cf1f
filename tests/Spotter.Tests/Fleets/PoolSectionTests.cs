using Spotter.Cli.Settings;
using Spotter.Core;
using Spotter.Core.Settings;
using Spotter.Scaling;

namespace Spotter.Tests.Fleets;

public sealed class PoolSectionTests
{
    private static readonly ScaleSettings Others = new() { Min = 0, Max = 4, Lanes = 2 };

    [Fact]
    public void Without_any_there_is_one_for_everything_as_the_other_options_say()
    {
        var pool = Read().ShouldHaveSingleItem();
        (pool.Name, pool.Models.Count, pool.Scaling).ShouldBe(("default", 0, Others));
    }

    [Fact]
    public void Each_has_its_models_and_limits_and_else_what_the_other_options_say()
    {
        var pools = Read("gpu:models=a, b;min=1;max=2;policy=backlog;preset=fast", "rest:lanes=1");

        pools[0].Models.ShouldBe(["a", "b"]);
        pools[0].Scaling.ShouldBe(Others with { Min = 1, Max = 2, Policy = "backlog", Preset = ScalePreset.Fast });
        pools[1].Models.ShouldBeEmpty();
        pools[1].Scaling.ShouldBe(Others with { Lanes = 1 });
    }

    [Fact]
    public void Settings_of_a_launcher_that_are_lists_are_taken_apart()
    {
        var pool = Read("ec2:launcher=ec2;template=t;types=c7i.large, c7a.large;max=20").ShouldHaveSingleItem();

        pool.Launcher.Name.ShouldBe("ec2");
        var types = (Setting<string>)pool.Launcher.Settings.Single(s => s.Key == "types");
        pool.Settings.GetList(types).ShouldBe(["c7i.large", "c7a.large"]);
    }

    [Fact]
    public void A_cost_cap_holds_for_all_pools_together_that_have_none_of_their_own()
    {
        var pools = Read(Others with { DailyWorkerHours = 12 }, "gpu:models=a;max=1", "own:models=b;costCapHours=3.5", "rest:max=5");

        pools.Select(p => p.Scaling.DailyWorkerHours).ShouldBe([2, 3.5, 10]);
        PoolSettings.Sum(pools).DailyWorkerHours.ShouldBe(15.5);
        PoolSettings.Sum(Read("gpu:models=a;costCapHours=2", "rest")).DailyWorkerHours.ShouldBeNull("the rest has none");
        Read(Others with { DailyWorkerHours = 12 }).ShouldHaveSingleItem().Scaling.DailyWorkerHours.ShouldBe(12);
    }

    [Fact]
    public void Every_queue_is_scaled_by_one_pool_or_none()
    {
        var pools = Read("gpu:models=a", "rest");
        PoolSettings.OfQueue(pools, "detect/a").ShouldBe(pools[0]);
        PoolSettings.OfQueue(pools, "detect/c").ShouldBe(pools[1]);
        PoolSettings.OfQueue(pools, "filter").ShouldBe(pools[1]);

        var named = Read("gpu:models=a", "cpu:models=b");
        PoolSettings.OfQueue(named, "detect/c").ShouldBeNull();
        PoolSettings.OfQueue(named, "filter").ShouldBe(named[0]);
    }

    [Theory]
    [InlineData("'GPU'", "GPU:max=1")]
    [InlineData("max of --pool gpu takes a number from 1 to 256, not 0", "gpu:max=0")]
    [InlineData("min of --pool gpu", "gpu:min=x")]
    [InlineData("'size'", "gpu:size=3")]
    [InlineData("at least 5", "gpu:min=5;max=4")]
    [InlineData("eco, balanced or fast, not cheap", "gpu:preset=cheap")]
    [InlineData("not eco,fast", "gpu:preset=eco,fast")]
    [InlineData("empty models", "gpu:models=,")]
    [InlineData("max twice", "gpu:max=2;max=64")]
    [InlineData("not magic", "gpu:policy=magic")]
    [InlineData("called 'gpu'", "gpu:models=a", "gpu:models=b")]
    [InlineData("model 'a'", "gpu:models=a", "cpu:models=a")]
    [InlineData("'cpu' names no models", "gpu", "cpu")]
    [InlineData("needs its Auto Scaling group", "gpu:launcher=autoscaling")]
    [InlineData("needs a launch template", "gpu:launcher=ec2")]
    [InlineData("not every*", "gpu:launcher=ec2;template=t;pool=every*")]
    [InlineData("not somewhere", "gpu:launcher=ec2;template=t;endpoint=somewhere")]
    [InlineData("has no setting 'group'", "gpu:launcher=ec2;template=t;group=g")]
    public void What_cannot_be_is_refused_by_name(string said, params string[] pools)
    {
        var refused = Should.Throw<SpotterException>(() => Read(pools));
        refused.Code.ShouldBe(ErrorCodes.InvalidSettings);
        refused.Message.ShouldContain(said);
    }

    private static IReadOnlyList<PoolSettings> Read(params string[] pools) => Read(Others, pools);

    private static IReadOnlyList<PoolSettings> Read(ScaleSettings others, params string[] pools)
    {
        var flags = new GivenSettings();
        flags.Add(PoolSection.Key, "--pool", pools);
        var settings = new SettingReader([PoolSection.Divide(flags)]);
        var read = PoolSection.Read(settings, others);
        settings.ThrowIfWrong();
        return read;
    }
}
