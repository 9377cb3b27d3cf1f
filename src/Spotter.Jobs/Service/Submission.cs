using Spotter.Core;

namespace Spotter.Jobs;

/// <summary>What is to be done with the inputs of a submission.</summary>
public sealed record JobRequest
{
    /// <summary>The engine.</summary>
    public required string Engine { get; init; }

    /// <summary>The model; null when the engine needs none.</summary>
    public string? Model { get; init; }

    /// <summary>A second model that it needs; null when it needs none.</summary>
    public string? Then { get; init; }

    /// <summary>The version of the model that is there now, or of both; null when nothing may be reused.</summary>
    public string? ModelVersion { get; init; }

    /// <summary>What the engine is told.</summary>
    public RawJson Parameters { get; init; }

    /// <summary>Those of the parameters that decide the result, always written the same way; null when it is never the same twice.</summary>
    public RawJson? CacheParameters { get; init; }

    /// <summary>Pixels for each of which the model is run once, where a picture takes more than one run; null for one run.</summary>
    public double? PixelsPerRun { get; init; }

    /// <summary>True when all inputs belong to one job; else each makes a job.</summary>
    public bool Together { get; init; }

    /// <summary>When and how the jobs are run.</summary>
    public JobSchedule Schedule { get; init; } = new();

    /// <summary>Who is told how they ended.</summary>
    public IReadOnlyList<JobNotification> Notify { get; init; } = [];

    /// <summary>The job that these are parts of; null for jobs of their own.</summary>
    public JobId? Parent { get; init; }

    /// <summary>Which part of their parent they are.</summary>
    public string? Step { get; init; }

    /// <summary>All that was asked for, always written the same way, to tell a repeated request from another one.</summary>
    public string Text { get; init; } = "";

    /// <summary>The version of two models that make a result together.</summary>
    public static string VersionOf(string model, string then) => $"{model}+{then}";
}

/// <summary>When and how jobs are run, apart from what is to be done.</summary>
public sealed record JobSchedule
{
    /// <summary>Longest delay and latest deadline.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(7);

    /// <summary>Which jobs they go before.</summary>
    public JobPriority Priority { get; init; } = JobPriority.Normal;

    /// <summary>Wait before they may start.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>They have to be started within this time; null for whenever.</summary>
    public TimeSpan? Expires { get; init; }

    /// <summary>The cached result of the same work will do.</summary>
    public bool Reuse { get; init; } = true;
}

/// <summary>
/// A submission on its way in: inputs are stored as they stream, then the jobs are accepted, all or none. Dispose of it in
/// any case: what became no job's is deleted.
/// </summary>
public sealed class Submission : IAsyncDisposable
{
    private readonly JobService service;
    private readonly UploadPlace place;
    private readonly List<(InputRef Ref, string? Name)> inputs = [];
    private readonly HashSet<string> fetched = new(StringComparer.Ordinal);
    private List<string> unused = [];

    internal Submission(JobService service, JobCaller caller, string? idempotencyKey, UploadPlace place)
    {
        (this.service, this.place) = (service, place);
        (Caller, IdempotencyKey) = (caller, idempotencyKey);
    }

    internal JobCaller Caller { get; }

    internal string? IdempotencyKey { get; }

    /// <summary>The inputs so far.</summary>
    public IReadOnlyList<(InputRef Ref, string? Name)> Inputs => inputs;

    /// <summary>Waits for more of the submission; meanwhile another is read.</summary>
    /// <param name="next">Completes when it is there.</param>
    /// <param name="cancel">Ends the wait.</param>
    public ValueTask<T> AwaitAsync<T>(ValueTask<T> next, CancellationToken cancel) => place.AwaitAsync(next, cancel);

    /// <summary>Takes one picture; returns once it is durable.</summary>
    /// <exception cref="SpotterException">It is not let in.</exception>
    public Task AddInputAsync(Stream content, string? name, CancellationToken cancel) => AddInputAsync(content, name, null, InputTerms.Default, cancel);

    /// <summary>Takes one input of any kind; returns once it is durable.</summary>
    /// <param name="content">Its bytes, which are streamed.</param>
    /// <param name="name">What its sender calls it; null for nothing.</param>
    /// <param name="contentType">The media type that the client gives; null for none.</param>
    /// <param name="terms">What is let in.</param>
    /// <param name="cancel">Ends it.</param>
    /// <exception cref="SpotterException">It is not let in.</exception>
    public async Task AddInputAsync(Stream content, string? name, string? contentType, InputTerms terms, CancellationToken cancel)
    {
        var input = await service.StoreInputAsync(inputs, content, contentType, terms, Judge, cancel);
        unused.Add(input.Key);
        inputs.Add((input, name));
    }

    /// <summary>
    /// As <see cref="AddInputAsync(Stream, string?, string?, InputTerms, CancellationToken)"/>, for one that was fetched from where the request says. The same
    /// request may find another picture there the next time, and is the same request all the same.
    /// </summary>
    public async Task AddFetchedAsync(Stream content, string? name, string? contentType, InputTerms terms, CancellationToken cancel)
    {
        await AddInputAsync(content, name, contentType, terms, cancel);
        fetched.Add(inputs[^1].Ref.Key);
    }

    /// <summary>The jobs of an earlier request with the same idempotency key, before anything is fetched for this one; null when there are none.</summary>
    /// <param name="text">All that was asked for; as <see cref="JobRequest.Text"/>.</param>
    /// <param name="toFetch">How many inputs are still to be fetched.</param>
    /// <param name="cancel">Ends it.</param>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.IdempotencyMismatch"/>.</exception>
    public Task<IReadOnlyList<Job>?> FindEarlierAsync(string text, int toFetch, CancellationToken cancel) => service.FindEarlierAsync(this, text, toFetch, cancel);

    /// <summary>The hash of an input by which a repeated request is known; null for one that was fetched.</summary>
    internal string? SignOf(InputRef input) => fetched.Contains(input.Key) ? null : input.Sha256;

    /// <summary>True for an input that no job has.</summary>
    internal bool IsUnused(string key) => unused.Contains(key, StringComparer.Ordinal);

    /// <summary>Takes over an input that its client has uploaded past the gateway.</summary>
    /// <param name="upload">The upload.</param>
    /// <param name="terms">What is let in.</param>
    /// <param name="cancel">Ends it.</param>
    /// <returns>False when it is there no longer.</returns>
    /// <exception cref="SpotterException">It is not let in.</exception>
    public async Task<bool> AddUploadAsync(FoundUpload upload, InputTerms terms, CancellationToken cancel)
    {
        if (await service.TakeUploadAsync(upload, terms, Judge, cancel) is not { } input)
            return false;
        unused.Add(input.Key);
        inputs.Add((input, upload.Ticket.Name));
        return true;
    }

    /// <summary>Told the pixels of all pictures so far, before the newest is stored; what it throws refuses that.</summary>
    public Action<long>? Judged { get; set; }

    /// <summary>Pixels of all pictures so far.</summary>
    public long Pixels { get; private set; }

    /// <summary>Accepts the jobs. Returning is the acceptance.</summary>
    /// <exception cref="SpotterException">Nothing was accepted, or the store does not say.</exception>
    public async Task<IReadOnlyList<AddedJob>> AcceptAsync(JobRequest request, CancellationToken cancel)
    {
        if (inputs.Count == 0)
            throw new SpotterException(ErrorCodes.EmptyBody, "The request carries no picture; send at least one part named 'image'.");
        var keep = unused;
        var added = await service.AcceptAsync(this, request, onSent: () => unused = [], cancel);
        var used = added.Where(a => a.IsNew).SelectMany(a => a.Job.Spec.Inputs).Select(i => i.Key);
        unused = [.. keep.Except(used, StringComparer.Ordinal)];
        return added;
    }

    private void Judge(long pixels)
    {
        Pixels += pixels;
        Judged?.Invoke(Pixels);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        try
        {
            await service.DeleteQuietlyAsync(unused);
        }
        finally
        {
            place.Dispose();
        }
    }
}
