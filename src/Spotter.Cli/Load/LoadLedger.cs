using System.Globalization;
using Spotter.Cli.Remote;

namespace Spotter.Cli.Load;

/// <summary>An accepted request, and what came of it.</summary>
internal sealed class LedgerEntry(int number, string id, TimeSpan due, TimeSpan accepted)
{
    /// <summary>Which request of the run it is, from 0 on.</summary>
    public int Number => number;

    /// <summary>The job's id.</summary>
    public string Id => id;

    /// <summary>When the request was due, from the start of the run on.</summary>
    public TimeSpan Due => due;

    /// <summary>When it was known to be accepted, from the start of the run on.</summary>
    public TimeSpan Accepted => accepted;

    /// <summary>How it ended; null as long as that is not known.</summary>
    public string? State { get; set; }

    /// <summary>What must not change any more.</summary>
    public string? Signature { get; set; }

    /// <summary>The service says that it knows no such job.</summary>
    public bool Missing { get; set; }

    /// <summary>It is found in the service's list more than once, or differently each time: counted once.</summary>
    public bool Doubled { get; set; }

    /// <summary>True when there is nothing to wait for any more.</summary>
    public bool IsSettled => State is not null || Missing || Doubled;

    /// <summary>Seen when all was over.</summary>
    public bool Audited { get; set; }
}

/// <summary>
/// What was sent, what the service promised, and what it made of it: the client's own books, against which the service
/// is checked. A job is lost when it was accepted and has no end; it is doubled when one request became two jobs, one
/// job answers two requests, or an end was followed by another one. Safe for concurrent use.
/// </summary>
/// <param name="run">Names the run; part of every key and picture's name.</param>
/// <param name="jobs">How many requests there will be.</param>
internal sealed class LoadLedger(string run, int jobs)
{
    private const int MostOffences = 20;

    private readonly Lock gate = new();
    private readonly Dictionary<string, LedgerEntry> byId = new(StringComparer.Ordinal);
    private readonly LedgerEntry?[] byNumber = new LedgerEntry?[jobs];
    private readonly List<LedgerEntry> accepted = [];
    private readonly SortedDictionary<string, int> refusals = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, int> rejections = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, int> failures = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, int> states = new(StringComparer.Ordinal);
    private readonly HashSet<int> unacknowledged = [];
    private readonly HashSet<int> doubledRequests = [];
    private readonly List<string> offences = [];
    private readonly Latencies accepting = new();
    private readonly Latencies answering = new();
    private int broken;
    private int repeated;
    private int ended;
    private int missing;
    private int doubled;
    private TimeSpan lastAccepted;
    private TimeSpan lastEnded;

    /// <summary>Names the run.</summary>
    public string Run => run;

    /// <summary>Called under the ledger's lock with every job that is accepted, once.</summary>
    public Action<LedgerEntry>? OnAccepted { get; set; }

    /// <summary>Called under the ledger's lock with every job that has ended, once.</summary>
    public Action<LedgerEntry>? OnEnded { get; set; }

    /// <summary>Requests that were accepted.</summary>
    public int AcceptedCount
    {
        get
        {
            lock (gate)
                return accepted.Count;
        }
    }

    /// <summary>Requests that are through: ended, gone, or turned away for good.</summary>
    public int SettledCount
    {
        get
        {
            lock (gate)
                return ended + missing + rejections.Values.Sum();
        }
    }

    /// <summary>Accepted jobs whose end is not known.</summary>
    public int OpenCount
    {
        get
        {
            lock (gate)
                return accepted.Count - ended - missing;
        }
    }

    /// <summary>The key of a request.</summary>
    public string Key(int number) => $"load-{run}-{number}";

    /// <summary>What a request calls its picture, so that its jobs are found in the service's list.</summary>
    public string NameOf(int number) => $"load-{run}-{number}.jpg";

    /// <summary>Which request a picture's name belongs to; null when it is none of this run's.</summary>
    public int? NumberOf(string? name)
    {
        var prefix = $"load-{run}-";
        return name is not null && name.StartsWith(prefix, StringComparison.Ordinal)
            && int.TryParse(name.AsSpan(prefix.Length, Math.Max(0, name.Length - prefix.Length - ".jpg".Length)), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number < jobs
            ? number
            : null;
    }

    /// <summary>Some of the accepted jobs, in the order in which they were accepted.</summary>
    public IReadOnlyList<LedgerEntry> Accepted(int from, int count)
    {
        lock (gate)
            return accepted.GetRange(Math.Min(from, accepted.Count), Math.Clamp(accepted.Count - from, 0, count));
    }

    /// <summary>A request was accepted as this job.</summary>
    /// <returns>Its entry.</returns>
    public LedgerEntry Accept(int number, string id, TimeSpan due, TimeSpan at)
    {
        lock (gate)
        {
            if (byNumber[number] is { } known)
            {
                if (known.Id != id)
                    CountDoubled(number, $"request {number} became job {known.Id} and then job {id}");
                return known;
            }
            var entry = new LedgerEntry(number, id, due, at);
            byNumber[number] = entry;
            if (!byId.TryAdd(id, entry))
            {
                // The other request keeps the job; this one has none of its own.
                CountDoubled(number, $"requests {byId[id].Number} and {number} were both given job {id}");
                entry.Doubled = true;
                return entry;
            }
            accepted.Add(entry);
            accepting.Add(at - due);
            lastAccepted = Later(lastAccepted, at);
            OnAccepted?.Invoke(entry);
            return entry;
        }
    }

    /// <summary>An accepted request was sent again under its key and should have been given the same job.</summary>
    public void Repeat(int number, string id)
    {
        lock (gate)
        {
            repeated++;
            if (byNumber[number] is { } known && known.Id != id)
                CountDoubled(number, $"request {number} was job {known.Id} and, sent again, job {id}");
        }
    }

    /// <summary>A request was refused for now.</summary>
    public void Refuse(string code)
    {
        lock (gate)
            refusals[code] = refusals.GetValueOrDefault(code) + 1;
    }

    /// <summary>A request was turned away for good.</summary>
    public void Reject(string code)
    {
        lock (gate)
            rejections[code] = rejections.GetValueOrDefault(code) + 1;
    }

    /// <summary>A connection broke before the answer to a request was read.</summary>
    public void Break()
    {
        lock (gate)
            broken++;
    }

    /// <summary>The service told of a job: takes down its end, or checks it against what it said before.</summary>
    /// <param name="job">The job; nothing happens when it is none of this run's or has not ended.</param>
    /// <param name="at">When that was seen, from the start of the run on.</param>
    public void See(ServiceJob job, TimeSpan at)
    {
        lock (gate)
        {
            if (!byId.TryGetValue(job.Id, out var entry))
                return;
            if (entry.Missing && !entry.Doubled)
            {
                entry.Missing = false;
                missing--;
            }
            if (!job.IsTerminal)
            {
                if (entry.State is { } state)
                    CountDoubled(entry, $"job {job.Id} was {state} and is {job.State} again");
                return;
            }
            var signature = job.Signature();
            if (entry.State is { } before)
            {
                if (entry.Signature != signature)
                    CountDoubled(entry, $"job {job.Id} ended as {before} and then as {job.State}, with another answer");
                return;
            }
            End(entry, job.State, signature, job.Error?.Code);
            // The service's own clock says how long the job took; it is not seen at once. Never more than was seen.
            var took = job.Finished is { } finished && finished >= job.Created ? entry.Accepted + (finished - job.Created) : at;
            var endedAt = took < at ? took : at;
            answering.Add(endedAt - entry.Due);
            lastEnded = Later(lastEnded, endedAt);
        }
    }

    /// <summary>Takes down an end that was recorded earlier.</summary>
    public void Recall(string id, string state, string signature)
    {
        lock (gate)
        {
            if (byId.TryGetValue(id, out var entry) && entry.State is null)
                End(entry, state, signature, errorCode: null);
        }
    }

    /// <summary>The service knows no such job.</summary>
    public void Miss(LedgerEntry entry)
    {
        lock (gate)
        {
            if (entry.Missing || entry.Doubled)
                return;
            entry.Missing = true;
            if (entry.State is null)
                missing++;
            else
                Note($"job {entry.Id} ended as {entry.State} and is gone");
        }
    }

    /// <summary>A job of the service's list, when all is over.</summary>
    public void Audit(ServiceJob job, TimeSpan at)
    {
        if (NumberOf(job.Name) is not { } number)
            return;
        lock (gate)
        {
            if (byId.TryGetValue(job.Id, out var entry))
            {
                if (entry.Audited)
                    CountDoubled(entry, $"job {job.Id} is in the list twice");
                entry.Audited = true;
            }
            else if (byNumber[number] is { } own)
            {
                CountDoubled(own, $"request {number} became job {own.Id} and also job {job.Id}");
            }
            else
            {
                // Its answer never came through, so nobody was promised anything.
                if (!unacknowledged.Add(number))
                    CountDoubled(number, $"request {number}, whose answer was not read, became several jobs");
            }
        }
        See(job, at);
    }

    /// <summary>Accepted jobs that the service's list did not show.</summary>
    public IReadOnlyList<LedgerEntry> Unaudited()
    {
        lock (gate)
            return [.. accepted.Where(entry => !entry.Audited)];
    }

    /// <summary>The books as they stand.</summary>
    public LoadFigures Close()
    {
        lock (gate)
        {
            return new LoadFigures
            {
                Jobs = jobs,
                Accepted = accepted.Count,
                Ended = ended,
                Open = accepted.Count - ended - missing,
                Missing = missing + accepted.Count(entry => entry is { Missing: true, State: not null, Doubled: false }),
                Doubled = doubled,
                Broken = broken,
                Repeated = repeated,
                Unacknowledged = unacknowledged.Count,
                States = new(states, StringComparer.Ordinal),
                Refused = new(refusals, StringComparer.Ordinal),
                Rejected = new(rejections, StringComparer.Ordinal),
                Failures = new(failures, StringComparer.Ordinal),
                AcceptMs = accepting.Summarise(),
                AnswerMs = answering.Summarise(),
                AcceptSeconds = lastAccepted.TotalSeconds,
                AnswerSeconds = lastEnded.TotalSeconds,
                Offences = [.. offences],
            };
        }
    }

    private void End(LedgerEntry entry, string state, string signature, string? errorCode)
    {
        entry.State = state;
        entry.Signature = signature;
        ended++;
        states[state] = states.GetValueOrDefault(state) + 1;
        if (errorCode is not null && state != "succeeded")
            failures[errorCode] = failures.GetValueOrDefault(errorCode) + 1;
        OnEnded?.Invoke(entry);
    }

    private void CountDoubled(LedgerEntry entry, string offence)
    {
        entry.Doubled = true;
        CountDoubled(entry.Number, offence);
    }

    /// <summary>Every request counts once, however much went wrong with it.</summary>
    private void CountDoubled(int number, string offence)
    {
        if (!doubledRequests.Add(number))
            return;
        doubled++;
        Note(offence);
    }

    private void Note(string offence)
    {
        if (offences.Count < MostOffences)
            offences.Add(offence);
    }

    private static TimeSpan Later(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
