using Spotter.Cli.Watch;
using Spotter.Core;

namespace Spotter.Tests.Cli.Watch;

public sealed class SourceAddressTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("http://cam/snap.jpg", SourceKind.Snapshot, "http://cam/snap.jpg", "cam")]
    [InlineData("HTTPS://cam:8443/snap.jpg", SourceKind.Snapshot, "https://cam:8443/snap.jpg", "cam")]
    [InlineData("rtsp://10.0.0.5:554/ch1", SourceKind.Stream, "rtsp://10.0.0.5:554/ch1", "10.0.0.5")]
    [InlineData("rtsps://cam/ch1", SourceKind.Stream, "rtsps://cam/ch1", "cam")]
    [InlineData("tcp://127.0.0.1:9000", SourceKind.Stream, "tcp://127.0.0.1:9000/", "127.0.0.1")]
    public void An_address_says_what_it_is(string text, object kind, string location, string name)
    {
        var address = SourceAddress.Parse(text);

        address.Kind.ShouldBe((SourceKind)kind);
        address.Location.ShouldBe(location);
        address.DefaultName.ShouldBe(name);
        address.Credentials.ShouldBeNull();
    }

    [Fact]
    public void An_http_address_may_be_a_stream() =>
        SourceAddress.Parse("http://cam/live.m3u8", isStream: true).Kind.ShouldBe(SourceKind.Stream);

    [Fact]
    public void A_path_is_a_folder_or_a_video()
    {
        var video = Path.Combine(folder.Path, "door.mp4");
        File.WriteAllBytes(video, [0]);

        SourceAddress.Parse(folder.Path + "/").ShouldSatisfyAllConditions(a => a.Kind.ShouldBe(SourceKind.Folder), a => a.Location.ShouldBe(folder.Path));
        SourceAddress.Parse(video).ShouldSatisfyAllConditions(a => a.Kind.ShouldBe(SourceKind.VideoFile), a => a.DefaultName.ShouldBe("door"));
        Should.Throw<SpotterException>(() => SourceAddress.Parse(Path.Combine(folder.Path, "nowhere"))).Message.ShouldContain("There is no folder or video");
    }

    [Theory]
    [InlineData("rtsp://admin:p%40ss%2Fw@cam:554/ch1?subtype=1&pwd=hunter2", "admin", "p@ss/w", "rtsp://cam:554/ch1?***")]
    [InlineData("http://admin:secret@cam/snap.jpg", "admin", "secret", "http://cam/snap.jpg")]
    [InlineData("http://viewer@cam/snap.jpg", "viewer", "", "http://cam/snap.jpg")]
    public void A_password_is_known_and_not_shown(string text, string user, string password, string shown)
    {
        var address = SourceAddress.Parse(text);

        address.Credentials!.UserName.ShouldBe(user);
        address.Credentials.Password.ShouldBe(password);
        address.ToString().ShouldBe($"the camera {shown}");
        address.Location.ShouldNotContain("@");
    }

    [Fact]
    public void What_ffmpeg_says_loses_its_passwords()
    {
        var address = SourceAddress.Parse("rtsp://admin:p%40ss@cam:554/ch1?pwd=hunter2");

        address.WithCredentials().ShouldBe("rtsp://admin:p%40ss@cam:554/ch1?pwd=hunter2");
        address.Hide("rtsp://admin:p%40ss@cam:554/ch1?pwd=hunter2: Connection refused").ShouldBe("rtsp://cam:554/ch1?***: Connection refused");
        address.Hide("[tcp] rtsp://cam:554/ch1?pwd=hunter2 failed; user admin, p@ss or P%40SS").ShouldBe("[tcp] rtsp://cam:554/ch1?*** failed; user admin, *** or P%40SS".Replace("P%40SS", "***", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("ftp://admin:secret@cam/x")]
    [InlineData("rtsp://admin:sec/ret@:0:0/x")]
    [InlineData("http://")]
    public void What_is_no_source_is_refused_without_repeating_it(string text)
    {
        var refusal = Should.Throw<SpotterException>(() => SourceAddress.Parse(text)).Message;

        refusal.ShouldNotContain("secret");
        refusal.ShouldNotContain("sec/ret");
    }

    [Fact]
    public void Ffmpeg_is_told_to_use_TCP_for_RTSP_only()
    {
        FfmpegVideo.Arguments(SourceAddress.Parse("rtsp://a:b@cam/1"), TimeSpan.FromSeconds(0.5)).ShouldBe(
        [
            "-nostdin", "-hide_banner", "-loglevel", "error", "-rtsp_transport", "tcp", "-i", "rtsp://a:b@cam/1", "-map", "0:v:0",
            "-vf", "fps=fps=1/0.5:round=up", "-c:v", "mjpeg", "-q:v", "3", "-f", "image2pipe", "pipe:1",
        ]);
        FfmpegVideo.Arguments(SourceAddress.Parse("tcp://cam:1"), TimeSpan.FromSeconds(5)).Contains("-rtsp_transport", StringComparer.Ordinal).ShouldBeFalse();
    }
}
