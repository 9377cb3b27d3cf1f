using System.Security.Cryptography;
using Amazon.Runtime;
using Spotter.Backends.S3;
using Spotter.Core;
using Spotter.EndToEnd.Harness;
using Spotter.Jobs;
using Spotter.Tests.Jobs;

namespace Spotter.Tests.Images;

/// <summary>What the bucket lets others do, by signatures.</summary>
[Collection(nameof(S3Server))]
public sealed class S3LinksTests(S3Server server)
{
    private const string Key = "uploads/ef/0123456789abcdef0123456789abcdef";

    /// <summary>From "Example: Browser-Based Upload using HTTP POST (Using AWS Signature Version 4)" of Amazon's documentation.</summary>
    [Fact]
    public void The_signature_of_Amazons_example_is_Amazons()
    {
        const string policy = "eyAiZXhwaXJhdGlvbiI6ICIyMDE1LTEyLTMwVDEyOjAwOjAwLjAwMFoiLA0KICAiY29uZGl0aW9ucyI6IFsNCiAgICB7ImJ1Y2tldCI6ICJzaWd2NGV4YW1wbGVidWNrZXQifSwNCiAgICBbInN0YXJ0cy13aXRoIiwgIiRrZXkiLCAidXNlci91c2VyMS8iXSwNCiAgICB7ImFjbCI6ICJwdWJsaWMtcmVhZCJ9LA0KICAgIHsic3VjY2Vzc19hY3Rpb25fcmVkaXJlY3QiOiAiaHR0cDovL3NpZ3Y0ZXhhbXBsZWJ1Y2tldC5zMy5hbWF6b25hd3MuY29tL3N1Y2Nlc3NmdWxfdXBsb2FkLmh0bWwifSwNCiAgICBbInN0YXJ0cy13aXRoIiwgIiRDb250ZW50LVR5cGUiLCAiaW1hZ2UvIl0sDQogICAgeyJ4LWFtei1tZXRhLXV1aWQiOiAiMTQzNjUxMjM2NTEyNzQifSwNCiAgICB7IngtYW16LXNlcnZlci1zaWRlLWVuY3J5cHRpb24iOiAiQUVTMjU2In0sDQogICAgWyJzdGFydHMtd2l0aCIsICIkeC1hbXotbWV0YS10YWciLCAiIl0sDQoNCiAgICB7IngtYW16LWNyZWRlbnRpYWwiOiAiQUtJQUlPU0ZPRE5ON0VYQU1QTEUvMjAxNTEyMjkvdXMtZWFzdC0xL3MzL2F3czRfcmVxdWVzdCJ9LA0KICAgIHsieC1hbXotYWxnb3JpdGhtIjogIkFXUzQtSE1BQy1TSEEyNTYifSwNCiAgICB7IngtYW16LWRhdGUiOiAiMjAxNTEyMjlUMDAwMDAwWiIgfQ0KICBdDQp9";

        PostPolicy.SignatureOf("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request", policy)
            .ShouldBe("8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e");
    }

    [Fact]
    public async Task A_form_lets_in_one_key_one_type_and_a_range_of_lengths_for_minutes()
    {
        using var store = new S3BlobStore(
            S3Settings.Parse("s3://pictures/spotter", endpoint: null, "eu-central-1") with { Credentials = new SessionAWSCredentials("AKIDEXAMPLE", "a secret", "a session") }, TimeProvider.System);
        var before = TimeProvider.System.GetUtcNow();

        var form = await store.Links.FormAsync(Key, "image/png", 10, 5000, TimeSpan.FromMinutes(5), default);

        form.Url.ShouldBe("https://pictures.s3.eu-central-1.amazonaws.com/");
        var policy = new PostPolicy(form.Fields);
        policy.IsSignedWith("a secret").ShouldBeTrue();
        policy.IsSignedWith("another").ShouldBeFalse();
        policy.Length.ShouldBe((10, 5000));
        policy.Loose.ShouldBeEmpty();
        policy.Exact["bucket"].ShouldBe("pictures");
        policy.Exact["key"].ShouldBe("spotter/" + Key);
        policy.Exact["content-type"].ShouldBe("image/png");
        // Whatever is sent besides is refused, so all that is to be sent is there.
        foreach (var (name, value) in form.Fields.Where(f => f.Key is not ("Policy" or "x-amz-signature")))
            policy.Exact[name].ShouldBe(value);
        policy.Expires.ShouldBeInRange(before.AddMinutes(5).AddSeconds(-1), TimeProvider.System.GetUtcNow().AddMinutes(5));
        form.Expires.ShouldBe(policy.Expires, TimeSpan.FromSeconds(1));
        form.ToString().ShouldNotContain(policy.Field("x-amz-signature"));
    }

    [MotoFact]
    public async Task What_a_form_uploads_is_read_by_its_beginning_and_copied_with_its_hash()
    {
        using var store = new S3BlobStore(await server.NewBucketAsync("a folder"), TimeProvider.System);
        var bytes = new byte[100_000];
        RandomSource.Seeded(1).Fill(bytes);
        await PostAsync(await store.Links.FormAsync(Key, "image/png", 1, 200_000, TimeSpan.FromMinutes(5), default), bytes);

        var start = (await store.Links.ReadStartAsync(Key, 1000, default)).ShouldNotBeNull();
        start.Bytes.ToArray().ShouldBe(bytes[..1000]);
        start.Length.ShouldBe(100_000);
        (await store.Links.ReadStartAsync(Key, 1_000_000, default))!.Bytes.ToArray().ShouldBe(bytes);

        (await store.Links.CopyAsync(Key, start.Version, "in/ab/copy", default)).ShouldBe(Convert.ToHexStringLower(SHA256.HashData(bytes)));
        await using var copy = (await store.OpenAsync("in/ab/copy", default)).ShouldNotBeNull();
        var read = new byte[bytes.Length];
        await copy.ReadExactlyAsync(read);
        read.ShouldBe(bytes);
    }

    [MotoFact]
    public async Task A_link_opens_one_blob_for_minutes()
    {
        using var store = new S3BlobStore(await server.NewBucketAsync("Über uns/1 + 1"), TimeProvider.System);
        await store.PutAsync("in/ab/abc", new MemoryStream([1, 2, 3]), default);

        var link = await store.Links.LinkAsync("in/ab/abc", TimeSpan.FromMinutes(5), default);

        link.ShouldContain("X-Amz-Expires=");
        link.ShouldContain("X-Amz-Signature=");
        using var client = new HttpClient();
        (await client.GetByteArrayAsync(new Uri(link))).ShouldBe([1, 2, 3]);
    }

    [MotoFact]
    public async Task What_is_not_there_or_has_no_byte_is_told_apart()
    {
        using var store = new S3BlobStore(await server.NewBucketAsync(), TimeProvider.System);

        (await store.Links.ReadStartAsync(Key, 1000, default)).ShouldBeNull();
        (await Should.ThrowAsync<SpotterException>(store.Links.CopyAsync(Key, "\"0\"", "in/ab/copy", default))).Code.ShouldBe(ErrorCodes.NotReady);

        await store.PutAsync(Key, new MemoryStream(), default);
        (await store.Links.ReadStartAsync(Key, 1000, default)).ShouldNotBeNull().Length.ShouldBe(0);
    }

    [MotoFact]
    public async Task Uploads_that_became_no_job_are_deleted_after_a_day_and_not_before()
    {
        using var store = new S3BlobStore(await server.NewBucketAsync("part"), TimeProvider.System);
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
        using var content = new MultipartFormDataContent();
        foreach (var (name, value) in form.Fields)
            content.Add(new StringContent(value), name);
        content.Add(new ByteArrayContent(bytes), BlobForm.File, "picture.png");
        using var client = new HttpClient();
        using var answer = await client.PostAsync(new Uri(form.Url), content);
        answer.IsSuccessStatusCode.ShouldBeTrue(await answer.Content.ReadAsStringAsync());
    }
}
