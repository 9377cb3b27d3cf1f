using Spotter.Tests.Docs;

namespace Spotter.EndToEnd.Docs;

/// <summary>The docs hold when they are followed: their commands are run against a real service, and their samples compared with its answers.</summary>
public sealed class DocsTests
{
    public static TheoryData<string> Pages => [.. Played.Where(p => !NeedsServers(p) && !NeedsKubectl(p) && !NeedsPython(p))];

    public static TheoryData<string> PagesWithPython => [.. Played.Where(NeedsPython)];

    public static TheoryData<string> PagesWithKubectl => [.. Played.Where(NeedsKubectl)];

    public static TheoryData<string> PagesWithServers => [.. Played.Where(NeedsServers)];

    private static IEnumerable<string> Played => DocsPage.All.Where(p => DocsPage.Read(p).Any(s => s.NotRun is null));

    [Theory]
    [MemberData(nameof(Pages))]
    public Task A_page_holds_in_bash(string page) => DocsRun.PlayAsync(page, DocsPage.Read(page), "bash");

    [ZshTheory]
    [MemberData(nameof(Pages))]
    public Task A_page_holds_in_zsh(string page) => DocsRun.PlayAsync(page, DocsPage.Read(page), "zsh");

    [KubectlTheory]
    [MemberData(nameof(PagesWithKubectl))]
    public Task A_page_with_kubectl_holds_in_bash(string page) => DocsRun.PlayAsync(page, DocsPage.Read(page), "bash");

    [KubectlTheory(inZsh: true)]
    [MemberData(nameof(PagesWithKubectl))]
    public Task A_page_with_kubectl_holds_in_zsh(string page) => DocsRun.PlayAsync(page, DocsPage.Read(page), "zsh");

    [PythonTheory]
    [MemberData(nameof(PagesWithPython))]
    public Task A_page_with_Python_holds_in_bash(string page) => DocsRun.PlayAsync(page, DocsPage.Read(page), "bash");

    [PythonTheory(inZsh: true)]
    [MemberData(nameof(PagesWithPython))]
    public Task A_page_with_Python_holds_in_zsh(string page) => DocsRun.PlayAsync(page, DocsPage.Read(page), "zsh");

    [ServersTheory]
    [MemberData(nameof(PagesWithServers))]
    public Task A_page_with_servers_holds_in_bash(string page) => DocsRun.PlayAsync(page, DocsPage.Read(page), "bash");

    [ServersTheory(inZsh: true)]
    [MemberData(nameof(PagesWithServers))]
    public Task A_page_with_servers_holds_in_zsh(string page) => DocsRun.PlayAsync(page, DocsPage.Read(page), "zsh");

    [Theory]
    [InlineData("false", "false")]
    [InlineData("curl http://127.0.0.1:8080/v1/jobs/0123", "404")]
    [InlineData("echo $UNSET_VARIABLE", "UNSET_VARIABLE")]
    public async Task A_command_that_fails_is_named(string command, string said)
    {
        var wrong = await Should.ThrowAsync<DocsException>(() => DocsRun.PlayAsync("a page", DocsPage.Parse($"```sh\n{command}\n```\n"), "bash"));

        wrong.Message.ShouldContain(said);
        wrong.Message.ShouldContain("a page:1:");
    }

    [Fact]
    public async Task A_sample_that_differs_is_named()
    {
        var steps = DocsPage.Parse("<!-- shows: echo '{\"id\": 1}' -->\n```json\n{\"name\": 1}\n```\n");

        (await Should.ThrowAsync<DocsException>(() => DocsRun.PlayAsync("a page", steps, "bash"))).Message.ShouldContain("has no name in truth");
    }

    /// <summary>What can't be followed here is counted, and printed by <c>./test</c>.</summary>
    [Fact]
    public async Task What_is_not_run_is_known()
    {
        var all = DocsPage.All.SelectMany(page => DocsPage.Read(page).Where(s => s.IsShell || s.NotRun is not null).Select(step => (Page: page, Step: step))).ToList();
        var left = all.Where(a => a.Step.NotRun is not null).ToList();

        left.ShouldAllBe(a => a.Step.NotRun!.Length > 0);
        all.Count.ShouldBeGreaterThan(4 * left.Count, "most of the docs can't be followed");
        if (Environment.GetEnvironmentVariable("SPOTTER_DOCS_TABLE") is { Length: > 0 } table)
        {
            await File.WriteAllLinesAsync(table,
                [$"docs: {all.Count - left.Count} blocks and commands are run, {left.Count} are not:", .. left.Select(a => $"  {a.Page}:{a.Step.Line}: {a.Step.NotRun}")]);
        }
    }

    private static bool NeedsKubectl(string page) =>
        DocsPage.Read(page).Any(s => s is { NotRun: null, IsShell: true } && s.Text.Contains("kubectl ", StringComparison.Ordinal));

    private static bool NeedsPython(string page) =>
        DocsPage.Read(page).Any(s => s is { NotRun: null, IsShell: true } && s.Text.Contains("python3 ", StringComparison.Ordinal));

    private static bool NeedsServers(string page) =>
        DocsPage.Text(page).Contains(DocsWords.PostgresUrl, StringComparison.Ordinal) || DocsPage.Text(page).Contains(DocsWords.Bucket, StringComparison.Ordinal);
}

/// <summary>A test that needs PostgreSQL and a server that speaks S3; counted as skipped without them.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ServersTheoryAttribute : TheoryAttribute
{
    public ServersTheoryAttribute(bool inZsh = false)
    {
        InZsh = inZsh;
        Skip = PostgresCluster.Missing ?? MotoServer.Missing ?? (inZsh ? ZshTheoryAttribute.Missing : null);
    }

    public bool InZsh { get; }
}

/// <summary>A test that needs kubectl, but no cluster; counted as skipped without it.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class KubectlTheoryAttribute : TheoryAttribute
{
    public KubectlTheoryAttribute(bool inZsh = false)
    {
        InZsh = inZsh;
        Skip = !InstalledPrograms.Has("kubectl") ? "there is no kubectl here: install it from https://kubernetes.io/docs/tasks/tools" : inZsh ? ZshTheoryAttribute.Missing : null;
    }

    public bool InZsh { get; }
}

/// <summary>A test that needs Python 3; counted as skipped without it.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class PythonTheoryAttribute : TheoryAttribute
{
    public PythonTheoryAttribute(bool inZsh = false)
    {
        InZsh = inZsh;
        Skip = EngineProcess.Python is null ? "there is no python3 here: install the package python3" : inZsh ? ZshTheoryAttribute.Missing : null;
    }

    public bool InZsh { get; }
}

/// <summary>A test that needs zsh; counted as skipped without it.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ZshTheoryAttribute : TheoryAttribute
{
    public ZshTheoryAttribute() => Skip = Missing;

    public static string? Missing { get; } = InstalledPrograms.Has("zsh") ? null : "there is no zsh here: install the package zsh";
}

/// <summary>What the shell finds.</summary>
internal static class InstalledPrograms
{
    public static bool Has(string name) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries).Any(folder => File.Exists(Path.Combine(folder, name)));
}
