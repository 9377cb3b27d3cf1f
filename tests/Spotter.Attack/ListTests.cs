using System.Globalization;
using System.Net;
using SQLitePCL;

namespace Spotter.Attack;

/// <summary>Lists of a tenant that has few jobs, beside one that has many.</summary>
public sealed class ListTests
{
    private const int Others = 60_000;

    // What a page and its indexes may take more where there are many jobs: trees are a level or two deeper.
    private const int PagesMore = 60;

    [StraceFact]
    public async Task What_a_list_costs_does_not_depend_on_what_others_have()
    {
        using var folder = new TemporaryFolder();
        var (data, model) = (folder.File("data"), PatchModel.Write(folder.File("patches.onnx")));
        var blue = await KeyedService.AddKeyAsync(data, "blue", "blue", "submit,read");
        var red = await KeyedService.AddKeyAsync(data, "red", "red", "submit,read");
        string[] ids;
        await using (var service = await KeyedService.StartAsync(data, model))
        {
            using var first = new SpotterApi(service.Address, blue);
            using var second = new SpotterApi(service.Address, red);
            List<string> made = [];
            for (var i = 0; i < 6; i++)
            {
                made.Add(SpotterApi.IdOf(await first.RunAsync(Pictures.Png((byte)(160 + i)))));
                await second.RunAsync(Pictures.Png((byte)(170 + i)));
                made.Add(SpotterApi.IdOf((await first.SubmitAsync([Part.Field("delay", "360000"), Part.Image(Pictures.Png((byte)i))])).Json));
            }
            ids = [.. made];
            (await service.TerminateAsync()).ShouldBe(0);
        }
        var few = await ReadAsync(folder, data, model, blue, ids, "few");
        Multiply(Path.Combine(data, "spotter.db"));
        var many = await ReadAsync(folder, data, model, blue, ids, "many");

        var row = new AttackRow("A3", $"a tenant's lists beside {Others} jobs of another, in pages of the database", "lists");
        foreach (var (state, (pages, jobs)) in many)
        {
            foreach (var (now, before) in jobs.Zip(few[state].Jobs))
                row.Try(now == before, $"state={state}: {now} jobs, {before} before");
            row.Try(pages <= few[state].Pages + PagesMore, $"state={state}: {pages} pages were read, {few[state].Pages} before the other had many");
        }
        row.End(atLeast: 60);
    }

    /// <summary>How many pages of the database the lists of each state read, and how many jobs each has.</summary>
    private static async Task<Dictionary<string, (int Pages, List<int> Jobs)>> ReadAsync(TemporaryFolder folder, string data, string model, string key, string[] ids, string name)
    {
        var read = new Dictionary<string, (int Pages, List<int> Jobs)>(StringComparer.Ordinal);
        await using var service = await KeyedService.StartAsync(data, model);
        using var api = new SpotterApi(service.Address, key);
        foreach (var state in (string[])["", "queued", "running", "succeeded", "failed", "dead", "cancelled"])
        {
            await using var strace = await Strace.AttachAsync(service.Id, folder.File($"{name}-{state}"), "-e", "trace=pread64");
            List<int> jobs = [];
            foreach (var engine in (string[])["", "&engine=detect", "&engine=filter", "&engine=none"])
            {
                foreach (var rest in (string[])["limit=500", $"limit=1&after={ids[6]}"])
                    await CountAsync($"/v1/jobs?{rest}{(state.Length > 0 ? "&state=" + state : "")}{engine}", jobs);
            }
            if (state == "dead")
            {
                foreach (var error in (string[])["", "&error=no_such", "&engine=detect"])
                    await CountAsync("/v1/dead?limit=500" + error, jobs);
            }
            read[state] = ((await strace.DetachAsync()).Count(line => line.Contains("spotter.db", StringComparison.Ordinal)), jobs);
        }
        return read;

        async Task CountAsync(string call, List<int> jobs)
        {
            var page = await api.GetAsync(call);
            page.Status.ShouldBe(HttpStatusCode.OK, $"{call}: {page}");
            jobs.Add(page.Json.GetProperty("jobs").GetArrayLength());
        }
    }

    /// <summary>Gives the other tenant many jobs more, which are like the one that it has.</summary>
    private static void Multiply(string database)
    {
        Batteries_V2.Init();
        raw.sqlite3_open_v2(database, out var connection, raw.SQLITE_OPEN_READWRITE, null).ShouldBe(raw.SQLITE_OK);
        using (connection)
        {
            List<string> columns = [];
            raw.sqlite3_prepare_v2(connection, "SELECT name FROM pragma_table_info('jobs') WHERE name NOT IN ('seq', 'id')", out var names).ShouldBe(raw.SQLITE_OK);
            using (names)
            {
                while (raw.sqlite3_step(names) == raw.SQLITE_ROW)
                    columns.Add(raw.sqlite3_column_text(names, 0).utf8_to_string());
            }
            var copied = string.Join(", ", columns);
            var values = string.Join(", ", columns.Select(c => c.Contains("key", StringComparison.Ordinal) ? "NULL" : c));
            var each = Others / 6;
            raw.sqlite3_exec(connection, string.Create(CultureInfo.InvariantCulture,
                $"INSERT INTO jobs (id, {copied}) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {each}) SELECT randomblob(16), {values} FROM n CROSS JOIN jobs WHERE tenant = 'red'"), null, IntPtr.Zero, out var error)
                .ShouldBe(raw.SQLITE_OK, error);
            raw.sqlite3_changes(connection).ShouldBe(Others);
        }
    }
}
