using System.Text.Json;
using Spotter.Cli.Scaling;
using Spotter.Core;

namespace Spotter.Tests.Scaling;

public sealed class PolicyDialogueTests
{
    private const string Settings =
        """{"settings": {"policy": "spotter", "preset": "balanced", "min": 0, "max": 20, "bootPrior": 60, "servicePrior": 6, "minBill": 60, "tick": 1}}""";

    private const string Observation =
        """{"time": 12.0, "queued": 7, "running": 0, "arrived": 7, "workers": [], "served": [5.8, 6.1], "booted": [60.0]}""";

    [Fact]
    public async Task Each_observation_is_answered_by_one_line_of_the_promised_shape()
    {
        var answers = await SpeakAsync(Settings, Observation, Observation);

        answers.Count.ShouldBe(2);
        foreach (var answer in answers.Select(line => JsonDocument.Parse(line).RootElement))
        {
            answer.EnumerateObject().Select(p => p.Name).ShouldBe(["target", "launch", "drain", "cancelDrain", "reason"]);
            answer.GetProperty("launch").GetInt32().ShouldBe(answer.GetProperty("target").GetInt32());
            answer.GetProperty("launch").GetInt32().ShouldBeInRange(1, 20);
            answer.GetProperty("drain").GetArrayLength().ShouldBe(0);
            answer.GetProperty("cancelDrain").GetArrayLength().ShouldBe(0);
            answer.GetProperty("reason").GetString().ShouldNotBeNullOrWhiteSpace();
        }
    }

    [Fact]
    public async Task An_answer_comes_before_the_next_observation_is_asked_for()
    {
        using var output = new StringWriter();
        using var input = new Script([Settings, Observation, Observation], () => output.ToString().Count(c => c == '\n'));

        await new PolicyDialogue(input, output).RunAsync(default);

        input.AnswersBeforeLine.ShouldBe([0, 0, 1, 2]);
    }

    [Fact]
    public async Task Every_state_of_a_worker_is_understood_and_what_is_not_known_may_be_left_out()
    {
        var workers = string.Join(", ", ((string[])["booting", "idle", "busy", "draining"]).Select(state =>
            $$"""{"id": "{{state}}", "state": "{{state}}", "age": 1.5, "stateAge": 0}"""));

        var answers = await SpeakAsync("""{"settings": {"max": 9}}""", $$"""{"time": 0, "arrived": 0, "workers": [{{workers}}]}""");

        var answer = JsonDocument.Parse(answers.ShouldHaveSingleItem()).RootElement;
        answer.GetProperty("target").GetInt32().ShouldBe(3);
        answer.GetProperty("reason").GetString()!.ShouldContain("unknown");
    }

    [Fact]
    public async Task No_observation_no_answer() => (await SpeakAsync(Settings)).ShouldBeEmpty();

    [Theory]
    [InlineData("", "line 1", "no JSON object")]
    [InlineData("null", "line 1", "null")]
    [InlineData("{}", "line 1", "settings are missing")]
    [InlineData("""{"settings": {"tick": "often"}}""", "line 1", "settings.tick")]
    [InlineData("""{"settings": {"bootPrior": -1}}""", "line 1", "bootPrior")]
    [InlineData("""{"settings": {"bootPrior": 1e300}}""", "line 1", "bootPrior")]
    [InlineData("""{"settings": {"preset": "cheap"}}""", "line 1", "settings.preset")]
    public async Task Settings_that_make_no_sense_are_refused(string settings, string where, string what)
    {
        var refused = await RefusalAsync(settings, Observation);

        refused.Code.ShouldBe(ErrorCodes.InvalidRequest);
        refused.Message.ShouldContain(where, Case.Insensitive);
        refused.Message.ShouldContain(what);
    }

    [Theory]
    [InlineData("""{"settings": {"policy": "oracle"}}""", "oracle")]
    [InlineData("""{"settings": {"min": 3, "max": 2}}""", "3 to 2")]
    [InlineData("""{"settings": {"tick": 0}}""", "tick")]
    [InlineData("""{"settings": {"servicePrior": 0}}""", "service time")]
    [InlineData("""{"settings": {"lanes": 0}}""", "lanes")]
    [InlineData("""{"settings": {"max": 1000000}}""", "1000000")]
    [InlineData("""{"settings": {"dailyWorkerHours": 0}}""", "cap")]
    public async Task Settings_that_no_policy_takes_are_refused(string settings, string what)
    {
        var refused = await RefusalAsync(settings);

        refused.Code.ShouldBe(ErrorCodes.InvalidSettings);
        refused.Message.ShouldContain(what);
    }

    [Theory]
    [InlineData("", "no JSON object")]
    [InlineData("[1", "no JSON object")]
    [InlineData("{}", "time")]
    [InlineData("""{"time": 1, "queued": 0, "running": 0, "workers": []}""", "arrived")]
    [InlineData("""{"time": 1, "queued": 0, "running": 0, "arrived": 0}""", "workers")]
    [InlineData("""{"time": 1, "queued": -1, "running": 0, "arrived": 0, "workers": []}""", "negative")]
    [InlineData("""{"time": 1, "queued": 1.5, "running": 0, "arrived": 0, "workers": []}""", "queued")]
    [InlineData("""{"time": -1, "queued": 0, "running": 0, "arrived": 0, "workers": []}""", "time")]
    [InlineData("""{"time": 1, "queued": 0, "running": 0, "arrived": 0, "workers": [null]}""", "id")]
    [InlineData("""{"time": 1, "queued": 0, "running": 0, "arrived": 0, "workers": [{"id": "w", "state": "asleep", "age": 1, "stateAge": 1}]}""", "workers[0].state")]
    [InlineData("""{"time": 1, "queued": 0, "running": 0, "arrived": 0, "workers": [{"id": "w", "state": "idle", "stateAge": 1}]}""", "age")]
    [InlineData("""{"time": 1, "queued": 0, "running": 0, "arrived": 0, "workers": [], "served": [-1]}""", "served")]
    [InlineData("""{"time": 1, "queued": 0, "running": 0, "arrived": 0, "workers": [], "cpuLoad": 2}""", "cpuLoad")]
    public async Task A_line_that_is_no_observation_is_refused_in_one_sentence_that_names_it(string line, string what)
    {
        var refused = await RefusalAsync(Settings, """{"time": 0, "queued": 0, "running": 0, "arrived": 0, "workers": []}""", line);

        refused.Code.ShouldBe(ErrorCodes.InvalidRequest);
        refused.Message.ShouldStartWith("Line 3 ");
        refused.Message.ShouldContain(what);
        refused.Message.ShouldNotContain('\n');
    }

    [Fact]
    public async Task Time_can_not_go_back()
    {
        var refused = await RefusalAsync(Settings, Observation, Observation.Replace("12.0", "11.9", StringComparison.Ordinal));

        refused.Message.ShouldContain("time goes back");
    }

    private static async Task<IReadOnlyList<string>> SpeakAsync(params string[] lines)
    {
        using var input = new StringReader(string.Join('\n', lines) + "\n");
        using var output = new StringWriter { NewLine = "\n" };
        await new PolicyDialogue(input, output).RunAsync(default);
        return output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private static Task<SpotterException> RefusalAsync(params string[] lines) => Should.ThrowAsync<SpotterException>(() => SpeakAsync(lines));

    /// <summary>Notes how many answers there were when each line was asked for.</summary>
    private sealed class Script(string[] lines, Func<int> answers) : TextReader
    {
        public List<int> AnswersBeforeLine { get; } = [];

        public override ValueTask<string?> ReadLineAsync(CancellationToken cancellationToken)
        {
            AnswersBeforeLine.Add(answers());
            return new(AnswersBeforeLine.Count <= lines.Length ? lines[AnswersBeforeLine.Count - 1] : null);
        }
    }
}
