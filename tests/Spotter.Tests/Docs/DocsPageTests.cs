using Spotter.Core;
using Spotter.Vision.Models;

namespace Spotter.Tests.Docs;

/// <summary>What the pages' sources say to the tests that follow them.</summary>
public sealed class DocsPageTests
{
    // What a reader copies and a program reads: each sample has to say what reads it, or what prints it.
    private static readonly string[] Read = ["json", "yaml"];

    public static TheoryData<string> Pages => [.. DocsPage.All];

    [Theory]
    [MemberData(nameof(Pages))]
    public void What_is_not_run_has_a_reason(string page) =>
        DocsPage.Read(page).Where(s => s.NotRun is "").Select(s => $"{page}:{s.Line}").ShouldBeEmpty();

    [Theory]
    [MemberData(nameof(Pages))]
    public void Every_sample_is_read_or_printed_by_something(string page) =>
        DocsPage.Read(page).Where(s => Read.Contains(s.Language, StringComparer.Ordinal) && s.File is null && s.Shows is null && s.NotRun is null)
            .Select(s => $"{page}:{s.Line} needs <!-- file: NAME --> or <!-- shows: COMMAND --> before it").ShouldBeEmpty();

    [Fact]
    public void What_is_said_beside_a_model_is_read()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("names.txt"), "bolt\nnut\n");
        var samples = DocsPage.Read("docs/models.md").Where(s => s.Language == "yaml").ToList();
        samples.Count.ShouldBeGreaterThan(3);
        foreach (var sample in samples)
        {
            File.WriteAllText(folder.File(sample.File!), sample.Text);
            ModelOverrides.Of(folder.File("mine.onnx")).ShouldNotBe(ModelOverrides.None, $"docs/models.md:{sample.Line}");
        }
        File.WriteAllText(folder.File("mine.yaml"), samples[0].Text.Replace("task", "tasks", StringComparison.Ordinal));
        Should.Throw<SpotterException>(() => ModelOverrides.Of(folder.File("mine.onnx"))).Message.ShouldContain("tasks");
    }

    [Fact]
    public void A_page_is_its_blocks_its_rows_and_what_is_said_of_them()
    {
        var steps = DocsPage.Parse("""
            | `./spotter serve` | starts |
            | `./spotter stop` | stops <!-- not run: there is no such thing --> |

            <!-- run: touch here -->
            <!-- file: a.json -->
            ```json
            {}
            ```

            ```console
            $ ./spotter list
            name
            ```

            """);

        steps.Select(s => (s.Line, s.Language, s.Text, s.NotRun, s.File)).ShouldBe([
            (1, "sh", "./spotter serve\n", null, null),
            (2, "sh", "./spotter stop\n", "there is no such thing", null),
            (4, "sh", "touch here\n", null, null),
            (6, "json", "{}\n", null, "a.json"),
            (10, "console", "$ ./spotter list\nname\n", null, null)]);
        steps[^1].Commands.ShouldBe(["./spotter list"]);
    }

    [Theory]
    [InlineData("<!-- not run: why -->\nA sentence.\n", "has no block")]
    [InlineData("```sh\nls\n", "has no end")]
    public void A_page_that_says_nothing_clear_is_refused(string text, string sentence) =>
        Should.Throw<FormatException>(() => DocsPage.Parse(text)).Message.ShouldContain(sentence);
}
