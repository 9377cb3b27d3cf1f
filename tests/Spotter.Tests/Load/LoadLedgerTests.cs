using System.Text.Json;
using Spotter.Cli.Load;
using Spotter.Cli.Remote;

namespace Spotter.Tests.Load;

public sealed class LoadLedgerTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private readonly LoadLedger ledger = new("r", jobs: 10);

    [Fact]
    public void Jobs_that_end_once_are_neither_lost_nor_doubled()
    {
        Accept(0, "a");
        Accept(1, "b");
        See("a", "succeeded");
        See("b", "failed", error: "image_invalid");
        Audit("b", 1, "failed", error: "image_invalid");
        Audit("a", 0, "succeeded");

        var figures = ledger.Close();

        figures.Lost.ShouldBe(0);
        figures.Doubled.ShouldBe(0);
        figures.Accepted.ShouldBe(2);
        figures.States.ShouldBe(new Dictionary<string, int>(StringComparer.Ordinal) { ["failed"] = 1, ["succeeded"] = 1 });
        figures.Failures["image_invalid"].ShouldBe(1);
        figures.Offences.ShouldBeEmpty();
    }

    [Fact]
    public void An_accepted_job_without_an_end_is_lost()
    {
        Accept(0, "a");
        See("a", "running");

        ledger.Close().Lost.ShouldBe(1);
        ledger.OpenCount.ShouldBe(1);
    }

    [Fact]
    public void An_accepted_job_that_the_service_does_not_know_is_lost()
    {
        ledger.Miss(Accept(0, "a"));

        ledger.Close().Lost.ShouldBe(1);
        ledger.OpenCount.ShouldBe(0, "nobody waits for it");
    }

    [Fact]
    public void A_job_that_was_missing_for_a_moment_is_not_lost()
    {
        ledger.Miss(Accept(0, "a"));
        See("a", "succeeded");

        ledger.Close().Lost.ShouldBe(0);
    }

    [Fact]
    public void A_job_that_has_ended_and_is_gone_is_lost()
    {
        var entry = Accept(0, "a");
        See("a", "succeeded");
        ledger.Miss(entry);

        ledger.Close().Lost.ShouldBe(1);
    }

    [Fact]
    public void A_request_that_becomes_two_jobs_is_doubled()
    {
        Accept(0, "a");
        See("a", "succeeded");
        Audit("a", 0, "succeeded");
        Audit("b", 0, "succeeded");

        var figures = ledger.Close();
        figures.Doubled.ShouldBe(1);
        figures.Offences.ShouldHaveSingleItem().ShouldContain("also job b");
    }

    [Fact]
    public void A_request_sent_again_that_becomes_another_job_is_doubled()
    {
        Accept(0, "a");
        ledger.Repeat(0, "a");
        ledger.Close().Doubled.ShouldBe(0);

        ledger.Repeat(0, "b");

        ledger.Close().Doubled.ShouldBe(1);
        ledger.Close().Repeated.ShouldBe(2);
    }

    [Fact]
    public void One_job_for_two_requests_is_doubled()
    {
        Accept(0, "a");
        Accept(1, "a").IsSettled.ShouldBeTrue();

        ledger.Close().Doubled.ShouldBe(1);
    }

    [Theory]
    [InlineData("failed", 1)]
    [InlineData("queued", 1)]
    [InlineData("succeeded", 2)]
    public void An_end_that_changes_is_doubled(string later, int attempts)
    {
        Accept(0, "a");
        See("a", "succeeded");
        ledger.See(Job("a", 0, later) with { Attempts = attempts }, TimeSpan.FromSeconds(2));

        ledger.Close().Doubled.ShouldBe(1);
    }

    [Fact]
    public void Another_result_for_a_job_that_has_ended_is_doubled()
    {
        Accept(0, "a");
        ledger.See(Job("a", 0, "succeeded") with { Result = JsonDocument.Parse("""{"width":1}""").RootElement }, TimeSpan.FromSeconds(2));
        ledger.See(Job("a", 0, "succeeded") with { Result = JsonDocument.Parse("""{"width":2}""").RootElement }, TimeSpan.FromSeconds(2));

        ledger.Close().Doubled.ShouldBe(1);
    }

    [Fact]
    public void However_much_goes_wrong_with_a_request_it_is_counted_once()
    {
        Accept(0, "a");
        ledger.Repeat(0, "b");
        ledger.Repeat(0, "c");
        Audit("b", 0, "succeeded");
        Audit("c", 0, "succeeded");

        ledger.Close().Doubled.ShouldBe(1);
    }

    [Fact]
    public void A_job_whose_acceptance_was_never_read_breaks_no_promise_but_two_of_them_do()
    {
        Audit("x", 5, "succeeded");
        ledger.Close().Unacknowledged.ShouldBe(1);
        ledger.Close().Doubled.ShouldBe(0);

        Audit("y", 5, "succeeded");

        ledger.Close().Doubled.ShouldBe(1);
    }

    [Theory]
    [InlineData("load-other-1.jpg")]
    [InlineData("load-r-10.jpg")]
    [InlineData("load-r-.jpg")]
    [InlineData("load-r-1")]
    [InlineData("photo.jpg")]
    [InlineData(null)]
    public void Jobs_of_others_are_left_alone(string? name)
    {
        ledger.Audit(new ServiceJob { Id = "z", Name = name, State = "succeeded" }, default);

        ledger.NumberOf(name).ShouldBeNull();
        ledger.Close().Unacknowledged.ShouldBe(0);
    }

    [Fact]
    public void The_name_of_a_picture_leads_back_to_its_request()
    {
        for (var i = 0; i < 10; i++)
            ledger.NumberOf(ledger.NameOf(i)).ShouldBe(i);
    }

    [Fact]
    public void The_time_to_the_answer_is_the_services_own_but_never_longer_than_what_was_seen()
    {
        ledger.Accept(0, "a", due: TimeSpan.FromSeconds(1), at: TimeSpan.FromSeconds(1.5));
        ledger.Accept(1, "b", due: TimeSpan.FromSeconds(1), at: TimeSpan.FromSeconds(1.5));
        ledger.See(Job("a", 0, "succeeded") with { Finished = Start.AddSeconds(2) }, TimeSpan.FromSeconds(9));
        ledger.See(Job("b", 1, "succeeded") with { Finished = Start.AddSeconds(99) }, TimeSpan.FromSeconds(9));

        var answers = ledger.Close().AnswerMs!;
        answers.P50.ShouldBe(2500);
        answers.Max.ShouldBe(8000);
        ledger.Close().AcceptMs!.Max.ShouldBe(500);
    }

    [Fact]
    public void A_recorded_ledger_is_read_back_even_when_its_last_line_is_half_of_one()
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "ledger.jsonl");
        using (new LedgerFile(path, ledger, 10, new Uri("http://127.0.0.1:1"), Start))
        {
            Accept(0, "a");
            Accept(3, "b");
            Accept(4, "c");
            See("a", "succeeded");
        }
        File.AppendAllText(path, "{\"number\":5,\"i");

        var (read, jobs, url) = LedgerFile.Read(path);

        jobs.ShouldBe(10);
        url.ShouldBe(new Uri("http://127.0.0.1:1"));
        read.Run.ShouldBe("r");
        read.Accepted(0, 9).Select(entry => (entry.Number, entry.Id, entry.State)).ShouldBe([(0, "a", "succeeded"), (3, "b", null), (4, "c", null)]);
        read.See(Job("a", 0, "dead"), default);
        read.Close().Doubled.ShouldBe(1, "it knows how the job ended");
    }

    private LedgerEntry Accept(int number, string id) => ledger.Accept(number, id, TimeSpan.Zero, TimeSpan.FromSeconds(1));

    private void See(string id, string state, string? error = null) => ledger.See(Job(id, 0, state, error), TimeSpan.FromSeconds(2));

    private void Audit(string id, int number, string state, string? error = null) => ledger.Audit(Job(id, number, state, error), TimeSpan.FromSeconds(3));

    private ServiceJob Job(string id, int number, string state, string? error = null) => new()
    {
        Id = id,
        Name = ledger.NameOf(number),
        State = state,
        Created = Start,
        Finished = state is "queued" or "running" ? null : Start.AddSeconds(1),
        Attempts = 1,
        Error = error is null ? null : new(error, "It is."),
    };
}
