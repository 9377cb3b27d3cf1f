using System.Security.Cryptography;
using System.Text;
using Spotter.Core;

namespace Spotter.Jobs;

/// <summary>How jobs come in: admission, inputs, idempotency, cached results, rows.</summary>
public sealed partial class JobService
{
    // Of the time for which blobs are kept.
    private const double LongestReuse = 0.9;

    /// <summary>Begins a submission, waiting for one of the places for uploads if need be.</summary>
    /// <param name="caller">Who submits.</param>
    /// <param name="idempotencyKey">The same key again gives the same jobs; null for new ones each time.</param>
    /// <param name="cancel">Ends the wait.</param>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.Busy"/>: there is no room.</exception>
    public async Task<Submission> BeginAsync(JobCaller caller, string? idempotencyKey, CancellationToken cancel) =>
        new(this, caller, idempotencyKey, await Admission.EnterAsync(cancel));

    /// <summary>As <see cref="BeginAsync"/>, for jobs that a job needs which runs: neither the backlog nor its age keeps them out.</summary>
    /// <param name="caller">Whose jobs they are.</param>
    /// <param name="key">The same key again gives the same jobs.</param>
    /// <param name="cancel">Ends the wait.</param>
    public async Task<Submission> BeginStepAsync(JobCaller caller, string key, CancellationToken cancel) =>
        new(this, caller, key, await Admission.EnterAcceptedAsync(cancel));

    /// <summary>Turns away what would expire in the queue, or be waited for in vain. What is urgent overtakes the others, and is judged by what is as urgent.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.DeadlineUnmeetable"/>.</exception>
    public void CheckDeadline(JobSchedule schedule, TimeSpan? wait)
    {
        if (schedule.Expires is { } expires)
            Admission.CheckDeadline(expires, wait, schedule.Priority);
    }

    /// <summary>Accepts a job of Spotter's own on inputs that are there already; at most one for each <paramref name="key"/>.</summary>
    public async Task<Job> SubmitInternalAsync(JobSpec spec, string key, CancellationToken cancel)
    {
        var job = new NewJob { Id = JobId.New(random, time), Spec = spec with { Trace = JobTracing.Context }, IdempotencyKey = key, Internal = true };
        return (await AddAsync([job], cancel))[0].Job;
    }

    internal async Task<InputRef> StoreInputAsync(
        IReadOnlyList<(InputRef Ref, string? Name)> before, Stream content, string? contentType, InputTerms terms, Action<long> judged, CancellationToken cancel)
    {
        if (before.Count >= Math.Min(terms.MaxInputs ?? int.MaxValue, settings.MaxInputsPerSubmission))
            throw terms.TooMany(settings.MaxInputsPerSubmission);
        return await inputs.StoreAsync(content, contentType, terms, before.Sum(i => i.Ref.Bytes), judged, cancel);
    }

    internal async Task<IReadOnlyList<AddedJob>> AcceptAsync(Submission submission, JobRequest request, Action onSent, CancellationToken cancel)
    {
        using var span = JobTracing.Submit(request.Engine, submission.Inputs.Count);
        request = request with { Notify = [.. request.Notify.Select(AcceptNotification)] };
        var jobs = JobsOf(submission, request);
        if (await EarlierAsync(jobs, cancel) is not { } added)
        {
            jobs = request.Schedule.Reuse && settings.Reuse ? await CachedAsync(jobs, request.ModelVersion, cancel) : jobs;
            // Whether the rows were written is unknown if this throws, so then the blobs stay: maintenance knows better.
            onSent();
            added = await AddAsync(jobs, CancellationToken.None);
        }
        if (added.Any(a => a.Job.Fingerprint != jobs[0].Fingerprint))
        {
            // Two requests raced for the key, and this one has lost: none of it is to run.
            foreach (var part in added.Where(a => a.IsNew))
                await store.CancelAsync(part.Job.Id, by: null, CancellationToken.None);
            throw Mismatch();
        }
        Backlog.Accepted(added.Count(a => a is { IsNew: true, Job.State: JobState.Queued }), request.Schedule.Priority);
        JobTracing.Accepted(span, added);
        return added;
    }

    internal async Task DeleteQuietlyAsync(IReadOnlyList<string> keys)
    {
        foreach (var key in keys)
        {
            try
            {
                await blobs.DeleteAsync(key, CancellationToken.None);
            }
            catch (SpotterException)
            {
                // The request has its answer already; maintenance finds blobs that no job knows.
            }
        }
    }

    /// <summary>Writes the rows: the point of acceptance.</summary>
    private async Task<IReadOnlyList<AddedJob>> AddAsync(IReadOnlyList<NewJob> jobs, CancellationToken cancel)
    {
        var added = await store.AddAsync(jobs, cancel);
        Failpoint.At("job-accepted");
        // What has a cached result has ended already.
        Arrived(added.Count(a => a.IsNew && a.Job.State == JobState.Queued));
        return added;
    }

    private List<NewJob> JobsOf(Submission submission, JobRequest request)
    {
        var fingerprint = submission.IdempotencyKey is null ? null : Fingerprint(request.Text, submission);
        var now = time.GetUtcNow();
        var (schedule, caller) = (request.Schedule, submission.Caller);
        var groups = request.Together ? [submission.Inputs] : submission.Inputs.Select(i => (IReadOnlyList<(InputRef Ref, string? Name)>)[i]).ToList();
        return groups.ConvertAll(group => new NewJob
        {
            // What was stored for this submission is no other job's; a job that is named as its input needs no note of whose it is.
            Id = (submission.IsUnused(group[0].Ref.Key) ? BlobKey.JobOf(group[0].Ref.Key) : null) ?? JobId.New(random, time),
            Spec = new JobSpec
            {
                Engine = request.Engine,
                Model = request.Model,
                Then = request.Then,
                Name = group[0].Name,
                Inputs = [.. group.Select(i => i.Ref)],
                Parameters = request.Parameters,
                Priority = schedule.Priority,
                NotBefore = schedule.Delay > TimeSpan.Zero ? now + schedule.Delay : null,
                Expires = schedule.Expires is { } limit ? now + limit : null,
                Parent = request.Parent,
                Step = request.Step,
                Trace = JobTracing.Context,
            },
            IdempotencyKey = KeyOf(caller, submission.IdempotencyKey, groups.IndexOf(group)),
            Fingerprint = fingerprint,
            Tenant = caller.Tenant,
            By = caller.By,
            Notify = request.Notify,
            ResultCacheKey = CacheKeyOf(request, group),
        });
    }

    /// <summary>Tenants don't know of each other's keys.</summary>
    private static string? KeyOf(JobCaller caller, string? key, int index)
    {
        if (key is null)
            return null;
        return caller.Tenant.Length == 0 ? $"user:{index}:{key}" : $"tenant:{caller.Tenant}:{index}:{key}";
    }

    private static string Fingerprint(string text, Submission submission) =>
        Hash($"{text}{string.Concat(submission.Inputs.Select(i => submission.SignOf(i.Ref)).OfType<string>().Select(hash => hash + ";"))}");

    /// <summary>
    /// Names work by all that decides its result, so that the same work need not be done twice. The model's version is not
    /// in it: which one that will be is only known when a worker runs it.
    /// </summary>
    private static string? CacheKeyOf(JobRequest request, IReadOnlyList<(InputRef Ref, string? Name)> group) =>
        request.CacheParameters is { } parameters
            ? Hash($"{request.Engine}\n{request.Model}\n{string.Join(',', group.Select(i => i.Ref.Sha256))}\n{parameters}")
            : null;

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    /// <summary>The jobs of an earlier request with the same key; null if there are none.</summary>
    private async Task<IReadOnlyList<AddedJob>?> EarlierAsync(IReadOnlyList<NewJob> jobs, CancellationToken cancel)
    {
        if (jobs[0].IdempotencyKey is not { } firstKey)
            return null;
        var keys = jobs.Select(j => j.IdempotencyKey!).ToList();
        var known = (await store.FindByKeysAsync(keys, cancel)).ToDictionary(j => j.IdempotencyKey!, StringComparer.Ordinal);
        // One that is missing means another number of pictures, which the fingerprint tells.
        return known.ContainsKey(firstKey) ? [.. keys.Where(known.ContainsKey).Select(k => new AddedJob(known[k], IsNew: false))] : null;
    }

    internal async Task<IReadOnlyList<Job>?> FindEarlierAsync(Submission submission, string text, int toFetch, CancellationToken cancel)
    {
        if (submission.IdempotencyKey is null)
            return null;
        var keys = Enumerable.Range(0, submission.Inputs.Count + toFetch).Select(i => KeyOf(submission.Caller, submission.IdempotencyKey, i)!).ToList();
        var known = (await store.FindByKeysAsync(keys, cancel)).OrderBy(j => keys.IndexOf(j.IdempotencyKey!)).ToList();
        if (known.Count == 0)
            return null;
        return known[0].Fingerprint == Fingerprint(text, submission) ? known : throw Mismatch();
    }

    private static SpotterException Mismatch() =>
        new(ErrorCodes.IdempotencyMismatch, "This Idempotency-Key came before with another request; use a new key for each request.");

    /// <summary>The jobs, with the cached results of those whose work was done before.</summary>
    private async Task<List<NewJob>> CachedAsync(List<NewJob> jobs, string? version, CancellationToken cancel)
    {
        if (version is null)
            return jobs;
        var answered = new List<NewJob>(jobs.Count);
        foreach (var job in jobs)
        {
            var earlier = job.ResultCacheKey is { } key ? await store.FindCachedAsync(job.Tenant, key, version, cancel) : null;
            answered.Add(earlier is { Result: { } result } && HasOutputs(earlier) ? job with { Cached = new CachedResult(earlier.Id, result, version) { Outputs = earlier.Outputs } } : job);
        }
        return answered;
    }

    /// <summary>False once the files of a job may be deleted before another one has taken them over.</summary>
    private bool HasOutputs(Job job) =>
        job.Outputs.Count == 0 || (!job.InputsExpired && job.Finished > time.GetUtcNow() - (settings.Leases.KeepBlobs * LongestReuse));
}
