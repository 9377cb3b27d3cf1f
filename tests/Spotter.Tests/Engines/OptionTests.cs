using Spotter.Engines.Catalogue;
using Spotter.Engines.Options;

namespace Spotter.Tests.Engines;

/// <summary>What is said of options in several places, and so has to come from one.</summary>
public sealed class OptionTests
{
    public static TheoryData<string> Names => [.. EngineCatalogue.BuiltIn.Options.Select(o => o.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void An_option_is_declared_in_full(string name)
    {
        var option = EngineCatalogue.BuiltIn.Options.Single(o => o.Name == name);

        option.Help.ShouldNotBeEmpty();
        option.Help.ShouldNotEndWith(".");
        option.Values.Words.ShouldNotBeEmpty();
        if (option.Default is { } usual)
            option.Values.Accepts(usual).ShouldBeTrue(usual);
        foreach (var choice in option.Values.Choices ?? [])
            option.Values.Accepts(choice).ShouldBeTrue(choice);
        if (option.Values is { Least: { } least, Most: { } most, Type: OptionType.Whole or OptionType.Number })
        {
            option.Values.Accepts($"{least}").ShouldBeTrue();
            option.Values.Accepts($"{most}").ShouldBeTrue();
            option.Values.Accepts($"{most + 1}").ShouldBeFalse();
        }
    }

    [Fact]
    public void An_option_that_keeps_the_result_has_a_default_that_stands_for_all_its_values() =>
        EngineCatalogue.BuiltIn.Options.Where(o => o.Is(OptionTraits.KeepsResult)).ShouldAllBe(o => o.Default != null);

    [Fact]
    public void Engines_are_registered_in_order_and_once() =>
        EngineCatalogue.BuiltIn.All.Select(e => e.Name).ShouldBe(EngineCatalogue.BuiltIn.All.Select(e => e.Name).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal));

    [Fact]
    public void The_page_of_the_documentation_says_what_is_declared() =>
        File.ReadAllText(Path.Combine(SharedFiles.Repository, "docs", "options.md")).ShouldBe(OptionsTable.Markdown(EngineCatalogue.BuiltIn), "write it anew: ./spotter options >docs/options.md");
}
