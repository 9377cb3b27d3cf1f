using Npgsql;
using Spotter.Jobs;

namespace Spotter.Backends.Postgres;

/// <summary>Grants leases of jobs whose ids were delivered: all takes that come together with one call of each of the two servers.</summary>
internal sealed class PostgresGrants(PostgresDatabase database, IJobDelivery delivery, TimeProvider clock)
{
    /// <summary>Ids that turn out to be stale are made up for this often before a take is content with less.</summary>
    private const int MostRounds = 4;

    // Somebody holds a row that was delivered, and lets go of it soon.
    private const long ContendedMicroseconds = 5_000;

    /// <summary>The part of the statement that finds the rows. The state is a parameter, so that the planner goes by the ids and not by the index of all that are queued.</summary>
    internal const string Held = """
        SELECT j.id, i.nth FROM unnest($2::uuid[]) WITH ORDINALITY AS i (id, nth) JOIN jobs j ON j.id = i.id
        WHERE j.state = $5 AND j.due <= $1 AND (j.expires IS NULL OR j.expires > $1) FOR UPDATE OF j SKIP LOCKED
        """;

    private static readonly string Sql = $"""
        WITH held AS MATERIALIZED ({Held}),
        started AS (
            UPDATE jobs j SET state = 1, fencing_token = j.fencing_token + 1, attempts = j.attempts + 1, started = $1, leased_until = $3,
                worker = ($4::text[])[h.place]
            FROM (SELECT id, row_number() OVER (ORDER BY nth)::integer AS place FROM held) AS h
            WHERE j.id = h.id
            RETURNING j.queue, j.priority, h.place, {PostgresJobRow.Columns}),
        moved AS (SELECT queue, priority, internal, $5 AS was, state FROM started),
        {PostgresTallies.Sql}
        SELECT * FROM started ORDER BY place
        """;

    /// <summary>See <see cref="IJobStore.TakeInTurnAsync"/>.</summary>
    public async Task<IReadOnlyList<TakenJobs>> TakeAsync(IReadOnlyList<TakeRequest> requests, CancellationToken cancel)
    {
        var taken = requests.Select(_ => new List<StartedJob>()).ToArray();
        for (var round = 1; ; round++)
        {
            var asked = requests.Select((request, i) => request with { Workers = [.. request.Workers.Skip(taken[i].Count)] }).ToList();
            var now = Microseconds.Now(clock);
            DeliveredIds delivered;
            try
            {
                delivered = await delivery.NextAsync(asked, cancel);
            }
            catch (Spotter.Core.SpotterException) when (round > 1)
            {
                // What was taken must reach its workers.
                return Answers(requests, taken, now, null);
            }
            var ids = delivered.Ids.SelectMany(all => all).ToList();
            if (ids.Count == 0)
                return Answers(requests, taken, now, delivered.NextDue);
            var refused = await GrantAsync(asked, delivered.Ids, taken, Math.Max(now, Microseconds.Now(clock)));
            if (refused.Count == 0)
                return Answers(requests, taken, now, delivered.NextDue);
            await delivery.RefusedAsync(refused);
            if (round == MostRounds)
                return Answers(requests, taken, now, null);
        }
    }

    /// <summary>In one transaction, sent together; those that were not granted.</summary>
    private async Task<List<JobId>> GrantAsync(
        List<TakeRequest> asked, IReadOnlyList<IReadOnlyList<JobId>> delivered, List<StartedJob>[] taken, long now)
    {
        var served = Enumerable.Range(0, asked.Count).Where(i => delivered[i].Count > 0).ToList();
        List<JobId> refused = [.. delivered.SelectMany(all => all)];
        try
        {
            // Needs no flush: if the server crashes, the job is queued again, as with any take.
            var granted = await database.ApplyAsync(
                [.. served.Select(i => new PostgresStatement(
                    Sql,
                    p => p.With(now).With(delivered[i].Select(id => id.ToGuid()).ToArray()).With(now + Microseconds.From(asked[i].Duration))
                        .With(asked[i].Workers.ToArray()).With((short)JobState.Queued)))],
                async reader =>
                {
                    var all = new List<List<StartedJob>>();
                    do
                        all.Add(await reader.ListAsync(Read));
                    while (await reader.NextResultAsync());
                    return all;
                },
                CancellationToken.None);
            foreach (var (i, jobs) in served.Zip(granted))
                taken[i].AddRange(jobs);
            refused.RemoveAll(granted.SelectMany(jobs => jobs, (_, started) => started.Job.Id).ToHashSet().Contains);
            return refused;
        }
        catch (Spotter.Core.SpotterException)
        {
            // Not done, or not known: the delivery asks the rows once they can be read.
            await delivery.RefusedAsync(refused);
            if (taken.All(jobs => jobs.Count == 0))
                throw;
            return [];
        }
    }

    private static StartedJob Read(NpgsqlDataReader row)
    {
        var job = PostgresJobRow.Read(row, 3);
        return new StartedJob(job, new Lease(job.Id, job.Queue, job.FencingToken, job.Attempts, job.Worker!));
    }

    /// <summary>Where it is not known when the next one is due, there may be one at once.</summary>
    private static TakenJobs[] Answers(IReadOnlyList<TakeRequest> requests, List<StartedJob>[] taken, long now, IReadOnlyList<DateTimeOffset?>? due) =>
        [.. requests.Select((request, i) => new TakenJobs(
            taken[i], taken[i].Count == request.Workers.Count ? null : due is null ? Microseconds.ToTime(now + ContendedMicroseconds) : due[i]))];
}
