using System.Text.Json;
using Spotter.Core;

namespace Spotter.Jobs;

/// <summary>Uploads that go past the gateway, straight into the blob store.</summary>
public sealed partial class JobService
{
    /// <summary>For how long a client may begin its upload.</summary>
    public static readonly TimeSpan UploadLife = TimeSpan.FromMinutes(5);

    private const int LongestTicket = 256 * 1024;

    /// <summary>Makes sure that clients can upload past the gateway.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.UnsupportedOption"/>: they can't reach the blob store.</exception>
    public void CheckUploads() => _ = Links;

    /// <summary>Notes what is to become of an upload; its name, and the form that uploads it.</summary>
    /// <param name="ticket">What is to become of it.</param>
    /// <param name="least">Fewest bytes of it.</param>
    /// <param name="most">Most bytes of it.</param>
    /// <param name="cancel">Ends it.</param>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.UnsupportedOption"/>: no client can reach the blob store.</exception>
    public async Task<(UploadId Id, BlobForm Form)> OfferUploadAsync(UploadTicket ticket, long least, long most, CancellationToken cancel)
    {
        var id = UploadId.New(random, time);
        var form = await Links.FormAsync(BlobKey.Upload(id), ticket.ContentType, least, most, UploadLife, cancel);
        await blobs.PutAsync(BlobKey.Ticket(id), new MemoryStream(JsonSerializer.SerializeToUtf8Bytes(ticket, SpotterJson.Default.UploadTicket)), cancel);
        return (id, form);
    }

    /// <summary>What is to become of an upload; null when it has become that, or its time is over.</summary>
    public async Task<UploadTicket?> FindUploadAsync(UploadId id, CancellationToken cancel)
    {
        if (blobs.Links is null)
            return null;
        await using var stored = await blobs.OpenAsync(BlobKey.Ticket(id), cancel);
        if (stored is null)
            return null;
        var bytes = new byte[LongestTicket];
        var length = await stored.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancel);
        return JsonSerializer.Deserialize(bytes.AsSpan(0, length), SpotterJson.Default.UploadTicket);
    }

    /// <summary>Deletes an upload that has become a job, or never will; maintenance does it where this fails.</summary>
    public Task DropUploadAsync(UploadId id) => DeleteQuietlyAsync([BlobKey.Upload(id), BlobKey.Ticket(id)]);

    internal Task<InputRef?> TakeUploadAsync(UploadId id, UploadTicket ticket, InputTerms terms, Action<long> judged, CancellationToken cancel) =>
        inputs.TakeAsync(Links, BlobKey.Upload(id), ticket.ContentType, terms, judged, cancel);

    private IBlobLinks Links => blobs.Links ?? throw new SpotterException(ErrorCodes.UnsupportedOption,
        "Pictures are not kept in a bucket here, so they can't be uploaded past the gateway; send them to /v1/jobs. Whoever runs the service can keep them in a bucket with --blobs s3://BUCKET.");
}
