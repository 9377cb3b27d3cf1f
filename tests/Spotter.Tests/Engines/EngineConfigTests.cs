using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Spotter.Core;
using Spotter.Engine;

namespace Spotter.Tests.Engines;

/// <summary>The configuration file of an engine that somebody wrote.</summary>
public sealed class EngineConfigTests
{
    private const string Whole = """
        # As engines of the earlier service have it.
        ENGINE:
          ID: 'sSzMfsnBpWVLrhUHw2HP3'
          NAME: 'simple hello world engine'
          DEFAULT_WORKER_COUNT: 3
          MAX_WORKER: 5
          KAFKA_CONSUMER_POOL: 1
        INPUTS:
          NAMES: ['Control', 'Picture']
          TYPES: ['JSON', 'Image']
        OUTPUTS:
          NAMES: ['Result', 'Status']
          TYPES: ['JSON', 'JSON']
        CLIENT:
          WORKER_INACTIVE_TIMEOUT: 100.0
        LOG:
          STDOUT_LEVEL: "TRACE"
        """;

    [Fact]
    public void What_it_says_counts_more_than_the_code()
    {
        var config = EngineConfig.Parse(Whole, "cfg.yml");

        var declared = config.Apply([new Engine("a")])[0].Declaration;

        (declared.Id, declared.Help, declared.RunSeconds, declared.Together).ShouldBe(("sSzMfsnBpWVLrhUHw2HP3", "simple hello world engine", 100, true));
        declared.MediaTypes.ShouldBe(["application/json", "image/*"]);
        (config.Lanes, config.LogLevel).ShouldBe((5, LogLevel.Trace));
        config.Idle.ShouldBe(["ENGINE.KAFKA_CONSUMER_POOL"]);
    }

    [Fact]
    public void What_it_leaves_out_is_as_the_code_has_it()
    {
        var config = EngineConfig.Parse("LOG:\n  STDOUT_LEVEL: warning\n", "cfg.yml");

        config.Apply([new Engine("a"), new Engine("b")]).Select(e => e.Declaration).ShouldBe([new Engine("a").Declaration, new Engine("b").Declaration]);
        (config.Lanes, config.LogLevel).ShouldBe((null, LogLevel.Warning));
    }

    [Theory]
    [InlineData("ENGINE:\n  MAX_WORKER: 2\n  DEFAULT_WORKER_COUNT: 3\n", "less than")]
    [InlineData("ENGINE:\n  MAX_WORKER: 0\n", "from 1 to 256")]
    [InlineData("ENGINE:\n  MAX_WORKER: many\n", "from 1 to 256")]
    [InlineData("CLIENT:\n  WORKER_INACTIVE_TIMEOUT: -1\n", "seconds")]
    [InlineData("CLIENT:\n  WORKER_INACTIVE_TIMEOUT: .inf\n", "seconds")]
    [InlineData("LOG:\n  STDOUT_LEVEL: loud\n", "TRACE")]
    [InlineData("INPUTS:\n  TYPES: JSON\n", "list")]
    [InlineData("INPUTS:\n  TYPES: [Sound]\n", "JSON, Image, Video, File")]
    [InlineData("ENGINE:\n  ID: {a: b}\n", "ENGINE.ID")]
    [InlineData("- a\n- b\n", "sections")]
    [InlineData("ENGINE: a\n", "section")]
    [InlineData("", "sections")]
    [InlineData("ENGINE:\n  ID: 'a\n", "YAML")]
    public void What_can_not_be_is_refused(string yaml, string says)
    {
        var refused = Should.Throw<SpotterException>(() => EngineConfig.Parse(yaml, "cfg.yml"));

        (refused.Code, refused.Message.Contains(says, StringComparison.Ordinal)).ShouldBe((ErrorCodes.InvalidSettings, true), refused.Message);
    }

    [Fact]
    public void One_id_is_not_given_to_several_engines() =>
        Should.Throw<SpotterException>(() => EngineConfig.Parse(Whole, "cfg.yml").Apply([new Engine("a"), new Engine("b")])).Message.ShouldContain("several engines");

    [Fact]
    public void Flags_name_the_file_and_count_more()
    {
        using var folder = new TemporaryFolder();
        var file = folder.File("cfg.yml");
        File.WriteAllText(file, Whole);
        string? Variable(string name) => name == "SPOTTER__WORKER__TOKEN" ? "0123456789abcdef0123456789abcdef" : null;

        EngineSettings.Read(["--config", file], Variable, "a").Lanes.ShouldBe(5);
        EngineSettings.Read(["--config", file, "--lanes", "2"], Variable, "a").Lanes.ShouldBe(2);
        EngineSettings.Read([], name => name == "BLUEEDGE_CFG" ? file : Variable(name), "a").Config!.Id.ShouldBe("sSzMfsnBpWVLrhUHw2HP3");
        Should.Throw<SpotterException>(() => EngineSettings.Read(["--config", folder.File("none.yml")], Variable, "a")).Message.ShouldContain("can't be read");
    }

    private sealed class Engine(string name) : IJobEngine
    {
        public EngineDeclaration Declaration { get; } = new(name, "1");

        public Task<JsonObject> RunAsync(EngineWork work, CancellationToken cancel) => throw new NotSupportedException();
    }
}
