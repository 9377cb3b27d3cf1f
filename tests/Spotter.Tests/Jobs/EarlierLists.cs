using Spotter.Jobs;

namespace Spotter.Tests.Jobs;

/// <summary>Jobs as a program wrote them before lists had indexes of their own.</summary>
internal static class EarlierLists
{
    /// <summary>The statements that write them.</summary>
    /// <param name="id">How the store writes an id.</param>
    /// <param name="no">How the store writes false.</param>
    /// <param name="keys">The column of the inputs' keys and that there are none; both empty where there is no such column.</param>
    public static string Script(Func<string, string> id, string no, (string Column, string None) keys = default)
    {
        string Row(int number, string tenant, int state, string? error)
        {
            var (finished, json) = (state >= 2 ? "1" : "NULL", error is null ? "NULL" : $$"""'{"code":"{{error}}","detail":"d"}'""");
            const string Spec = """'{"engine":"detect","inputs":[],"parameters":{}}'""";
            return $"({id(IdOf(number).Value)}, 'detect', 'detect', '{tenant}', 1, {state}, {no}, 0, 0, {finished}, {Spec}, {json}{keys.None})";
        }
        return $"""
            INSERT INTO jobs (id, queue, engine, tenant, priority, state, internal, due, created, finished, spec, error{keys.Column})
            VALUES {Row(1, "", 0, null)}, {Row(2, "a", 2, null)}, {Row(3, "a", 4, "x")}, {Row(4, "b", 4, "y")}
            """;
    }

    /// <summary>Each is found by what it is.</summary>
    public static async Task ShouldBeFoundAsync(IJobStore jobs)
    {
        (await ListAsync(new JobFilter())).ShouldBe([4, 3, 2, 1]);
        (await ListAsync(new JobFilter { Tenant = "" })).ShouldBe([1]);
        (await ListAsync(new JobFilter { Tenant = "a" })).ShouldBe([3, 2]);
        (await ListAsync(new JobFilter { State = JobState.Dead })).ShouldBe([4, 3]);
        (await ListAsync(new JobFilter { State = JobState.Dead, Error = "x" })).ShouldBe([3]);
        (await ListAsync(new JobFilter { Error = "y", Tenant = "b" })).ShouldBe([4]);
        (await jobs.RedriveAsync(new RedriveFilter { Tenant = "a" }, null, default)).ShouldBe(1);
        (await ListAsync(new JobFilter { State = JobState.Queued })).ShouldBe([3, 1]);

        async Task<List<int>> ListAsync(JobFilter filter) => [.. (await jobs.ListAsync(filter, default)).Select(job => job.Id.Value[0] - '0')];
    }

    private static JobId IdOf(int number) => JobId.Parse(new string((char)('0' + number), JobId.Length));
}
