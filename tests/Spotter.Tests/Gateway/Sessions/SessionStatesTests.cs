using System.Text.Json;
using Spotter.Core;
using Spotter.Gateway.Sessions;
using Spotter.Jobs;

namespace Spotter.Tests.Gateway.Sessions;

/// <summary>All states of sessions.</summary>
public sealed class SessionStatesTests
{
    [Theory]
    [InlineData(JobState.Queued, "", "pending")]
    [InlineData(JobState.Running, "", "queuing")]
    [InlineData(JobState.Running, "Queued", "pending")]
    [InlineData(JobState.Running, "Queued again", "queuing")]
    [InlineData(JobState.Running, "Running Queued", "processing")]
    [InlineData(JobState.Running, "Succeeded Queued", "processing")]
    [InlineData(JobState.Queued, "Succeeded", "processing")]
    [InlineData(JobState.Succeeded, "Succeeded", "finished")]
    [InlineData(JobState.Failed, "Failed", "failed")]
    [InlineData(JobState.Dead, "", "failed")]
    [InlineData(JobState.Cancelled, "Running", "stopping")]
    [InlineData(JobState.Cancelled, "Cancelled Succeeded", "canceled")]
    [InlineData(JobState.Cancelled, "", "canceled")]
    public void Follow_from_the_jobs(JobState session, string steps, string state)
    {
        var isAgain = steps.EndsWith("again", StringComparison.Ordinal);
        var jobs = steps.Replace(" again", "", StringComparison.Ordinal).Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(s => NewJob(Enum.Parse<JobState>(s), isAgain ? 1 : 0)).ToList();

        SessionStates.Of(NewJob(session, 0), jobs).ShouldBe(state);
    }

    [Fact]
    public void The_name_of_a_session_leads_to_its_job()
    {
        var job = NewJob(JobState.Queued, 0) with { Created = DateTimeOffset.FromUnixTimeMilliseconds(1_635_242_482_314) };

        var name = SessionId.Of(job, new SessionTerms(SessionId.Single, -3));

        name.ShouldBe($"session-process-single-engine--3-1635242482.314-{job.Id}");
        SessionId.TryParse(name, out var id).ShouldBeTrue();
        id.ShouldBe(job.Id);
        SessionId.TryParse("session-process-single-engine-0-1635242482.3139913-HUWxQmER0lI3BuztWjW7V", out _).ShouldBeFalse();
        SessionId.TryParse(job.Id.Value, out _).ShouldBeFalse();
    }

    [Theory]
    [InlineData("finished", """[{"type":"finish"},{"type":"half"}]""", "finish half sessionStatusChanged")]
    [InlineData("failed", """[{"type":"error","message":"No."}]""", "error sessionStatusChanged")]
    [InlineData("canceled", """[1,"two",{"type":3}]""", "canceled sessionStatusChanged")]
    public void Events_are_how_it_ended_and_what_its_engines_said_whatever_the_channel_is_called(string state, string said, string events)
    {
        using var document = JsonDocument.Parse(said);
        IReadOnlyList<RawJson> items = [.. document.RootElement.EnumerateArray().Select(i => RawJson.OfText(i.GetRawText()))];
        var session = new SessionView("s", new SessionProcess(state, 0, 0), new Dictionary<string, IReadOnlyList<RawJson>>(StringComparer.Ordinal) { ["GlobalStatus"] = items });

        SessionChannel.EventsOf(session).ShouldBe(events.Split(' '));
    }

    private static Job NewJob(JobState state, int attempts) => new()
    {
        Id = JobId.New(RandomSource.Seeded(1), TimeProvider.System),
        Spec = new JobSpec { Engine = "workflow", Inputs = [] },
        State = state,
        Attempts = attempts,
        Created = TimeProvider.System.GetUtcNow(),
    };
}
