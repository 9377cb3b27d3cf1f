using Spotter.Cli.Queue;
using Spotter.Core;
using Spotter.Jobs;
using Spotter.Tests.Cli;
using Spotter.Tests.Gateway;

namespace Spotter.Tests.Queue;

/// <summary><c>spotter queue</c> against a real gateway whose worker is the test.</summary>
public sealed class QueueCommandTests : IAsyncLifetime
{
    private GatewayBench bench = null!;

    public async Task InitializeAsync() => bench = await GatewayBench.StartAsync();

    public async Task DisposeAsync() => await bench.DisposeAsync();

    [Fact]
    public async Task Stats_show_every_figure_that_the_service_has()
    {
        await bench.SubmitAsync();

        var table = await QueueAsync("stats");
        table.Status.ShouldBe(0, table.Errors);
        Cells(table.Output).ShouldContain("queued|1", StringComparer.Ordinal);
        Cells(table.Output).ShouldContain("desired workers|0", StringComparer.Ordinal);
        (await QueueAsync("stats", "--json")).Json().ShouldHaveSingleItem().GetProperty("queued").GetInt32().ShouldBe(1);
    }

    [Fact]
    public void A_service_that_describes_its_jobs_otherwise_is_none_of_ours()
    {
        using var strange = System.Text.Json.JsonDocument.Parse("""{"id":"1","state":"queued","created":"no time"}""");

        Should.Throw<SpotterException>(() => QueueTables.Jobs([strange.RootElement], TimeProvider.System.GetUtcNow())).Message.ShouldContain("--url");
        using var list = System.Text.Json.JsonDocument.Parse("[]");
        Should.Throw<SpotterException>(() => QueueTables.Stats(list.RootElement)).Message.ShouldContain("--url");
    }

    [Fact]
    public async Task A_list_shows_where_jobs_stand_and_no_more_than_was_asked_for()
    {
        var first = await bench.SubmitAsync();
        var second = await bench.SubmitAsync();
        var third = await bench.SubmitAsync();
        await bench.Jobs.CancelAsync(second, by: null, default);

        Ids(await QueueAsync("list", "--json")).ShouldBe([third.Value, second.Value, first.Value]);
        Ids(await QueueAsync("list", "--json", "--limit", "2")).ShouldBe([third.Value, second.Value]);
        Ids(await QueueAsync("list", "--json", "--state", "cancelled")).ShouldBe([second.Value]);
        Ids(await QueueAsync("list", "--json", "--engine", "nothing")).ShouldBeEmpty();
        var table = await QueueAsync("list", "--state", "queued");
        table.Output.ShouldContain(first.Value);
        table.Output.ShouldContain("queued");
        table.Output.ShouldNotContain(second.Value);
        (await QueueAsync("list", "--state", "dead")).Output.ShouldBe("There are none.\n");
    }

    [Fact]
    public async Task Pages_are_put_together()
    {
        for (var i = 0; i < 520; i += 20)
            await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => bench.SubmitAsync()));

        Ids(await QueueAsync("list", "--json", "--limit", "1000")).Distinct(StringComparer.Ordinal).Count().ShouldBe(520);
        Ids(await QueueAsync("list", "--json", "--limit", "510")).Count.ShouldBe(510);
    }

    [Fact]
    public async Task Dead_jobs_are_shown_with_the_reason_and_put_back_by_reason_by_id_or_all()
    {
        var crashed = await DieAsync("worker_died");
        var late = await DieAsync("job_timeout");
        var stuck = await DieAsync("job_timeout");

        var table = await QueueAsync("dead");
        table.Output.ShouldContain("worker_died");
        table.Output.ShouldContain("It died of that.");
        Ids(await QueueAsync("dead", "--json")).ShouldBe([stuck.Value, late.Value, crashed.Value]);
        Ids(await QueueAsync("dead", "--json", "--error", "job_timeout")).ShouldBe([stuck.Value, late.Value]);

        var one = await QueueAsync("redrive", late.Value);
        one.Status.ShouldBe(0, one.Errors);
        one.Output.ShouldBe("1 job put back.\n");
        (await StateAsync(late)).ShouldBe(JobState.Queued);

        var again = await QueueAsync("redrive", late.Value, crashed.Value);
        again.Status.ShouldBe(1);
        again.Output.ShouldBe("1 job put back.\n");
        again.ErrorLines().ShouldHaveSingleItem().ShouldContain("spotter queue dead");

        (await QueueAsync("redrive", "--error", "job_timeout", "--json")).Json().ShouldHaveSingleItem().GetProperty("redriven").GetInt32().ShouldBe(1);
        (await StateAsync(stuck)).ShouldBe(JobState.Queued);
        (await QueueAsync("redrive", "--all")).Output.ShouldBe("0 jobs put back.\n");
    }

    [Fact]
    public async Task Jobs_are_cancelled_by_id()
    {
        var job = await bench.SubmitAsync();

        (await QueueAsync("cancel", job.Value)).Output.ShouldBe("1 job cancelled.\n");

        (await StateAsync(job)).ShouldBe(JobState.Cancelled);
        var unknown = await QueueAsync("cancel", new string('0', 32), "nonsense");
        unknown.Status.ShouldBe(1);
        unknown.Output.ShouldBe("0 jobs cancelled.\n");
        unknown.ErrorLines().Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_whole_state_is_cancelled_only_after_a_yes()
    {
        for (var i = 0; i < 3; i++)
            await bench.SubmitAsync();
        var running = await bench.Service.TakeAsync("w", [QueueNames.Of(GatewayBench.Model.Engine, GatewayBench.Model.Id)], TimeSpan.Zero, default);

        var asked = await QueueAsync("cancel", "--state", "queued", "--engine", "detect");
        asked.Status.ShouldBe(1);
        asked.ErrorLines().ShouldHaveSingleItem().ShouldContain("--yes");
        (await bench.Jobs.CountAsync(default)).Jobs.Queued.ShouldBe(2);

        var sure = await QueueAsync("cancel", "--state", "queued", "--engine", "detect", "--yes", "--json");

        sure.Status.ShouldBe(0, sure.Errors);
        sure.Json().ShouldHaveSingleItem().GetProperty("cancelled").GetInt32().ShouldBe(2);
        (await StateAsync(running!.Job.Id)).ShouldBe(JobState.Running);
    }

    [Fact]
    public async Task The_beginning_of_an_id_is_enough_where_one_job_has_it()
    {
        var (first, second) = (await bench.SubmitAsync(), await bench.SubmitAsync());
        var shared = first.Value.Zip(second.Value).TakeWhile(pair => pair.First == pair.Second).Count();

        var several = await QueueAsync("cancel", first.Value[..shared]);
        several.Status.ShouldBe(1);
        several.ErrorLines().ShouldHaveSingleItem().ShouldContain(first.Value);
        several.Errors.ShouldContain(second.Value);
        (await QueueAsync("cancel", first.Value[..3])).Errors.ShouldContain("the first 4 or more");

        var one = await QueueAsync("cancel", first.Value[..(shared + 1)]);
        (one.Status, one.Output).ShouldBe((0, "1 job cancelled.\n"));
        (await StateAsync(first)).ShouldBe(JobState.Cancelled);
        (await StateAsync(second)).ShouldBe(JobState.Queued);

        var dead = await DieAsync("job_timeout");
        var redriven = await QueueAsync("redrive", dead.Value[..^1]);
        (redriven.Status, redriven.Output).ShouldBe((0, "1 job put back.\n"));
    }

    [Fact]
    public async Task Nobody_there_is_one_line_that_says_what_to_do()
    {
        var ran = await SpotterProgram.RunAsync("queue", "stats", "--url", "http://127.0.0.1:1");

        ran.Status.ShouldBe(1);
        ran.ErrorLines().ShouldHaveSingleItem().ShouldContain("--url");
    }

    [Theory]
    [InlineData(0, "0.0 s")]
    [InlineData(0.44, "0.4 s")]
    [InlineData(119.4, "119 s")]
    [InlineData(140, "2 min")]
    [InlineData(7300, "2 h")]
    [InlineData(200_000, "2 d")]
    public void Durations_are_told_in_their_largest_unit(double seconds, string text) =>
        QueueTables.Age(TimeSpan.FromSeconds(seconds)).ShouldBe(text);

    private static List<string> Ids(Ran ran)
    {
        ran.Status.ShouldBe(0, ran.Errors);
        return [.. ran.Json().Select(job => job.GetProperty("id").GetString()!)];
    }

    private static List<string> Cells(string table) =>
        [.. table.Split('\n').Select(line => string.Join('|', line.Split("  ", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)))];

    private async Task<JobState> StateAsync(JobId id) => (await bench.Jobs.FindAsync(id, default))!.State;

    /// <summary>A job that uses up its attempts.</summary>
    private async Task<JobId> DieAsync(string error)
    {
        var id = await bench.SubmitAsync();
        using var safety = new CancellationTokenSource(GatewayBench.Safety);
        while (await StateAsync(id) != JobState.Dead)
        {
            if (await bench.Service.TakeAsync("w", [QueueNames.Of(GatewayBench.Model.Engine, GatewayBench.Model.Id)], TimeSpan.FromSeconds(1), safety.Token) is { } job)
                await bench.Service.FinishAsync(job.Lease, new JobOutcome.Retry(new JobError(error, "It died of that."), SpendAttempt: true), safety.Token);
        }
        return id;
    }

    private Task<Ran> QueueAsync(params string[] arguments) =>
        SpotterProgram.RunAsync(["queue", .. arguments, "--url", bench.Address.ToString()]);
}
