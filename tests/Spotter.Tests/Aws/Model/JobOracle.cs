using Amazon.DynamoDBv2.Model;
using Spotter.Backends.Aws;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Tests.Aws.Model;

/// <summary>
/// Sees every row as it is written, and says what may not have been. It takes no answer of the store for true but compares it with what
/// was written.
/// </summary>
internal sealed class JobOracle(TimeProvider clock)
{
    private const int MostTold = 40;

    private static readonly TimeSpan Period = TimeSpan.FromMinutes(5);

    private readonly Dictionary<JobId, Seen> jobs = [];
    private readonly Dictionary<string, JobId> keys = new(StringComparer.Ordinal);
    // Of those with keys, when.
    private readonly Dictionary<JobId, DateTimeOffset> purged = [];
    private readonly HashSet<string> released = new(StringComparer.Ordinal);
    private readonly List<JobId> open = [];
    private readonly long[] ended = new long[Enum.GetValues<JobState>().Length];

    /// <summary>A job as it was last written, and what was said of it.</summary>
    private sealed class Seen
    {
        public required JobRow Row { get; set; }

        /// <summary>Messages that may still be sent about it.</summary>
        public int MaySend { get; set; } = 1;

        /// <summary>A bit for each token that a worker was told.</summary>
        public UInt128 Granted { get; set; }

        public bool IsToBeCancelled { get; set; }

        /// <summary>Among those that have not ended; -1 for others.</summary>
        public int Place { get; set; } = -1;

        /// <summary>Who ended its last attempt.</summary>
        public string? EndedBy { get; set; }
    }

    public List<string> Violations { get; } = [];

    /// <summary>Hears of each that is in <see cref="Violations"/> at once: a simulation may go on for long.</summary>
    public Action<string> Told { get; set; } = static _ => { };

    /// <summary>Hears of each row that is written.</summary>
    public Action<JobRow> Wrote { get; set; } = static _ => { };

    public long ViolationCount { get; private set; }

    public long Made { get; private set; }

    public long Accepted { get; private set; }

    public long Repeated { get; private set; }

    public long Leases { get; private set; }

    public long Sends { get; private set; }

    public long Resends { get; private set; }

    public long Taken { get; private set; }

    public int Open => open.Count;

    public long EndedAs(JobState state) => ended[(int)state];

    /// <summary>One that has not ended, as good as by chance.</summary>
    public JobId? Some(int number) => open.Count == 0 ? null : open[number % open.Count];

    public IEnumerable<JobRow> OpenRows => open.Select(id => jobs[id].Row);

    public void Violated(string what)
    {
        ViolationCount++;
        if (Violations.Count >= MostTold)
            return;
        Violations.Add($"{clock.GetUtcNow():HH:mm:ss.fff} {what}");
        Told(Violations[^1]);
    }

    /// <summary>What a worker writes into a result or an error, so that it is known whose it is.</summary>
    public static string StampOf(Lease lease) => $"{lease.Worker} {lease.FencingToken}";

    public void WillCancel(JobId id)
    {
        if (jobs.TryGetValue(id, out var seen))
            seen.IsToBeCancelled = true;
    }

    public void WillRelease(string worker) => released.Add(worker);

    /// <summary>A row was written.</summary>
    public void Written(Dictionary<string, AttributeValue> item)
    {
        var row = RowCodec.Read(item, []);
        var id = row.Job.Id;
        Wrote(row);
        if (!jobs.TryGetValue(id, out var seen))
        {
            Made++;
            Check(row is { Version: 1, IsQueued: true, Job: { FencingToken: 0, Attempts: 0 } }, id, "a row that does not begin as one");
            if (row.Job.IdempotencyKey is { } key && !keys.TryAdd(key, id))
                Violated($"{id} and {keys[key]} have the same key {key}");
            jobs[id] = seen = new() { Row = row };
            Place(seen, id);
            return;
        }
        var before = seen.Row;
        Check(row.Version == before.Version + 1, id, $"version {row.Version} replaced {before.Version}");
        Check(row.Job.FencingToken == before.Job.FencingToken + (before.IsQueued && row.IsRunning ? 1 : 0), id, $"token {row.Job.FencingToken} follows {before.Job.FencingToken}");
        CheckStep(id, seen, before, row);
        seen.Row = row;
        Place(seen, id);
    }

    /// <summary>A row was deleted.</summary>
    public void Deleted(Dictionary<string, AttributeValue> item)
    {
        var id = JobId.Parse(item["sk"].S);
        if (!jobs.Remove(id, out var seen))
            return;
        Check(seen.Row.Job.State.IsTerminal(), id, $"a {seen.Row.Job.State} job was deleted");
        if (seen.Place >= 0)
            Displace(seen);
        if (seen.Row.Job.IdempotencyKey is not { } key)
            return;
        keys.Remove(key);
        purged[id] = clock.GetUtcNow();
    }

    /// <summary>A message is sent.</summary>
    public void Sent(JobId id)
    {
        Sends++;
        if (jobs.TryGetValue(id, out var seen))
            Check(--seen.MaySend >= 0, id, "one message more than may be");
        else
            Violated($"a message about {id}, of which there is no row");
    }

    /// <summary>Jobs were accepted, says the store.</summary>
    public void Added(IReadOnlyList<NewJob> sent, IReadOnlyList<AddedJob> answer, DateTimeOffset asked)
    {
        Check(answer.Count == sent.Count, sent[0].Id, $"{answer.Count} answers to {sent.Count} jobs");
        foreach (var (job, added) in sent.Zip(answer))
        {
            _ = added.IsNew ? Accepted++ : Repeated++;
            // That of an earlier one may have had its time while the answer was on its way.
            if (!added.IsNew && purged.TryGetValue(added.Job.Id, out var gone) && gone >= asked)
                continue;
            Check(jobs.ContainsKey(added.Job.Id), added.Job.Id, "accepted, and there is no row");
            Check(job.IdempotencyKey == added.Job.IdempotencyKey, added.Job.Id, $"answers for key {job.IdempotencyKey}");
            if (job.IdempotencyKey is { } key)
                Check(keys[key] == added.Job.Id, added.Job.Id, $"answers for key {key} in place of {keys[key]}");
            else
                Check(added is { IsNew: true } && added.Job.Id == job.Id, added.Job.Id, "another one's answer");
        }
    }

    /// <summary>A worker was told that it has a lease.</summary>
    public void Granted(StartedJob started, IReadOnlyCollection<string> workers)
    {
        Leases++;
        var lease = started.Lease;
        Check(workers.Contains(lease.Worker, StringComparer.Ordinal) && started.Job.FencingToken == lease.FencingToken && started.Job.Id == lease.Job, lease.Job, "a lease of somebody else");
        if (!jobs.TryGetValue(lease.Job, out var seen))
            return;
        Check(lease.FencingToken <= seen.Row.Job.FencingToken, lease.Job, $"token {lease.FencingToken} was told, and {seen.Row.Job.FencingToken} written");
        var bit = UInt128.One << (lease.FencingToken % 128);
        Check((seen.Granted & bit) == 0, lease.Job, $"token {lease.FencingToken} was told twice");
        seen.Granted |= bit;
    }

    /// <summary>True while this lease holds, by the rows.</summary>
    public bool Holds(Lease lease) => jobs.TryGetValue(lease.Job, out var seen) && seen.Row.IsHeldBy(lease);

    /// <summary>The store answered that a lease is lost, that it held when the store was asked.</summary>
    public void Refused(Lease lease, string what) => Check(
        !Holds(lease) && !(jobs.TryGetValue(lease.Job, out var seen) && seen.EndedBy == StampOf(lease)), lease.Job, $"{what} of {StampOf(lease)} was refused, though it held and took effect or still holds");

    /// <summary>The store answered that an attempt has ended.</summary>
    public void Ended(Lease lease, EndedAttempt answer)
    {
        if (jobs.TryGetValue(lease.Job, out var seen))
            Check(seen.Row.Job.FencingToken > lease.FencingToken || seen.EndedBy == StampOf(lease), lease.Job, $"{StampOf(lease)} was told that it is {answer.State}, and nothing is written of it");
    }

    /// <summary>Blobs are to be deleted, says the store.</summary>
    public void Gone(IEnumerable<string> blobs)
    {
        foreach (var blob in blobs)
        {
            if (BlobKey.JobOf(blob) is { } id && jobs.TryGetValue(id, out var seen) && !seen.Row.Job.State.IsTerminal())
                Violated($"the input of {id} is to be deleted, which is {seen.Row.Job.State}");
        }
    }

    private void CheckStep(JobId id, Seen seen, JobRow before, JobRow row)
    {
        var (now, job) = (clock.GetUtcNow(), row.Job);
        switch (before.Job.State, job.State)
        {
            case (JobState.Queued, JobState.Running):
                Taken++;
                Check(job.Started >= before.Due && job.Started <= now, id, $"taken at {job.Started:O}, and due at {before.Due:O}");
                Check(!(before.Job.Expires <= job.Started), id, "taken after it had expired");
                break;
            case (JobState.Queued, JobState.Queued):
                Check(row.Due == before.Due && row.Sent > before.Sent, id, "a step from queued to queued");
                if (before.Sent > DateTimeOffset.UnixEpoch)
                {
                    Resends++;
                    seen.MaySend++;
                    Check(row.Sent - before.Sent >= Period, id, $"sent again after {row.Sent - before.Sent}");
                }
                break;
            case (JobState.Queued, JobState.Failed):
                Check(job.Error?.Code == ErrorCodes.Expired && before.Job.Expires <= now, id, "failed while it waited");
                break;
            case (JobState.Queued or JobState.Running, JobState.Cancelled):
                Check(seen.IsToBeCancelled, id, "cancelled by nobody");
                break;
            case (JobState.Running, JobState.Running):
                Check(job.Started == before.Job.Started, id, "a step from running to running");
                break;
            case (JobState.Running, JobState.Succeeded):
                CheckStamp(seen, before, job.Result?.ToString().Trim('"'));
                break;
            case (JobState.Running, JobState.Failed):
                CheckStamp(seen, before, job.Error?.Detail);
                break;
            case (JobState.Running, JobState.Queued or JobState.Dead):
                if (job.Error?.Code == ErrorCodes.LeaseExpired)
                    Check(before.LeasedUntil <= now, id, $"the lease was taken at {now:O}, and holds until {before.LeasedUntil:O}");
                else if (job.Error?.Code == ErrorCodes.WorkerDied)
                    Check(released.Contains(before.Job.Worker!), id, $"the lease was taken from {before.Job.Worker}, which lives");
                else
                    CheckStamp(seen, before, job.Error?.Detail);
                break;
            case (JobState.Dead, JobState.Queued):
                Check(job.Redrives == before.Job.Redrives + 1 && !before.Job.InputsExpired, id, "redriven wrongly");
                seen.MaySend++;
                break;
            case var (was, isNow) when was == isNow && was.IsTerminal():
                Check(job.InputsExpired && !before.Job.InputsExpired && job.Finished == before.Job.Finished, id, "changed after its end");
                break;
            case var (was, isNow):
                Violated($"{id} went from {was} to {isNow}");
                break;
        }
    }

    private void CheckStamp(Seen seen, JobRow before, string? stamp)
    {
        seen.EndedBy = stamp;
        Check(stamp == $"{before.Job.Worker} {before.Job.FencingToken}", before.Job.Id, $"'{stamp}' ended an attempt of '{before.Job.Worker} {before.Job.FencingToken}'");
    }

    private void Place(Seen seen, JobId id)
    {
        var isOpen = !seen.Row.Job.State.IsTerminal();
        if (isOpen == seen.Place >= 0)
            return;
        if (isOpen)
        {
            // One that is redriven has not ended after all.
            ended[(int)JobState.Dead] -= seen.Row.Version > 1 ? 1 : 0;
            seen.Place = open.Count;
            open.Add(id);
            return;
        }
        ended[(int)seen.Row.Job.State]++;
        Displace(seen);
    }

    private void Displace(Seen seen)
    {
        if (jobs.TryGetValue(open[^1], out var last))
            last.Place = seen.Place;
        open[seen.Place] = open[^1];
        open.RemoveAt(open.Count - 1);
        seen.Place = -1;
    }

    private void Check(bool isRight, JobId id, string what)
    {
        if (!isRight)
            Violated($"{id}: {what}");
    }
}
