using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Tests.Jobs;

/// <summary>What every <see cref="IModelRegistry"/> does. A new adapter adds a subclass and nothing else.</summary>
public abstract class ModelRegistryConformance : IAsyncLifetime
{
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(20);

    private IModelRegistry registry = null!;

    protected ManualClock Clock { get; } = new();

    public async Task InitializeAsync() => registry = await OpenAsync();

    public async Task DisposeAsync() => await CloseAsync();

    /// <summary>Opens it, with no gateway in it.</summary>
    protected abstract Task<IModelRegistry> OpenAsync();

    /// <summary>Closes and deletes it.</summary>
    protected abstract Task CloseAsync();

    [Fact]
    public async Task Each_hears_what_the_others_say_and_not_itself()
    {
        (await ShareAsync("a", Model("plates", "1"), Model("birds", "1"))).ShouldBeEmpty();
        (await ShareAsync("b", Model("cars", "1"))).Select(m => m.Id).ShouldBe(["plates", "birds"], ignoreOrder: true);
        (await ShareAsync("c")).Select(m => m.Id).ShouldBe(["plates", "birds", "cars"], ignoreOrder: true);

        (await ShareAsync("a")).Select(m => m.Id).ShouldBe(["cars"]);
        (await ShareAsync("b")).ShouldBeEmpty("what one says takes the place of what it said before");
    }

    [Fact]
    public async Task A_model_comes_back_as_it_was_said()
    {
        var said = new ModelInfo("Nummernschilder ü", "detect", "yolox", 416, 320, ["ä", "", "a \"quoted\" one"]) { Version = "0123456789ab" };
        await ShareAsync("a", said);

        var heard = (await ShareAsync("b")).ShouldHaveSingleItem();
        (heard with { Labels = [] }).ShouldBe(said with { Labels = [] });
        heard.Labels.ShouldBe(said.Labels);
    }

    [Fact]
    public async Task An_engine_of_a_worker_comes_back_as_it_was_declared()
    {
        var declared = new EngineDeclaration("brightness", "1.0")
        {
            Help = "Sagt, wie hell ein Bild ist: \"ü\"",
            MediaTypes = ["image/png", "video/*"],
            MaxInputBytes = 1L << 31,
            MaxInputs = 3,
            Together = true,
            RunSeconds = 0.5,
            MaxOutputBytes = 0,
            OutputMediaType = "image/png",
            Reusable = true,
            Options = [new("threshold", DeclaredOption.OfWhole) { Help = "From where", Min = 0, Max = 255, Default = RawJson.OfText("128") }, new("how", DeclaredOption.OfChoice) { Choices = ["mean", "most"] }],
        };
        await ShareAsync("a", ModelInfo.Of(declared));
        await ShareAsync("b", ModelInfo.Of(new EngineDeclaration("plain", "2")));

        var heard = await ShareAsync("c");
        heard.Select(m => (m.Id, m.Version)).ShouldBe([("brightness", "1.0"), ("plain", "2")], ignoreOrder: true);
        Text(heard.Single(m => m.Id == "brightness").Declared!).ShouldBe(Text(declared));
        Text(heard.Single(m => m.Id == "plain").Declared!).ShouldBe(Text(new EngineDeclaration("plain", "2")));

        static string Text(EngineDeclaration engine) => RawJson.Of(engine, SpotterJson.Default.EngineDeclaration).ToString();
    }

    [Fact]
    public async Task Of_two_versions_the_one_said_last_is_heard()
    {
        await ShareAsync("a", Model("plates", "new"));
        Clock.Advance(TimeSpan.FromSeconds(1));
        await ShareAsync("b", Model("plates", "old"));
        (await ShareAsync("c")).ShouldHaveSingleItem().Version.ShouldBe("old");

        Clock.Advance(TimeSpan.FromSeconds(1));
        await ShareAsync("a", Model("plates", "new"));
        (await ShareAsync("c")).ShouldHaveSingleItem().Version.ShouldBe("new");
    }

    [Fact]
    public async Task Who_says_nothing_for_a_while_is_believed_no_longer()
    {
        await ShareAsync("a", Model("plates", "1"));
        Clock.Advance(Duration - TimeSpan.FromSeconds(1));
        (await ShareAsync("b")).Count.ShouldBe(1);
        Clock.Advance(TimeSpan.FromSeconds(1));

        (await ShareAsync("b")).ShouldBeEmpty();
        await ShareAsync("a", Model("plates", "1"));
        (await ShareAsync("b")).Count.ShouldBe(1);
    }

    [Fact]
    public async Task Who_ends_takes_back_what_it_said()
    {
        await ShareAsync("a", Model("plates", "1"));
        await ShareAsync("b", Model("cars", "1"));
        await registry.WithdrawAsync("a", default);
        await registry.WithdrawAsync("nobody", default);

        (await ShareAsync("c")).ShouldHaveSingleItem().Id.ShouldBe("cars");
    }

    [Fact]
    public async Task Many_may_speak_at_once()
    {
        await Task.WhenAll(Enumerable.Range(0, 30).Select(i => Task.Run(() => ShareAsync($"g{i}", Model($"m{i}", "1")))));

        (await ShareAsync("other")).Select(m => m.Id).ShouldBe(Enumerable.Range(0, 30).Select(i => $"m{i}"), ignoreOrder: true);
    }

    private static ModelInfo Model(string id, string version) => new(id, "detect", "yolox", 416, 416, ["square"]) { Version = version };

    private Task<IReadOnlyList<ModelInfo>> ShareAsync(string gateway, params ModelInfo[] models) => registry.ShareAsync(gateway, models, Duration, default);
}

public sealed class LocalModelRegistryTests : ModelRegistryConformance
{
    private readonly LocalFixture fixture = new();

    protected override Task<IModelRegistry> OpenAsync() => Task.FromResult(fixture.Open(Clock).Models);

    protected override async Task CloseAsync() => await fixture.DisposeAsync();
}

[NeedsPostgres]
[Collection(PostgresServer.Name)]
public sealed class PostgresModelRegistryTests(PostgresServer server) : ModelRegistryConformance
{
    private readonly PostgresFixture fixture = new(server);

    protected override Task<IModelRegistry> OpenAsync() => Task.FromResult(fixture.Open(Clock).Models);

    protected override async Task CloseAsync() => await fixture.DisposeAsync();
}
