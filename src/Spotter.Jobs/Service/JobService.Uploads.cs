using System.Buffers.Text;
using System.Text.Json;
using Spotter.Core;

namespace Spotter.Jobs;

/// <summary>Uploads that go past the gateway, straight into the blob store.</summary>
public sealed partial class JobService
{
    /// <summary>For how long a client may begin its upload.</summary>
    public static readonly TimeSpan UploadLife = TimeSpan.FromMinutes(5);

    /// <summary>For how long an upload of which nothing is seen may still come: one that began in time may take long.</summary>
    private static readonly TimeSpan LongestUpload = TimeSpan.FromHours(1);

    private const int LongestTicket = 256 * 1024;

    /// <summary>Makes sure that clients can upload past the gateway.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.UnsupportedOption"/>: they can't reach the blob store.</exception>
    public void CheckUploads() => _ = Links;

    /// <summary>Notes what is to become of an upload; its name, and the form that uploads it.</summary>
    /// <param name="ticket">What is to become of it.</param>
    /// <param name="isSecret">True when whoever gets the form is not to read that.</param>
    /// <param name="least">Fewest bytes of it.</param>
    /// <param name="most">Most bytes of it.</param>
    /// <param name="cancel">Ends it.</param>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.UnsupportedOption"/>: no client can reach the blob store.</exception>
    public async Task<(UploadId Id, BlobForm Form)> OfferUploadAsync(UploadTicket ticket, bool isSecret, long least, long most, CancellationToken cancel)
    {
        var id = UploadId.New(random, time);
        // As a note it costs no request; what is long or secret lies beside the upload.
        var note = isSecret ? null : Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(ticket, SpotterJson.Default.UploadTicket));
        if (note?.Length > IBlobLinks.LongestNote)
            note = null;
        var form = await Links.FormAsync(BlobKey.Upload(id), ticket.ContentType, least, most, UploadLife, note, cancel);
        if (note is null)
            await WriteTicketAsync(id, ticket, cancel);
        return (id, form);
    }

    /// <summary>What has arrived of an upload, and what is to become of it; null when that is not known, or it has become that.</summary>
    public async Task<FoundUpload?> FindUploadAsync(UploadId id, CancellationToken cancel)
    {
        if (blobs.Links is not { } links)
            return null;
        var start = await links.ReadStartAsync(BlobKey.Upload(id), InputReader.UploadPrefix, cancel);
        if (start?.Note is { } note)
            return ReadNote(note) is { } noted ? new FoundUpload(id, noted, HasTicketBlob: false, start) : null;
        return await ReadTicketAsync(id, cancel) is { } ticket ? new FoundUpload(id, ticket, HasTicketBlob: true, start) : null;
    }

    /// <summary>True while an upload of which nothing is known may still arrive.</summary>
    public bool MayArrive(UploadId id) => time.GetUtcNow() - id.Time is var age && age < LongestUpload && age > -LongestUpload;

    /// <summary>Deletes an upload that has become a job; maintenance does it where this fails.</summary>
    public Task DropUploadAsync(FoundUpload upload) =>
        DeleteQuietlyAsync(upload.HasTicketBlob ? [BlobKey.Upload(upload.Id), BlobKey.Ticket(upload.Id)] : [BlobKey.Upload(upload.Id)]);

    /// <summary>Deletes an upload that never will be a job, and notes why for a day.</summary>
    public async Task RefuseUploadAsync(FoundUpload upload, SpotterException refusal)
    {
        try
        {
            var refused = upload.Ticket with { Fields = new Dictionary<string, string>(StringComparer.Ordinal), Refusal = new UploadRefusal(refusal.Code, refusal.Message) };
            await WriteTicketAsync(upload.Id, refused, CancellationToken.None);
        }
        catch (SpotterException)
        {
            // Who asked now has the refusal; who asks later hears that there is nothing.
        }
        await DeleteQuietlyAsync([BlobKey.Upload(upload.Id)]);
    }

    internal Task<InputRef?> TakeUploadAsync(FoundUpload upload, InputTerms terms, Action<long> judged, CancellationToken cancel) =>
        inputs.TakeAsync(Links, BlobKey.Upload(upload.Id), upload.Start!, upload.Ticket.ContentType, terms, judged, cancel);

    private Task WriteTicketAsync(UploadId id, UploadTicket ticket, CancellationToken cancel) =>
        blobs.PutAsync(BlobKey.Ticket(id), new MemoryStream(JsonSerializer.SerializeToUtf8Bytes(ticket, SpotterJson.Default.UploadTicket)), cancel);

    private async Task<UploadTicket?> ReadTicketAsync(UploadId id, CancellationToken cancel)
    {
        await using var stored = await blobs.OpenAsync(BlobKey.Ticket(id), cancel);
        if (stored is null)
            return null;
        var bytes = new byte[LongestTicket];
        var length = await stored.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancel);
        return JsonSerializer.Deserialize(bytes.AsSpan(0, length), SpotterJson.Default.UploadTicket);
    }

    /// <summary>Null for what no gateway has written: a server that checks no conditions takes anything.</summary>
    private static UploadTicket? ReadNote(string note)
    {
        try
        {
            return JsonSerializer.Deserialize(Base64Url.DecodeFromChars(note), SpotterJson.Default.UploadTicket);
        }
        catch (Exception broken) when (broken is FormatException or JsonException)
        {
            return null;
        }
    }

    private IBlobLinks Links => blobs.Links ?? throw new SpotterException(ErrorCodes.UnsupportedOption,
        "Pictures are not kept in a bucket here, so they can't be uploaded past the gateway; send them to /v1/jobs. Whoever runs the service can keep them in a bucket with --blobs s3://BUCKET.");
}
