using Amazon.Runtime;
using Spotter.Backends.S3;

namespace Spotter.Tests.Images;

/// <summary>What the bucket lets others do, by signatures.</summary>
public sealed class S3SignatureTests
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

        var form = await store.Links.FormAsync(Key, "image/png", 10, 5000, TimeSpan.FromMinutes(5), "a-note", default);

        form.Url.ShouldBe("https://pictures.s3.eu-central-1.amazonaws.com/");
        var policy = new PostPolicy(form.Fields);
        policy.IsSignedWith("a secret").ShouldBeTrue();
        policy.IsSignedWith("another").ShouldBeFalse();
        policy.Length.ShouldBe((10, 5000));
        policy.Loose.ShouldBeEmpty();
        policy.Exact["bucket"].ShouldBe("pictures");
        policy.Exact["key"].ShouldBe("spotter/" + Key);
        policy.Exact["content-type"].ShouldBe("image/png");
        policy.Exact["x-amz-meta-spotter"].ShouldBe("a-note");
        // Whatever is sent besides is refused, so all that is to be sent is there.
        foreach (var (name, value) in form.Fields.Where(f => f.Key is not ("Policy" or "x-amz-signature")))
            policy.Exact[name].ShouldBe(value);
        policy.Expires.ShouldBeInRange(before.AddMinutes(5).AddSeconds(-1), TimeProvider.System.GetUtcNow().AddMinutes(5));
        form.Expires.ShouldBe(policy.Expires, TimeSpan.FromSeconds(1));
        form.ToString().ShouldNotContain(policy.Field("x-amz-signature"));
    }
}

[NeedsMoto, Collection(nameof(S3Server))]
public sealed class S3LinksTests(S3Server server) : S3LinksConformance
{
    private protected override Task<S3Settings> NewBucketAsync(string prefix) => server.NewBucketAsync(prefix);
}
