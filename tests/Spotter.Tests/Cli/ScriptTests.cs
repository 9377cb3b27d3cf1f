using System.Runtime.Versioning;

namespace Spotter.Tests.Cli;

/// <summary>The start script in a small checkout of its own, where the tools that it calls only note that they were called.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class ScriptTests : IDisposable
{
    private const string FakeDotnet = """
        #!/bin/bash
        case $1 in
          --list-sdks) echo "${FAKE_SDKS:-10.0.100 [/sdk]}" ;;
          build)
            echo "dotnet build" >>"$FAKE_CALLS"
            echo "said by the build"
            [ -z "${FAKE_FAILURE:-}" ] || exit 1
            mkdir -p "$FAKE_ROOT/src/Spotter.Cli/bin/Release/net10.0" "$FAKE_ROOT/src/Spotter.Cli/obj"
            touch "$FAKE_ROOT/src/Spotter.Cli/bin/Release/net10.0/spotter.dll" ;;
          *) shift; echo "started in $PWD with $*" ;;
        esac
        """;

    private const string FakeNpm = """
        #!/bin/bash
        echo "npm $1 in ${PWD##*/}" >>"$FAKE_CALLS"
        case $1 in
          ci) mkdir -p node_modules; touch node_modules/fetched ;;
          run) mkdir -p ../src/Spotter.Gateway/wwwroot; touch ../src/Spotter.Gateway/wwwroot/index.html ;;
        esac
        """;

    private const string FakeNode = """
        #!/bin/bash
        echo "${FAKE_NODE:-v20.19.0}"
        """;

    private readonly TemporaryFolder folder = new();
    private readonly Dictionary<string, string> environment;

    public ScriptTests()
    {
        foreach (var name in (string[])["spotter", "tools/prepare.sh"])
            Executable("checkout/" + name, File.ReadAllText(Path.Combine(SharedFiles.Repository, name)));
        foreach (var name in (string[])[
            "src/Spotter.Cli/Program.cs", "web/package.json", "web/package-lock.json", "web/src/main.ts",
            "global.json", "Directory.Build.props", "Directory.Build.targets", "Directory.Packages.props", ".editorconfig", "BannedSymbols.txt"])
        {
            folder.File("checkout/" + name);
        }
        Executable("bin/dotnet", FakeDotnet);
        Executable("bin/npm", FakeNpm);
        Executable("bin/node", FakeNode);
        environment = new(StringComparer.Ordinal)
        {
            ["PATH"] = $"{Path.Combine(folder.Path, "bin")}:/usr/bin:/bin",
            ["HOME"] = folder.Path,
            ["FAKE_CALLS"] = Path.Combine(folder.Path, "calls"),
            ["FAKE_ROOT"] = Checkout,
        };
    }

    private string Checkout => Path.Combine(folder.Path, "checkout");

    private string Script => Path.Combine(Checkout, "spotter");

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task The_first_start_fetches_and_builds_and_the_second_only_starts()
    {
        var first = await StartAsync("detect", "a b.jpg", "--json");
        first.Status.ShouldBe(0, first.Errors);
        first.Output.Trim().ShouldBe($"started in {Environment.CurrentDirectory} with detect a b.jpg --json");
        first.ErrorLines().Count.ShouldBe(2);
        Calls().ShouldBe(["npm ci in web", "npm run in web", "dotnet build"]);

        var second = await StartAsync("detect");
        second.Status.ShouldBe(0);
        second.Errors.ShouldBeEmpty();
        Calls().ShouldBeEmpty();
    }

    [Theory]
    [InlineData("src/Spotter.Cli/Program.cs", "dotnet build")]
    [InlineData("web/src/main.ts", "npm ci in web,npm run in web,dotnet build")]
    [InlineData("web/package-lock.json", "npm ci in web,npm run in web,dotnet build")]
    [InlineData("src/Spotter.Cli/obj/project.assets.json", "")]
    public async Task Only_what_is_out_of_date_is_made_again(string changed, string calls)
    {
        await StartAsync();
        Calls();
        Touch(changed);

        await StartAsync();
        string.Join(',', Calls()).ShouldBe(calls);
    }

    [Fact]
    public async Task A_deleted_source_is_a_change()
    {
        folder.File("checkout/src/Spotter.Cli/Old.cs");
        await StartAsync();
        Calls();
        File.Delete(Path.Combine(Checkout, "src/Spotter.Cli/Old.cs"));
        Directory.SetLastWriteTimeUtc(Path.Combine(Checkout, "src/Spotter.Cli"), Later());

        await StartAsync();
        Calls().ShouldBe(["dotnet build"]);
    }

    [Fact]
    public async Task It_works_through_links_and_from_any_folder()
    {
        Directory.CreateDirectory(Path.Combine(folder.Path, "links"));
        File.CreateSymbolicLink(Path.Combine(folder.Path, "links", "inner"), "../checkout/spotter");
        var outer = File.CreateSymbolicLink(Path.Combine(folder.Path, "outer"), Path.Combine(folder.Path, "links", "inner")).FullName;

        var ran = await SpotterProgram.StartAsync(outer, [], environment);
        ran.Status.ShouldBe(0, ran.Errors);
        ran.Output.ShouldStartWith("started in");
    }

    [Fact]
    public async Task Several_starts_at_once_build_once()
    {
        var runs = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => StartAsync()));

        runs.ShouldAllBe(ran => ran.Status == 0);
        Calls().Count(call => call.StartsWith("dotnet", StringComparison.Ordinal)).ShouldBe(1);
    }

    [Fact]
    public async Task A_failing_build_shows_what_it_said_and_is_tried_again()
    {
        environment["FAKE_FAILURE"] = "1";
        var failed = await StartAsync();
        failed.Status.ShouldBe(1);
        failed.Output.ShouldBeEmpty();
        failed.Errors.ShouldContain("said by the build");
        failed.ErrorLines()[^1].ShouldStartWith("spotter: this failed: building the program");

        environment.Remove("FAKE_FAILURE");
        Calls();
        (await StartAsync()).Status.ShouldBe(0);
        Calls().ShouldBe(["dotnet build"]);
    }

    [Theory]
    [InlineData("FAKE_SDKS", "9.0.100 [/sdk]", "the .NET 10 SDK is missing")]
    [InlineData("FAKE_NODE", "v18.19.0", "Node.js is 18.19.0, but 20 or newer is needed")]
    public async Task What_has_to_be_installed_is_said_in_one_line(string variable, string value, string message)
    {
        await StartAsync();
        Calls();
        environment[variable] = value;
        Touch(variable == "FAKE_NODE" ? "web/src/main.ts" : "src/Spotter.Cli/Program.cs");

        var ran = await StartAsync();
        ran.Status.ShouldBe(1);
        ran.ErrorLines().ShouldHaveSingleItem().ShouldStartWith($"spotter: {message}");
        Calls().ShouldBeEmpty();
    }

    [Fact]
    public async Task Without_building_what_is_there_is_started()
    {
        environment["SPOTTER_NO_BUILD"] = "1";
        (await StartAsync()).Status.ShouldBe(1);

        environment.Remove("SPOTTER_NO_BUILD");
        await StartAsync();
        Calls();
        Touch("src/Spotter.Cli/Program.cs");
        environment["SPOTTER_NO_BUILD"] = "1";
        (await StartAsync()).Status.ShouldBe(0);
        Calls().ShouldBeEmpty();
    }

    [Theory]
    [InlineData("trx 0 {trx} unit\nvitest 0 {vitest} web", "3 passed, 0 failed, 2 skipped", 0)]
    [InlineData("trx 1 {trx} unit", "1 passed, 1 failed, 1 skipped", 1)] // the run failed, but no test did
    [InlineData("trx 1 {trx-failed} unit", "1 passed, 1 failed, 0 skipped", 1)]
    [InlineData("trx 0 {trx-aborted} unit", "1 passed, 1 failed, 0 skipped", 1)]
    [InlineData("trx 0 {trx} unit\nvitest 0 /missing web", "1 passed, 1 failed, 1 skipped", 1)]
    [InlineData("vitest 124 {missing} web", "0 passed, 1 failed, 0 skipped", 1)]
    [InlineData("trx 0 {trx-empty} unit", "0 passed, 0 failed, 0 skipped", 1)]
    public async Task The_tests_are_added_up(string outcomes, string sum, int status)
    {
        const string Passed = """<UnitTestResult testName="A" outcome="Passed" />""";
        const string Failed = """<UnitTestResult testName="B(x: &quot;&lt;&quot;)" outcome="Failed"><Output><ErrorInfo><Message>no</Message></ErrorInfo></Output></UnitTestResult>""";
        const string Skipped = """<UnitTestResult testName="C" outcome="NotExecuted"><Output><ErrorInfo><Message>because</Message></ErrorInfo></Output></UnitTestResult>""";
        const string Aborted = """<RunInfo outcome="Error" timestamp="now"><Text>The active test run was aborted. Reason: Test host process crashed</Text></RunInfo>""";
        Report("trx", Passed + Skipped);
        Report("trx-failed", Passed + Failed);
        Report("trx-aborted", Passed + Aborted);
        Report("trx-empty", "<TestRun />");
        Report("vitest", """{"testResults":[{"name":"a.ts","status":"passed","assertionResults":[{"fullName":"p","status":"passed"},{"fullName":"q","status":"passed"},{"fullName":"s","status":"skipped"}]}]}""");
        var file = folder.File("outcomes", System.Text.Encoding.UTF8.GetBytes(outcomes));

        var ran = await SpotterProgram.StartAsync(
            "node", [Path.Combine(SharedFiles.Repository, "tools", "tally.mjs"), file], new(StringComparer.Ordinal));

        ran.Output.TrimEnd().Split('\n')[^1].ShouldBe(sum, ran.Errors);
        ran.Status.ShouldBe(status);

        void Report(string name, string content)
        {
            var path = folder.File(name, System.Text.Encoding.UTF8.GetBytes(content));
            outcomes = outcomes.Replace($"{{{name}}}", path, StringComparison.Ordinal);
        }
    }

    private Task<Ran> StartAsync(params string[] arguments) => SpotterProgram.StartAsync(Script, arguments, environment);

    /// <summary>Which tools were called since the last time this was asked.</summary>
    private string[] Calls()
    {
        var calls = environment["FAKE_CALLS"];
        var lines = File.Exists(calls) ? File.ReadAllLines(calls) : [];
        File.Delete(calls);
        return lines;
    }

    private void Touch(string name) => File.SetLastWriteTimeUtc(folder.File("checkout/" + name), Later());

    // Later than any build so far, on file systems with coarse times as well.
    private static DateTime Later() => TimeProvider.System.GetUtcNow().UtcDateTime + TimeSpan.FromMinutes(1);

    private void Executable(string name, string content)
    {
        var path = folder.File(name, System.Text.Encoding.UTF8.GetBytes(content));
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}
