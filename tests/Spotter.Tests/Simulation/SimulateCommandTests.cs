using System.Globalization;
using System.Text.Json;
using System.Xml.Linq;
using Spotter.Tests.Cli;
using Spotter.Tests.Docs;

namespace Spotter.Tests.Simulation;

public sealed class SimulateCommandTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task All_policies_come_in_one_table_with_the_best_possible_on_top()
    {
        var ran = await SpotterProgram.RunAsync("simulate", "--trace", "burst30", "--repeat", "1");

        ran.Status.ShouldBe(0, ran.Errors);
        var rows = ran.Output.Split('\n').SkipWhile(line => !line.StartsWith("policy ", StringComparison.Ordinal)).Skip(1).TakeWhile(line => line.Length > 0).ToList();
        rows[0].ShouldStartWith("clairvoyant");
        foreach (var policy in (string[])["spotter", "controller", "backlog-per-instance", "list-length", "cpu", "fixed-20"])
            rows.ShouldContain(row => row.StartsWith(policy + " ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Json_has_the_figures_of_a_file()
    {
        var file = folder.File("trace.csv");
        await File.WriteAllTextAsync(file, "time,service\n0,2\n1,2\n100,4\n");

        var ran = await SpotterProgram.RunAsync("simulate", "--trace", file, "--policy", "spotter", "--policy", "controller", "--price", "3.6", "--boot", "10", "--json");

        ran.Status.ShouldBe(0, ran.Errors);
        var report = ran.Json().ShouldHaveSingleItem();
        report.GetProperty("jobs").GetInt32().ShouldBe(3);
        var policies = report.GetProperty("policies").EnumerateArray().ToList();
        policies.Select(p => p.GetProperty("policy").GetString()).ShouldBe(["clairvoyant", "spotter", "controller"]);
        foreach (var policy in policies)
        {
            policy.GetProperty("unfinished").GetDouble().ShouldBe(0);
            policy.GetProperty("costRatio").GetDouble().ShouldBeGreaterThanOrEqualTo(1);
            policy.GetProperty("billRatio").GetDouble().ShouldBeGreaterThanOrEqualTo(1);
            policy.GetProperty("cost").GetDouble().ShouldBe(policy.GetProperty("workerSeconds").GetDouble() / 1000, tolerance: 1e-9);
            policy.GetProperty("wait").GetProperty("p99").GetDouble().ShouldBeGreaterThan(5);
        }
    }

    [Fact]
    public async Task A_day_of_any_scale_is_run_by_the_policy_and_has_its_bill()
    {
        string[] call = ["simulate", "--scale", "0", "--scale", "2000", "--scale", "200000", "--service", "0.2", "--lanes", "2", "--price", "0.1", "--json"];
        var ran = await SpotterProgram.RunAsync(call);

        ran.Status.ShouldBe(0, ran.Errors);
        var days = ran.Json().ToList();
        days.Select(d => d.GetProperty("jobsPerDay").GetInt32()).ShouldBe([0, 2000, 200_000]);
        days.Select(Sum).ShouldBeInOrder();
        double.Abs(days[2].GetProperty("jobs").GetDouble() - 200_000).ShouldBeLessThan(2000);
        (days[0].GetProperty("workers").GetDouble(), days[0].GetProperty("mostWorkers").GetDouble()).ShouldBe((0, 0));
        // Two lanes of 0.2 s: all work done by machines that never wait costs so much at least.
        days[2].GetProperty("workers").GetDouble().ShouldBeGreaterThan(200_000 * 0.2 / 2 / 3600 * 0.1 * 0.95);
        var bill = days[2].GetProperty("bill");
        bill.GetProperty("sum").GetDouble().ShouldBe(((string[])["table", "queues", "pictures", "gateways", "balancers"]).Sum(part => bill.GetProperty(part).GetDouble()), tolerance: 1e-9);
        (await SpotterProgram.RunAsync(call)).Output.ShouldBe(ran.Output);

        static double Sum(JsonElement day) => day.GetProperty("sum").GetDouble();
    }

    [Fact]
    public async Task The_bill_in_the_docs_is_what_the_command_prints()
    {
        const string Section = "## What a day costs";
        var section = DocsPage.Text("docs/aws.md").Split(Section)[1].Split("\n## ")[0];
        var call = section.Split("./spotter ")[1].Split('\n')[0].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var rows = section.Split('\n').Where(line => line.StartsWith("| ", StringComparison.Ordinal) && line.Contains('$', StringComparison.Ordinal) && char.IsAsciiDigit(line[2]))
            .Select(line => line.Split('|', StringSplitOptions.TrimEntries)).ToDictionary(cells => cells[1].Replace(",", "", StringComparison.Ordinal), StringComparer.Ordinal);
        // The largest day takes half a minute.
        const string Largest = "10000000";
        rows.ShouldContainKey(Largest);

        var ran = await SpotterProgram.RunAsync([.. Without(call, Largest), "--json"]);

        var days = ran.Json().ToList();
        days.Count.ShouldBe(rows.Count - 1);
        foreach (var day in days)
        {
            var row = rows[day.GetProperty("jobsPerDay").GetInt32().ToString(CultureInfo.InvariantCulture)];
            row[10].ShouldBe(string.Create(CultureInfo.InvariantCulture, $"${day.GetProperty("sum").GetDouble():0.00}"));
            row[2].ShouldBe(string.Create(CultureInfo.InvariantCulture, $"{day.GetProperty("meanWorkers").GetDouble():0.0}, {day.GetProperty("mostWorkers").GetDouble():0}"));
        }

        static IEnumerable<string> Without(string[] call, string scale) =>
            call.Where((word, i) => !(word == scale && call[i - 1] == "--scale") && !(word == "--scale" && call[i + 1] == scale));
    }

    [Fact]
    public async Task The_plot_is_one_file_that_needs_no_other()
    {
        var (svg, html) = (folder.File("plot.svg"), folder.File("plot.html"));

        (await SpotterProgram.RunAsync("simulate", "--trace", "flash", "--policy", "spotter", "--policy", "list-length", "--plot", svg)).Status.ShouldBe(0);
        (await SpotterProgram.RunAsync("simulate", "--trace", "flash", "--policy", "spotter", "--plot", html)).Status.ShouldBe(0);

        var drawing = XDocument.Parse(await File.ReadAllTextAsync(svg));
        drawing.Root!.Name.LocalName.ShouldBe("svg");
        drawing.Descendants().Where(e => e.Attribute("class")?.Value == "title").Select(e => e.Value).ShouldBe(["flash: " + Jobs(drawing), "spotter", "list-length"]);
        drawing.Descendants().Where(e => e.Attribute("class")?.Value == "wanted").Count(e => e.Attribute("d")!.Value.Length > 50).ShouldBe(2);
        var page = await File.ReadAllTextAsync(html);
        page.ShouldContain("<table>");
        page.ShouldContain("<svg");
        page.Replace("http://www.w3.org/2000/svg", "", StringComparison.Ordinal).ShouldNotContain("http");
    }

    [Theory]
    [InlineData("no-such-file.csv")]
    [InlineData("burst0")]
    public async Task A_trace_that_is_not_there_is_one_line_and_status_1(string trace)
    {
        var ran = await SpotterProgram.RunAsync("simulate", "--trace", trace);

        ran.Status.ShouldBe(1);
        ran.Output.ShouldBeEmpty();
        ran.ErrorLines().ShouldHaveSingleItem().ShouldContain(trace);
    }

    [Fact]
    public async Task A_policy_that_is_not_there_is_refused_with_those_that_are()
    {
        var ran = await SpotterProgram.RunAsync("simulate", "--trace", "burst30", "--policy", "magic");

        ran.Status.ShouldBe(1);
        ran.ErrorLines().ShouldHaveSingleItem().ShouldContain("spotter-fast");
    }

    [Fact]
    public async Task A_day_of_arrivals_is_simulated()
    {
        var lines = Enumerable.Range(0, 288).Select(i => string.Create(CultureInfo.InvariantCulture, $"{i * 300},{(int)(40 + (35 * Math.Sin(i / 46.0)))}\n"));
        var file = folder.File("day.csv");
        await File.WriteAllTextAsync(file, "time,count\n" + string.Concat(lines));

        var ran = await SpotterProgram.RunAsync("simulate", "--trace", file, "--policy", "spotter", "--repeat", "1", "--json");

        ran.Status.ShouldBe(0, ran.Errors);
        ran.Json()[0].GetProperty("seconds").GetDouble().ShouldBe(86_400);
        ran.Json()[0].GetProperty("policies")[1].GetProperty("interrupted").GetDouble().ShouldBe(0);
    }

    private static string Jobs(XDocument drawing) =>
        drawing.Descendants().First(e => e.Attribute("class")?.Value == "title").Value["flash: ".Length..];
}
