using System.Security.Cryptography;
using Spotter.Backends.S3;
using Spotter.Core;
using Spotter.Jobs;
using Spotter.Tests.Jobs;
using Spotter.Worker;

namespace Spotter.Tests.Images;

/// <summary>What the bucket does with signatures, whatever server plays it.</summary>
public abstract class S3LinksConformance
{
    private const string Key = "uploads/ef/0123456789abcdef0123456789abcdef";

    /// <summary>A new bucket, and how to reach it.</summary>
    private protected abstract Task<S3Settings> NewBucketAsync(string prefix);

    [Fact]
    public async Task What_a_form_uploads_is_read_by_its_beginning_and_copied_with_its_hash()
    {
        using var store = new S3BlobStore(await NewBucketAsync("a folder"), TimeProvider.System);
        var bytes = new byte[100_000];
        RandomSource.Seeded(1).Fill(bytes);
        await PostAsync(await store.Links.FormAsync(Key, "image/png", 1, 200_000, TimeSpan.FromMinutes(5), "a-note", default), bytes);

        var start = (await store.Links.ReadStartAsync(Key, 1000, default)).ShouldNotBeNull();
        start.Bytes.ToArray().ShouldBe(bytes[..1000]);
        (start.Length, start.Note).ShouldBe((100_000, "a-note"));
        (await store.Links.ReadStartAsync(Key, 1_000_000, default))!.Bytes.ToArray().ShouldBe(bytes);

        (await store.Links.CopyAsync(Key, start.Version, "in/ab/copy", default)).ShouldBe(Convert.ToHexStringLower(SHA256.HashData(bytes)));
        await using var copy = (await store.OpenAsync("in/ab/copy", default)).ShouldNotBeNull();
        var read = new byte[bytes.Length];
        await copy.ReadExactlyAsync(read);
        read.ShouldBe(bytes);
    }

    [Fact]
    public async Task A_link_opens_one_blob_for_minutes()
    {
        using var store = new S3BlobStore(await NewBucketAsync("Über uns/1 + 1"), TimeProvider.System);
        await store.PutAsync("in/ab/abc", new MemoryStream([1, 2, 3]), default);

        var link = await store.Links.LinkAsync("in/ab/abc", TimeSpan.FromMinutes(5), default);

        link.ShouldContain("X-Amz-Expires=");
        link.ShouldContain("X-Amz-Signature=");
        using var client = new HttpClient();
        (await client.GetByteArrayAsync(new Uri(link))).ShouldBe([1, 2, 3]);
    }

    [Fact]
    public async Task What_is_not_there_or_has_no_byte_is_told_apart()
    {
        using var store = new S3BlobStore(await NewBucketAsync(""), TimeProvider.System);

        (await store.Links.ReadStartAsync(Key, 1000, default)).ShouldBeNull();
        (await Should.ThrowAsync<SpotterException>(store.Links.CopyAsync(Key, "\"0\"", "in/ab/copy", default))).Code.ShouldBe(ErrorCodes.NotReady);

        await store.PutAsync(Key, new MemoryStream(), default);
        var empty = (await store.Links.ReadStartAsync(Key, 1000, default)).ShouldNotBeNull();
        (empty.Length, empty.Note).ShouldBe((0, null));
        await PostAsync(await store.Links.FormAsync(Key, "image/png", 0, 1, TimeSpan.FromMinutes(5), "a-note", default), []);
        empty = (await store.Links.ReadStartAsync(Key, 1000, default)).ShouldNotBeNull();
        (empty.Length, empty.Note).ShouldBe((0, "a-note"));
    }

    [Fact]
    public async Task Uploads_that_became_no_job_are_deleted_after_a_day_and_not_before()
    {
        using var store = new S3BlobStore(await NewBucketAsync("part"), TimeProvider.System);
        await using var fixture = new LocalFixture();
        var clock = new ManualClock(TimeProvider.System.GetUtcNow());
        var maintenance = new Maintenance(fixture.Open(clock).Jobs, store, new LeaseSettings(), clock);
        UploadId.TryParse("0123456789abcdef0123456789abcdef", out var id).ShouldBeTrue();
        foreach (var key in (string[])[BlobKey.Upload(id), BlobKey.Ticket(id), "images/one.png"])
            await store.PutAsync(key, new MemoryStream([1]), default);

        clock.Advance(TimeSpan.FromHours(23));
        (await maintenance.RunOnceAsync(default)).Orphans.ShouldBe(0);
        (await store.Links.ReadStartAsync(BlobKey.Upload(id), 1, default)).ShouldNotBeNull();

        clock.Advance(TimeSpan.FromHours(2));
        (await maintenance.RunOnceAsync(default)).Orphans.ShouldBe(2);
        (await store.Links.ReadStartAsync(BlobKey.Upload(id), 1, default)).ShouldBeNull();
        (await store.Links.ReadStartAsync(BlobKey.Ticket(id), 1, default)).ShouldBeNull();
        (await store.Links.ReadStartAsync("images/one.png", 1, default)).ShouldNotBeNull();
    }

    private static async Task PostAsync(BlobForm form, byte[] bytes)
    {
        using var content = BlobFormContent.Of(form, new ByteArrayContent(bytes));
        using var client = new HttpClient();
        using var answer = await client.PostAsync(new Uri(form.Url), content);
        answer.IsSuccessStatusCode.ShouldBeTrue(await answer.Content.ReadAsStringAsync());
    }
}
