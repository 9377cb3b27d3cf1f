using System.Text.Json;
using Spotter.Tests.Cli;

namespace Spotter.Tests.Load;

public sealed class LoadCommandTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public LoadCommandTests() => Write("pictures/a.jpg", [1, 2, 3]);

    [Theory]
    [InlineData("--concurrency", "4")]
    [InlineData("--burst")]
    [InlineData("--rate", "2000")]
    [InlineData("--rate", "2000", "--arrivals", "even")]
    public async Task An_honest_service_passes_although_it_refuses_and_breaks_connections(params string[] how)
    {
        await using var service = await FakeService.StartAsync(breaksEvery: 17, refusesEvery: 23);

        var (status, figures, errors) = await LoadAsync(service, 200, [.. how, "--repeat", "0.2"]);

        status.ShouldBe(0, errors);
        errors.ShouldBeEmpty();
        Number(figures, "accepted").ShouldBe(200);
        Number(figures, "lost").ShouldBe(0);
        Number(figures, "doubled").ShouldBe(0);
        Number(figures, "repeated").ShouldBe(40);
        Number(figures, "broken").ShouldBeGreaterThan(0);
        figures.GetProperty("refused").GetProperty("rate_limited").GetInt32().ShouldBeGreaterThan(0);
        figures.GetProperty("states").GetProperty("succeeded").GetInt32().ShouldBe(200);
        service.Jobs.ShouldBe(200);
        service.WithReuse.ShouldBeGreaterThanOrEqualTo(200);
    }

    [Theory]
    [InlineData(Lie.NeverEndsSome, "lost")]
    [InlineData(Lie.ForgetsSome, "lost")]
    [InlineData(Lie.MakesTwoJobsOfSome, "doubled")]
    [InlineData(Lie.GivesOneJobToTwo, "doubled")]
    [InlineData(Lie.ChangesSomeAfterTheirEnd, "doubled")]
    [InlineData(Lie.ForgetsKeys, "doubled")]
    public async Task A_service_that_lies_is_caught(Lie lie, string as_)
    {
        await using var service = await FakeService.StartAsync(lie, breaksEvery: 17);

        var (status, figures, errors) = await LoadAsync(service, 100, "--burst", "--timeout", "2");

        status.ShouldBe(1);
        Number(figures, as_).ShouldBeInRange(3, 20);
        Number(figures, as_ == "lost" ? "doubled" : "lost").ShouldBe(0);
        errors.ShouldContain($"{Number(figures, "lost")} lost and {Number(figures, "doubled")} doubled");
    }

    [Fact]
    public async Task Stored_answers_are_refused_where_the_service_knows_how_and_taken_when_asked_for()
    {
        await using var old = await FakeService.StartAsync(knowsReuse: false);
        (await LoadAsync(old, 20, "--burst")).Status.ShouldBe(0);
        old.Jobs.ShouldBe(20);

        await using var service = await FakeService.StartAsync();
        (await LoadAsync(service, 20, "--burst", "--reuse")).Status.ShouldBe(0);
        service.WithReuse.ShouldBe(0);
    }

    [Fact]
    public async Task A_recorded_ledger_finds_out_later_what_has_changed()
    {
        await using var service = await FakeService.StartAsync(Lie.ChangesSomeAfterTheirEnd);
        var ledger = Path.Combine(folder.Path, "ledger.jsonl");
        await LoadAsync(service, 50, "--burst", "--record", ledger);

        var check = await SpotterProgram.RunAsync("load", "--check", ledger, "--json");

        check.Status.ShouldBe(1);
        Number(check.Json().ShouldHaveSingleItem(), "doubled").ShouldBe(5);
    }

    [Fact]
    public async Task A_key_is_shown_from_the_environment_or_a_file_and_asked_for_when_there_is_none()
    {
        await using var service = await FakeService.StartAsync(key: "secret");
        var without = await SpotterProgram.RunAsync(Arguments(service, 5));
        without.Status.ShouldBe(1);
        without.ErrorLines().ShouldHaveSingleItem().ShouldContain("SPOTTER__KEY");

        (await SpotterProgram.RunWithAsync(new(StringComparer.Ordinal) { ["SPOTTER__KEY"] = "secret" }, Arguments(service, 5))).Status.ShouldBe(0);
        var file = Write("key", "secret\n"u8.ToArray());
        (await SpotterProgram.RunAsync([.. Arguments(service, 5), "--key-file", file])).Status.ShouldBe(0);
    }

    [Fact]
    public async Task People_get_a_table()
    {
        await using var service = await FakeService.StartAsync();

        var ran = await SpotterProgram.RunAsync("load", "--url", service.Address, "--images", Path.Combine(folder.Path, "pictures"), "--jobs", "30");

        ran.Status.ShouldBe(0, ran.Errors);
        ran.Output.ShouldContain("p50");
        ran.Output.ShouldContain("lost");
        ran.Output.ShouldContain("doubled");
        ran.Errors.ShouldBeEmpty();
    }

    [Fact]
    public async Task Nobody_there_is_said_at_once()
    {
        var ran = await SpotterProgram.RunAsync("load", "--url", "http://127.0.0.1:1", "--images", folder.Path);

        ran.Status.ShouldBe(1);
        ran.ErrorLines().ShouldHaveSingleItem().ShouldContain("--url");
    }

    [Fact]
    public async Task A_file_that_is_no_ledger_is_refused()
    {
        var ran = await SpotterProgram.RunAsync("load", "--check", Write("notes.txt", "hello"u8.ToArray()));

        ran.Status.ShouldBe(1);
        ran.ErrorLines().ShouldHaveSingleItem().ShouldContain("--record");
    }

    public void Dispose() => folder.Dispose();

    private string Write(string name, byte[] content)
    {
        var path = Path.Combine(folder.Path, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, content);
        return path;
    }

    private static int Number(JsonElement figures, string name) => figures.GetProperty(name).GetInt32();

    private string[] Arguments(FakeService service, int jobs) =>
        ["load", "--url", service.Address, "--images", Path.Combine(folder.Path, "pictures"), "--jobs", $"{jobs}", "--json"];

    private async Task<(int Status, JsonElement Figures, string Errors)> LoadAsync(FakeService service, int jobs, params string[] more)
    {
        var ran = await SpotterProgram.RunAsync([.. Arguments(service, jobs), .. more]);
        return (ran.Status, ran.Json().ShouldHaveSingleItem(), ran.Errors);
    }
}
