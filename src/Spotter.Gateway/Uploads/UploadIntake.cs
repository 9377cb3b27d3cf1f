using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Spotter.Core;
using Spotter.Gateway.Access;
using Spotter.Gateway.Fetching;
using Spotter.Gateway.Overload;
using Spotter.Jobs;

namespace Spotter.Gateway.Uploads;

/// <summary>
/// Turns requests that bring inputs into jobs, within all limits on uploads: how large they may be, how long they may take,
/// what they cost their client. A door reads its protocol, and nothing else.
/// </summary>
internal sealed class UploadIntake(
    JobService jobs, LongRequests longRequests, ModelCatalogue models, GatewaySettings settings, ClientLimits clients, GatewayMeters meters, UrlFetcher fetcher, TimeProvider time)
{
    /// <summary>A request may carry this much besides its inputs: boundaries, names, fields.</summary>
    public const int FramingBytes = 64 * 1024;

    /// <summary>What has to have come of a request before it takes one of the places for uploads.</summary>
    private const int ArrivedBytes = 32 * 1024;

    /// <summary>Turns away, before the body is read, what can't be let in: too large, too much at once, or too late.</summary>
    /// <exception cref="SpotterException">Why.</exception>
    public void Check(Upload upload)
    {
        var terms = Terms(upload);
        CheckLength(upload, terms);
        // The server reads no more of the body than the engine takes, which may be more or less than of other calls.
        if (upload.Http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } server)
            server.MaxRequestBodySize = BodyBytes(upload, terms);
        jobs.Admission.Check();
        jobs.CheckDeadline(upload.Form.Schedule(), upload.Wait);
    }

    /// <summary>When this returns, the jobs are accepted. Call <see cref="Check"/> before.</summary>
    /// <param name="upload">The request.</param>
    /// <param name="read">Reads the body: sets the fields that it finds, and passes on each input.</param>
    /// <param name="cancel">Ends it.</param>
    /// <exception cref="SpotterException">Why nothing was accepted.</exception>
    public async Task<IReadOnlyList<Job>> AcceptAsync(Upload upload, Func<OnInput, Task> read, CancellationToken cancel)
    {
        var (http, form) = (upload.Http, upload.Form);
        using var place = Enter(longRequests.Uploads, http);
        IDisposable? turn = null;
        if (await ArriveAsync(http.Request, cancel))
        {
            // What has come in full is on its way no longer, and keeps no other out.
            turn = Enter(longRequests.Turns, http);
            place.Dispose();
        }
        await using var submission = await BeginAsync(upload, turn, cancel);
        using var late = new CancellationTokenSource(LongestUpload(Terms(upload)), time);
        http.Request.Body = new ArrivingBody(http.Request.Body, submission, late.Token);
        var paid = CallCost.Submission.Permits;
        submission.Judged = pixels => paid = clients.Charge(http, SubmissionCost.Of(pixels, Terms(upload).Work, pixelsPerRun: null), paid);
        await read(async (content, name, type) =>
        {
            // The fields that came before the first input may say what the query did not.
            var terms = Terms(upload);
            if (submission.Inputs.Count == 0)
                jobs.CheckDeadline(form.Schedule(), upload.Wait);
            CheckLength(upload, terms);
            await submission.AddInputAsync(content, name, type, terms, cancel);
        });
        if (form.Urls.Count > 0 && await FetchAsync(upload, submission, cancel) is { } earlier)
        {
            AuditEntry.Made(http, earlier.Select(j => j.Id.Value));
            return earlier;
        }
        if (submission.Inputs.Count == 0)
            throw new SpotterException(ErrorCodes.EmptyBody, "The request carries no picture; send at least one part named 'image'.");

        // Fields that came after the inputs may have chosen an engine that takes less than was let in.
        var chosen = Terms(upload, isComplete: true);
        if (submission.Inputs.Sum(i => i.Ref.Bytes) > MostBytes(chosen))
            throw chosen.TooLarge(settings.Jobs.MaxInputBytes);
        var request = upload.Work?.Request ?? form.Resolve(models.Models, [.. submission.Inputs.Select(i => i.Ref)]);
        clients.Charge(http, SubmissionCost.Of(submission.Pixels, chosen.Work, request.PixelsPerRun), paid);
        var added = await submission.AcceptAsync(request, cancel);
        meters.Accepted(request.Engine, added.Count(a => a.IsNew));
        AuditEntry.Made(http, added.Select(a => a.Job.Id.Value));
        return [.. added.Select(a => a.Job)];
    }

    /// <summary>
    /// A place to wait for results in; dispose of it afterwards. For doors that can't answer without the result: to be taken before
    /// there is a job, so that nobody has one and hears nothing of it.
    /// </summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.Busy"/>.</exception>
    public IDisposable EnterWait(HttpContext http) => longRequests.Waits.TryEnter(http) ?? throw new SpotterException(ErrorCodes.Busy, string.Create(CultureInfo.InvariantCulture,
        $"Too many requests wait for their results ({longRequests.Waits.Share} of one client, {longRequests.Waits.Most} of all); send it again when some have ended, or to /v1/jobs, which does not wait."));

    /// <summary>Waits until all of these have ended, at most so long; the rows as they stand then.</summary>
    public async Task<IReadOnlyList<Job>> WaitAsync(IReadOnlyList<Job> accepted, TimeSpan longest, CancellationToken cancel)
    {
        var ended = await Task.WhenAll(accepted.Select(job => jobs.Watcher.WaitAsync(job.Id, longest, cancel)));
        return [.. accepted.Select((job, i) => ended[i] ?? job)];
    }

    /// <summary>Fetches the inputs that a request names by their URLs, one after the other; the jobs of an earlier request where this one repeats it.</summary>
    private async Task<IReadOnlyList<Job>?> FetchAsync(Upload upload, Submission submission, CancellationToken cancel)
    {
        var (form, terms) = (upload.Form, Terms(upload, isComplete: true));
        if (submission.Inputs.Count + form.Urls.Count > Math.Min(terms.MaxInputs ?? int.MaxValue, settings.Jobs.MaxInputsPerSubmission))
            throw terms.TooMany(settings.Jobs.MaxInputsPerSubmission);
        if (submission.Inputs.Count == 0)
            jobs.CheckDeadline(form.Schedule(), upload.Wait);
        foreach (var url in form.Urls)
            fetcher.Check(url);
        if (await submission.FindEarlierAsync(form.Text, form.Urls.Count, cancel) is { } earlier)
            return earlier;
        using var place = longRequests.Fetches.TryEnter(upload.Http) ?? throw new SpotterException(ErrorCodes.Busy, string.Create(CultureInfo.InvariantCulture,
            $"Too many requests have pictures fetched ({longRequests.Fetches.Share} of one client, {longRequests.Fetches.Most} of all); send it again when some have ended."));
        foreach (var url in form.Urls)
        {
            var left = MostBytes(terms) - submission.Inputs.Sum(i => i.Ref.Bytes);
            await using var file = await submission.AwaitAsync(new ValueTask<FetchedFile>(fetcher.OpenAsync(url, left, () => terms.TooLarge(settings.Jobs.MaxInputBytes), cancel)), cancel);
            await using var arriving = new ArrivingBody(file.Content, submission, CancellationToken.None);
            await submission.AddFetchedAsync(arriving, PictureName.Of(file.Name), file.ContentType, terms, cancel);
        }
        return null;
    }

    private static IDisposable Enter(Places places, HttpContext http) => places.TryEnter(http) ?? throw new SpotterException(ErrorCodes.Busy, string.Create(CultureInfo.InvariantCulture,
        $"Too many uploads are under way ({places.Share} of one client, {places.Most} of all); send it again when some have ended."));

    private async Task<Submission> BeginAsync(Upload upload, IDisposable? turn, CancellationToken cancel)
    {
        using (turn)
            return await jobs.BeginAsync(Caller.Of(upload.Http).AsJobCaller(), upload.IdempotencyKey, cancel);
    }

    /// <summary>What is taken, by the fields so far.</summary>
    public InputTerms Terms(Upload upload) => Terms(upload, upload.HasAllFields);

    private InputTerms Terms(Upload upload, bool isComplete) => upload.Work?.Terms ?? upload.Form.Terms(models.Models, settings.Jobs.MaxInputBytes, isComplete);

    private long MostBytes(InputTerms terms) => terms.MaxBytes ?? settings.Jobs.MaxInputBytes;

    private TimeSpan LongestUpload(InputTerms terms) => settings.LongestUpload + TimeSpan.FromSeconds(MostBytes(terms) / (double)GatewaySettings.SlowestUpload);

    /// <summary>How long a body may be that brings so many bytes of inputs.</summary>
    private long BodyBytes(Upload upload, InputTerms terms) => upload.Encoded(MostBytes(terms)) + FramingBytes;

    /// <summary>Turns away what says itself that it is too long, before it is read.</summary>
    private void CheckLength(Upload upload, InputTerms terms)
    {
        if (upload.Http.Request.ContentLength > BodyBytes(upload, terms))
            throw terms.TooLarge(settings.Jobs.MaxInputBytes);
    }

    /// <summary>
    /// Returns once so much of the request is there that reading it on takes a place for a moment only. Who sends a byte a
    /// second waits outside, until the server has had enough, and keeps nobody out.
    /// </summary>
    /// <returns>True when there is all of it.</returns>
    private static async Task<bool> ArriveAsync(HttpRequest request, CancellationToken cancel)
    {
        var least = (int)Math.Min(request.ContentLength ?? ArrivedBytes, ArrivedBytes);
        var read = await request.BodyReader.ReadAtLeastAsync(least, cancel);
        var whole = read.IsCompleted || read.Buffer.Length >= request.ContentLength;
        request.BodyReader.AdvanceTo(read.Buffer.Start);
        return whole;
    }
}
