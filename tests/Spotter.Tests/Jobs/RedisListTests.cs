using Spotter.Backends;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Tests.Jobs;

/// <summary>The list that others read is true whatever happens to the jobs.</summary>
[NeedsRedis]
[Collection(PostgresServer.Name)]
public sealed class RedisListTests(PostgresServer server, RedisServer redis) : IClassFixture<RedisServer>, IAsyncLifetime
{
    private const int Steps = 200;
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(30);
    private static readonly string[] Queues = ["detect", "detect/a", "classify/b"];
    private readonly RedisFixture fixture = new(server, redis);
    private readonly ManualClock clock = new();
    private readonly Dictionary<JobId, Lease> leases = [];
    private readonly List<JobId> ids = [];
    private RandomSource random = RandomSource.Seeded(0);

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await fixture.DisposeAsync();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task It_has_the_jobs_that_are_due_after_each_step(int seed)
    {
        random = RandomSource.Seeded(seed);
        IJobStore[] gateways = [fixture.Open(clock).Jobs, fixture.Open(clock, random: RandomSource.Seeded(2)).Jobs];
        await using var rows = await fixture.Rows.ConnectAsync();
        for (var step = 0; step < Steps; step++)
        {
            var jobs = gateways[Next(gateways.Length)];
            var what = await StepAsync(jobs);
            var due = await DueAsync(rows);
            foreach (var queue in Queues)
                Listed(queue).Order(StringComparer.Ordinal).ShouldBe(due[queue].Order(StringComparer.Ordinal), $"{queue} after step {step}: {what}");
        }
        ids.Count.ShouldBeGreaterThan(Steps / 4);
    }

    private async Task<string> StepAsync(IJobStore jobs)
    {
        switch (Next(11))
        {
            case 0 or 1 or 2:
                var added = await jobs.AddAsync([.. Enumerable.Range(0, 1 + Next(4)).Select(_ => New())], default);
                ids.AddRange(added.Select(a => a.Job.Id));
                return $"{added.Count} were added";
            case 3 or 4 or 5:
                JobPriority[] levels = Next(2) == 0 ? [JobPriority.High, JobPriority.Normal, JobPriority.Low] : [JobPriority.Low, JobPriority.High, JobPriority.Normal];
                var taken = await jobs.TakeAsync(new TakeRequest([.. Queues.Take(1 + Next(3))], levels, [.. Enumerable.Repeat("w", 1 + Next(3))], Duration), default);
                foreach (var started in taken.Jobs)
                    leases[started.Job.Id] = started.Lease;
                return $"{taken.Jobs.Count} were taken";
            case 6 or 7 when leases.Count > 0:
                var (id, lease) = leases.ElementAt(Next(leases.Count));
                leases.Remove(id);
                JobOutcome outcome = Next(4) switch { 0 => SampleJobs.Reject(), 1 => SampleJobs.Done(), 2 => SampleJobs.Retry(), _ => SampleJobs.Retry(spendAttempt: false) };
                return $"one ended: {(await jobs.FinishAsync(lease, outcome, default))?.State}";
            case 8 when ids.Count > 0:
                await jobs.CancelAsync(ids[Next(ids.Count)], null, default);
                return "one was cancelled";
            case 9:
                return $"put right: {await jobs.ReapAsync(10, default)}, {await jobs.ExpireAsync(10, default)}, {await jobs.RedriveAsync(new RedriveFilter(), null, default)}";
            case 10 when Next(4) == 0:
                return $"released: {(await jobs.ReleaseAsync("w", SampleJobs.Fault, spendAttempt: true, default)).All}";
            default:
                clock.Advance(TimeSpan.FromSeconds(Next(20)));
                // As the gateways do by themselves, before long.
                await fixture.TendAsync();
                return "time passed";
        }
    }

    private NewJob New()
    {
        var parts = Queues[Next(Queues.Length)].Split('/');
        return SampleJobs.New(parts[0], model: parts.ElementAtOrDefault(1)).At((JobPriority)Next(3)).Having(s => s with
        {
            NotBefore = Next(4) == 0 ? clock.GetUtcNow() + TimeSpan.FromSeconds(Next(40)) : null,
            Expires = Next(4) == 0 ? clock.GetUtcNow() + TimeSpan.FromSeconds(1 + Next(60)) : null,
        });
    }

    private int Next(int count) => (int)(random.NextDouble() * count);

    private List<string> Listed(string queue) => [.. ((string[])fixture.Run("LRANGE", $"__engine_pending_list_{queue}__", 0, -1)!)];

    private async Task<ILookup<string, string>> DueAsync(Npgsql.NpgsqlConnection rows)
    {
        await using var command = new Npgsql.NpgsqlCommand(
            "SELECT queue, replace(id::text, '-', '') FROM jobs WHERE state = 0 AND due <= $1 AND (expires IS NULL OR expires > $1)", rows)
        { Parameters = { new() { Value = Microseconds.Now(clock) } } };
        var due = new List<(string Queue, string Id)>();
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
            due.Add((reader.GetString(0), reader.GetString(1)));
        return due.ToLookup(j => j.Queue, j => j.Id, StringComparer.Ordinal);
    }
}
