using Spotter.Backends.S3;
using Spotter.Jobs;

namespace Spotter.Tests.Images;

/// <summary>Messages of a bucket, as S3 writes them and as anybody may.</summary>
public sealed class S3EventTests
{
    private const string Id = "0123456789abcdef0123456789abcdef";

    // From "Event message structure" of Amazon's documentation, with what matters filled in.
    private static string Message(string key = "a+folder/%C3%BC/uploads/ef/" + Id, string bucket = "pictures", string name = "ObjectCreated:Post", int times = 1)
    {
        var record = """
            {"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"eu-central-1","eventTime":"2026-01-01T00:00:00.000Z","eventName":"NAME",
             "userIdentity":{"principalId":"P"},"requestParameters":{"sourceIPAddress":"127.0.0.1"},
             "s3":{"s3SchemaVersion":"1.0","configurationId":"uploads","bucket":{"name":"BUCKET","ownerIdentity":{"principalId":"P"},"arn":"arn:aws:s3:::BUCKET"},
                   "object":{"key":"KEY","size":1024,"eTag":"e","sequencer":"0055AED6DCD90281E5"}}}
            """.Replace("NAME", name, StringComparison.Ordinal).Replace("BUCKET", bucket, StringComparison.Ordinal).Replace("KEY", key, StringComparison.Ordinal);
        return "{\"Records\":[" + string.Join(',', Enumerable.Repeat(record, times)) + "]}";
    }

    private static IReadOnlyList<UploadId>? Read(string message) => S3Event.UploadsIn(message, "pictures", "a folder/ü/");

    [Fact]
    public void An_upload_is_found_by_its_encoded_key() => Read(Message(times: 2)).ShouldNotBeNull().Select(u => u.Value).ShouldBe([Id, Id]);

    [Fact]
    public void What_is_no_upload_is_passed_over()
    {
        Read(Message(name: "ObjectRemoved:Delete")).ShouldBe([]);
        Read(Message(bucket: "others")).ShouldBe([]);
        Read(Message(key: "uploads/ef/" + Id)).ShouldBe([]);
        Read(Message(key: "a+folder/%C3%BC/uploads/00/" + Id)).ShouldBe([]);
        Read(Message(key: "a+folder/%C3%BC/uploads/ef/../ef/" + Id)).ShouldBe([]);
        Read(Message(key: "a+folder/%C3%BC/in/ef/" + Id)).ShouldBe([]);
        Read("""{"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2026-01-01T00:00:00.000Z","Bucket":"pictures","RequestId":"R","HostId":"H"}""").ShouldBe([]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("7")]
    [InlineData("{}")]
    [InlineData("""{"Records":7}""")]
    [InlineData("""{"Records":[7]}""")]
    [InlineData("""{"Records":[{"eventName":7,"s3":{"object":{"key":7}}}]}""")]
    [InlineData("""{"Records":[{"eventName":"ObjectCreated:Put","s3":{"object":{}}}]}""")]
    [InlineData("""{"Event":"another"}""")]
    public void What_S3_does_not_write_is_told_apart(string message) => Read(message).ShouldBeNull();
}
