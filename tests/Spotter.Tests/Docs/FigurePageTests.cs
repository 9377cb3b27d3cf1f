using Spotter.Benchmarks.Results;

namespace Spotter.Tests.Docs;

/// <summary>The figures of the docs are those that were measured.</summary>
public sealed class FigurePageTests
{
    [Fact]
    public void The_page_is_made_of_the_results() =>
        DocsPage.Text("docs/performance.md").ShouldBe(FigurePage.Read(SharedFiles.Repository), "run benchmarks/run docs");

    [Fact]
    public void A_figure_is_the_median_of_its_runs_in_the_form_that_the_page_wants() =>
        FigurePage.Render("{{a.rate:N0}} a second, {{a.rate/b.rate:0.0}} times.\n{{sources}}\n", Files()).ShouldBe(FigurePage.Note + """
            2,000 a second, 4.0 times.
            | figures | taken by | commit | on |
            |---|---|---|---|
            | `a` | benchmarks/run a | 1234567 | 2026-01-01 |
            | `b` | benchmarks/run b | 1234567 | 2026-01-01 |

            """);

    [Theory]
    [InlineData("{{a.other:0}}", "no such figure")]
    [InlineData("{{c.rate:0}}", "there is no benchmarks/results/c.json")]
    [InlineData("{{a.rate}}", "This is no figure: {{a.rate}}")]
    public void A_page_that_shows_what_was_not_measured_is_not_made(string text, string sentence) =>
        Should.Throw<FormatException>(() => FigurePage.Render(text, Files())).Message.ShouldContain(sentence);

    [Fact]
    public void Runs_of_one_program_and_command_are_kept_together()
    {
        var first = File("a", 1);

        File("a", 2).After(first).Figures["rate"].ShouldBe([1, 2]);
        File("a", 2).After(null).Figures["rate"].ShouldBe([2]);
        (File("a", 2) with { Commit = "7654321" }).After(first).Figures["rate"].ShouldBe([2]);
        (File("a", 2) with { Command = "benchmarks/run a --seconds 9" }).After(first).Figures["rate"].ShouldBe([2]);
    }

    [Fact]
    public void What_is_written_is_read()
    {
        using var folder = new TemporaryFolder();
        File("a", 1.5, 2).Write(folder.File("a.json"));

        var read = FigureFile.ReadAll(folder.Path).ShouldHaveSingleItem();
        (read.Key, read.Value.Commit).ShouldBe(("a", "1234567"));
        read.Value.Figures["rate"].ShouldBe([1.5, 2]);
    }

    private static SortedDictionary<string, FigureFile> Files() =>
        new(StringComparer.Ordinal) { ["a"] = File("a", 3000, 1000, 2000), ["b"] = File("b", 500) };

    private static FigureFile File(string name, params double[] values) =>
        new($"benchmarks/run {name}", "1234567", "2026-01-01", "a machine", new(StringComparer.Ordinal) { ["rate"] = values });
}
