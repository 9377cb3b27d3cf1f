using Spotter.Core;
using Spotter.Engines.Catalogue;
using Spotter.Gateway.Overload;
using Spotter.Jobs;

namespace Spotter.Gateway.Uploads;

/// <summary>What a client says of an upload that goes past the gateway.</summary>
/// <param name="Form">The fields of its job.</param>
/// <param name="ContentType">Its media type.</param>
/// <param name="Bytes">Its length; null for any that is let in.</param>
/// <param name="Name">What the client calls it; null for nothing.</param>
internal sealed record UploadAsk(JobForm Form, string ContentType, long? Bytes, string? Name);

/// <summary>
/// Uploads that go past the gateway into the bucket of the blobs. What was asked for is judged before, what came afterwards, both as
/// if it had come through here; of the bytes only the first ones are read.
/// </summary>
internal sealed class DirectUploads(JobService jobs, EngineCatalogue engines, ModelCatalogue models, GatewaySettings settings, GatewayMeters meters)
{
    /// <summary>Offers an upload.</summary>
    /// <exception cref="SpotterException">Why not.</exception>
    public async Task<(UploadId Id, BlobForm Form)> OfferAsync(UploadAsk ask, JobCaller caller, CancellationToken cancel)
    {
        jobs.Admission.Check();
        jobs.CheckDeadline(ask.Form.Schedule(), wait: null);
        var terms = TermsOf(ask.Form);
        var type = terms.Take(ask.ContentType) is not null ? ask.ContentType : terms.TakeDeclared(ask.ContentType) ?? throw terms.NotTaken(ask.ContentType);
        var most = terms.MaxBytes ?? settings.Jobs.MaxInputBytes;
        if (ask.Bytes > most)
            throw terms.TooLarge(settings.Jobs.MaxInputBytes);
        var request = ask.Form.Resolve(models.Models, [new InputRef("", type, ask.Bytes ?? 1, "")]);
        foreach (var notification in request.Notify)
            jobs.AcceptNotification(notification);
        var ticket = new UploadTicket { Tenant = caller.Tenant, By = caller.By, Name = ask.Name, ContentType = type, Fields = ask.Form.Fields };
        // Where the result is to be told may be a secret of the client's, and others may upload for it.
        return await jobs.OfferUploadAsync(ticket, isSecret: request.Notify.Count > 0, ask.Bytes ?? 1, ask.Bytes ?? most, cancel);
    }

    /// <summary>The job that an upload has become already; null for none.</summary>
    public async Task<Job?> FindJobAsync(UploadId id, JobCaller owner, CancellationToken cancel) =>
        await jobs.FindSubmissionAsync(owner, KeyOf(id), 1, cancel) is [var job] ? job : null;

    /// <summary>Makes the job of an upload, once however often it is asked to. One that is refused for good is deleted.</summary>
    /// <param name="upload">The upload.</param>
    /// <param name="wait">How long its sender waits for the result; null when that is fetched later.</param>
    /// <param name="charge">Told what the job costs its client, in tenths of a submission; what it throws refuses it for now.</param>
    /// <param name="cancel">Ends it.</param>
    /// <returns>The job, and whether it is new; null when nothing is there yet.</returns>
    /// <exception cref="SpotterException">Why there is none.</exception>
    public async Task<AddedJob?> AcceptAsync(FoundUpload upload, TimeSpan? wait, Action<int> charge, CancellationToken cancel)
    {
        if (upload.Ticket.Refusal is { } earlier)
            throw new SpotterException(earlier.Code, earlier.Message);
        // Somebody else may have made its job and deleted it, but for its ticket.
        if (upload.Start is null)
            return await FindAddedAsync(upload.Id, OwnerOf(upload.Ticket), cancel);
        try
        {
            var added = await AddAsync(upload, wait, charge, cancel);
            if (added is not null)
                await jobs.DropUploadAsync(upload);
            return added;
        }
        catch (SpotterException refusal) when (IsFinal(refusal.Code))
        {
            await jobs.RefuseUploadAsync(upload, refusal);
            throw;
        }
    }

    /// <summary>True for a refusal that would come again.</summary>
    public static bool IsFinal(string code) =>
        code is not (ErrorCodes.RateLimited or ErrorCodes.NotReady or ErrorCodes.Unauthorized or ErrorCodes.Forbidden) && Problems.Of(code, "").Status is >= 400 and < 500;

    private async Task<AddedJob?> AddAsync(FoundUpload upload, TimeSpan? wait, Action<int> charge, CancellationToken cancel)
    {
        var (id, ticket) = (upload.Id, upload.Ticket);
        var owner = OwnerOf(ticket);
        var form = new JobForm(engines);
        foreach (var (name, value) in ticket.Fields)
            form.Set(name, value);
        var terms = TermsOf(form);
        jobs.Admission.Check();
        jobs.CheckDeadline(form.Schedule(), wait);
        await using var submission = await jobs.BeginAsync(owner, KeyOf(id), cancel);
        submission.Judged = pixels => charge(SubmissionCost.Of(pixels, terms.Work, pixelsPerRun: null));
        try
        {
            if (!await submission.AddUploadAsync(upload, terms, cancel))
                return await FindAddedAsync(id, owner, cancel);
        }
        catch (SpotterException gone) when (gone.Code == ErrorCodes.NotReady)
        {
            if (await FindAddedAsync(id, owner, cancel) is { } added)
                return added;
            throw;
        }
        var request = form.Resolve(models.Models, [submission.Inputs[0].Ref]);
        charge(SubmissionCost.Of(submission.Pixels, terms.Work, request.PixelsPerRun));
        var accepted = (await submission.AcceptAsync(request, cancel))[0];
        meters.Accepted(request.Engine, accepted.IsNew ? 1 : 0);
        return accepted;
    }

    private static JobCaller OwnerOf(UploadTicket ticket) => new(ticket.Tenant, ticket.By, SeesAll: false);

    /// <summary>The job that somebody else has made of an upload meanwhile, and then deleted it; null for none.</summary>
    private async Task<AddedJob?> FindAddedAsync(UploadId id, JobCaller owner, CancellationToken cancel) =>
        await FindJobAsync(id, owner, cancel) is { } job ? new AddedJob(job, IsNew: false) : null;

    private InputTerms TermsOf(JobForm form) => form.Terms(models.Models, settings.Jobs.MaxInputBytes, isComplete: true);

    // No client can send a key with a space.
    private static string KeyOf(UploadId id) => $"upload {id.Value}";
}
