using Spotter.Cli.Settings;
using Spotter.Core;
using Spotter.Core.Settings;

namespace Spotter.Tests.Settings;

public sealed class SettingReaderTests
{
    private static readonly Setting<int> Port = new("port", "Port.", SettingValues.Whole(0, 65535), 8080) { Flag = "--port" };
    private static readonly Setting<int> Days = new("keep.jobsDays", "Days.", SettingValues.Whole(1, 10), 7);
    private static readonly Setting<string> Models = new("models", "Models.", SettingValues.Text("NAME"), "") { IsList = true };
    private static readonly Setting<string?> Secret = new("secret", "Secret.", SettingValues.OptionalText("SECRET"), null) { IsSecret = true };
    private static readonly Setting<string?> SecretFile = new("secretFile", "File.", SettingValues.OptionalText("FILE"), null);

    [Fact]
    public void The_first_source_that_gives_a_setting_counts_and_the_default_where_none_does()
    {
        var flags = new GivenSettings();
        flags.Add("port", "--port", "1");
        var settings = new SettingReader([flags, YamlSettings.Parse("port: 2\nkeep:\n  jobsDays: 3\n", "spotter.yaml")]);

        (settings.Get(Port), settings.Get(Days), settings.GetList(Models).Count).ShouldBe((1, 3, 0));
        new SettingReader([]).Get(Days).ShouldBe(7);
    }

    [Fact]
    public void A_list_of_one_source_replaces_that_of_another_and_does_not_mix_with_it()
    {
        var flags = new GivenSettings();
        flags.Add("models", "--model", "a");
        var yaml = YamlSettings.Parse("models: [b, c]", "spotter.yaml");

        new SettingReader([flags, yaml]).GetList(Models).ShouldBe(["a"]);
        new SettingReader([yaml]).GetList(Models).ShouldBe(["b", "c"]);
    }

    [Fact]
    public void All_mistakes_are_told_at_once_each_with_its_place_and_secrets_are_not_repeated()
    {
        var settings = new SettingReader([YamlSettings.Parse("port: many\nkeep:\n  jobsDays: 99\nsecret: [hush, hush]\n", "spotter.yaml")]);

        settings.Get(Port).ShouldBe(8080);
        settings.Get(Days).ShouldBe(7);
        settings.Get(Secret).ShouldBeNull();

        var refused = Should.Throw<SpotterException>(settings.ThrowIfWrong);
        refused.Code.ShouldBe(ErrorCodes.InvalidSettings);
        refused.Message.ShouldBe(
            "port (spotter.yaml, line 1) takes a number from 0 to 65535, not many. keep.jobsDays (spotter.yaml, line 3) takes a number from 1 to 10, not 99. "
            + "secret (spotter.yaml, line 4) takes one value, and has 2.");
    }

    [Fact]
    public void A_secret_comes_from_a_file_or_is_given_itself_and_the_nearer_place_counts()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("hush"), "from the file\n");
        var flags = new GivenSettings();
        flags.Add("secretFile", "--secret-file", folder.File("hush"));
        var yaml = YamlSettings.Parse("secret: from yaml", "spotter.yaml");

        new SettingReader([flags, yaml]).GetSecret(Secret, SecretFile).ShouldBe("from the file");
        new SettingReader([yaml]).GetSecret(Secret, SecretFile).ShouldBe("from yaml");

        var both = new SettingReader([YamlSettings.Parse($"secret: a\nsecretFile: {folder.File("hush")}", "spotter.yaml")]);
        both.GetSecret(Secret, SecretFile);
        both.Mistakes.ShouldHaveSingleItem().ShouldContain("both given");

        var missing = GivenSettings.Reader(("secretFile", folder.File("none")));
        missing.GetSecret(Secret, SecretFile).ShouldBeNull();
        missing.Mistakes.ShouldHaveSingleItem().ShouldStartWith("There is no file ");
        missing.Mistakes[0].ShouldEndWith("correct the name, or write the secret into such a file.");
    }

    [Theory]
    [InlineData("port: 1\nport: 2", "uplicate")]
    [InlineData("port: 1\nPORT: 2", "given twice")]
    [InlineData("- a", "no settings")]
    [InlineData("keep.jobsDays: 1", "no name of a setting")]
    [InlineData("models: [[a]]", "list of texts")]
    [InlineData("port: [", "no YAML")]
    [InlineData("a: 1\n---\nb: 2", "2 documents")]
    [InlineData("log: &x\n  y: *x", "line 1: anchors")]
    [InlineData("a: {b: {c: {d: {e: {f: {g: {h: {i: 1}}}}}}}}", "8 levels")]
    public void A_file_that_is_no_settings_file_is_refused(string text, string why)
    {
        var refused = Should.Throw<SpotterException>(() => YamlSettings.Parse(text, "spotter.yaml"));
        refused.Code.ShouldBe(ErrorCodes.InvalidSettings);
        refused.Message.ShouldContain(why);
        refused.Message.ShouldContain("spotter.yaml");
    }

    [Fact]
    public void What_no_stack_and_no_memory_holds_is_refused_before_it_is_built()
    {
        var doubling = string.Join('\n', Enumerable.Range(1, 30).Select(i => $"a{i}: &a{i} {{x: *a{i - 1}, y: *a{i - 1}}}").Prepend("a0: &a0 {x: 1, y: 2}"));
        foreach (var text in (string[])[$"a: {new string('[', 100_000)}", string.Concat(Enumerable.Repeat("{a: ", 50_000)), doubling])
            Should.Throw<SpotterException>(() => YamlSettings.Parse(text, "spotter.yaml")).Code.ShouldBe(ErrorCodes.InvalidSettings);
    }

    [Fact]
    public void A_secret_that_was_written_without_quotes_is_not_repeated()
    {
        var unquoted = Should.Throw<SpotterException>(() => YamlSettings.Parse("worker:\n  token: *hunter2", "spotter.yaml"));
        unquoted.Message.ShouldNotContain("hunter2");

        using var folder = new TemporaryFolder();
        foreach (var text in (string[])["worker:\n  token: {hunter2}", "webhooks:\n  secret:\n    hunter2: x"])
        {
            File.WriteAllText(folder.File("spotter.yaml"), text);
            var settings = Open(folder.File("spotter.yaml"));
            settings.Mistakes.ShouldHaveSingleItem().ShouldNotContain("hunter2");
            settings.Mistakes[0].ShouldContain("not settings below it");
        }
    }

    [Theory]
    [InlineData("scaling:\n# minWorkers: 1\npools:\n", null)]
    [InlineData("pools: {}", null)]
    [InlineData("scaling: 3", "scaling (spotter.yaml, line 1) is no setting")]
    [InlineData("pools: [a, b]", "takes the name of each pool")]
    [InlineData("pools:\n  a: max=2", "pools.a (spotter.yaml, line 2) takes settings below it")]
    [InlineData("host:", "has none")]
    [InlineData("max_queued: 3", "perhaps maxQueued is meant")]
    public void What_is_not_as_it_should_be_is_told_and_an_empty_section_is_nothing(string text, string? said)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("spotter.yaml"), text);
        var settings = Open(folder.File("spotter.yaml"));
        PoolSection.Read(settings, new() { Max = 4 });
        settings.Get(new Setting<string>("host", "Host.", SettingValues.Text("NAME"), "x"));

        if (said is null)
            settings.Mistakes.ShouldBeEmpty();
        else
            settings.Mistakes.ShouldHaveSingleItem().ShouldContain(said);
    }

    [Theory]
    [InlineData("SPOTTER__PORT", true)]
    [InlineData("SPOTTER__KEEP__JOBSDAYS", true)]
    [InlineData("SPOTTER__POOLS__GPU__MAX", true)]
    [InlineData("SPOTTER__PROT", false)]
    [InlineData("SPOTTER__KEEP__FOO", false)]
    [InlineData("SPOTTER__KEEP", false)]
    [InlineData("SPOTTER__WORKER__TOKN", false)]
    [InlineData("SPOTTER__POOLS__GPU__MOST", false)]
    [InlineData("SPOTTER__POOLS", false)]
    [InlineData("SPOTTER__ADOPTBLOBS", false)]
    public void A_variable_is_known_by_its_whole_name(string variable, bool isKnown) => SettingList.HasVariable(variable).ShouldBe(isKnown);

    [Theory]
    [InlineData("")]
    [InlineData("# nothing\n")]
    [InlineData("---\n")]
    public void An_empty_file_sets_nothing(string text) => YamlSettings.Parse(text, "spotter.yaml").Keys.ShouldBeEmpty();

    [Fact]
    public void Pools_of_a_file_read_like_those_of_the_command_line_also_one_without_settings()
    {
        var settings = new SettingReader([YamlSettings.Parse("pools:\n  gpu:\n    models: [a]\n    max: 2\n  rest:\n", "spotter.yaml")]);
        var pools = PoolSection.Read(settings, new() { Max = 4 });

        settings.ThrowIfWrong();
        pools.Select(p => (p.Name, p.Models.Count, p.Scaling.Max)).ShouldBe([("gpu", 1, 2), ("rest", 0, 4)]);
    }

    [Fact]
    public void Every_setting_has_a_key_and_a_flag_of_its_own()
    {
        SettingList.All.Select(s => s.Key).ShouldBeUnique(StringComparer.Ordinal);
        SettingList.OfGateway.Concat(ScalingSection.All).Select(s => s.Flag).OfType<string>().ShouldBeUnique(StringComparer.Ordinal);
        foreach (var setting in SettingList.All.Where(s => s.IsSecret))
            (setting.Flag is null or "--postgres" or "--redis" or "--s3-endpoint").ShouldBeTrue(setting.Key);
    }

    [Fact]
    public void The_page_about_settings_is_as_they_are_declared() =>
        File.ReadAllText(Path.Combine(SharedFiles.Repository, "docs/settings.md")).ShouldBe(SettingsPage.Markdown(), "run ./spotter settings >docs/settings.md");

    private static SettingReader Open(string file)
    {
        var flags = new GivenSettings();
        flags.Add("config", "--config", file);
        return SettingSources.Open(flags);
    }
}
