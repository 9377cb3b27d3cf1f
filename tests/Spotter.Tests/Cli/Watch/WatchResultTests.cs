using System.Text.Json;
using Spotter.Cli.Remote;
using Spotter.Cli.Watch;

namespace Spotter.Tests.Cli.Watch;

public sealed class WatchResultTests
{
    private static readonly Frame Frame = new("door.jpg", ReadOnlyMemory<byte>.Empty, new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));

    [Fact]
    public void Objects_are_counted_in_a_line()
    {
        var result = Of("""
            {"width": 640, "height": 480, "detections": [
              {"label": "person", "classId": 0, "confidence": 0.9, "box": {"x1": 1, "y1": 2, "x2": 3, "y2": 4}},
              {"label": "car", "classId": 2, "confidence": 0.8, "box": {"x1": 5, "y1": 6, "x2": 7, "y2": 8}},
              {"label": "person", "classId": 0, "confidence": 0.7, "box": {"x1": 9, "y1": 9, "x2": 9, "y2": 9}}]}
            """);

        result.Line(TimeZoneInfo.Utc).ShouldBe("03:04:05  door: 2 persons, 1 car (job 0123)");
        result.Count.ShouldBe(3);
        result.Counts.ShouldBe(new Dictionary<string, int>(StringComparer.Ordinal) { ["person"] = 2, ["car"] = 1 }, ignoreOrder: true);
        result.Objects[1].ShouldBe(new("car", 0.8, new(5, 6, 7, 8)));
        result.Dropped.ShouldBe(4);
    }

    [Fact]
    public void The_state_for_a_broker_is_the_line_of_json()
    {
        var json = JsonSerializer.SerializeToElement(
            Of("""{"width": 1, "height": 1, "detections": [{"label": "car", "classId": 2, "confidence": 0.5, "box": {"x1": 1, "y1": 2, "x2": 3, "y2": 4}}]}"""), WatchJson.Default.WatchResult);

        json.EnumerateObject().Select(p => p.Name).ShouldBe(["name", "time", "file", "job", "state", "count", "counts", "objects", "dropped", "error"]);
        json.GetProperty("time").GetDateTimeOffset().ShouldBe(Frame.Time);
        json.GetProperty("counts").GetProperty("car").GetInt32().ShouldBe(1);
        json.GetProperty("objects")[0].GetProperty("box").GetProperty("y2").GetDouble().ShouldBe(4);
    }

    [Theory]
    [InlineData("""{"width": 1, "height": 1, "detections": []}""", "nothing found")]
    [InlineData("""{"width": 1, "height": 1, "labels": [{"label": "open", "classId": 0, "confidence": 0.9}, {"label": "shut", "classId": 1, "confidence": 0.1}]}""", "1 open")]
    [InlineData("""{"width": 1, "height": 1, "reading": {"text": "AB 123", "confidence": 0.9}}""", "AB 123")]
    [InlineData("""{"something": "else"}""", "nothing found")]
    public void Whatever_a_model_says_has_words(string json, string words) => Of(json).Line(TimeZoneInfo.Utc).ShouldBe($"03:04:05  door: {words} (job 0123)");

    [Fact]
    public void A_failure_says_why()
    {
        var failed = WatchResult.Of("door", Frame, new ServiceJob { Id = "0123", State = "failed", Error = new("image_invalid", "The JPEG is damaged.") }, 0);
        failed.Line(TimeZoneInfo.Utc).ShouldBe("03:04:05  door: failed: The JPEG is damaged (job 0123)");

        var refused = WatchResult.Refused("door", Frame with { File = "/in/cat.jpg" }, new("unsupported_image", "These bytes are no picture."), 0);
        refused.Line(TimeZoneInfo.Utc).ShouldBe("03:04:05  cat.jpg: failed: These bytes are no picture");
        refused.State.ShouldBe("refused");

        WatchResult.Of("door", Frame, new ServiceJob { Id = "0123", State = "cancelled" }, 0).Line(TimeZoneInfo.Utc).ShouldContain("failed: The job is cancelled");
    }

    [Theory]
    [InlineData(1, "bus", "1 bus")]
    [InlineData(2, "bus", "2 buses")]
    [InlineData(2, "bench", "2 benches")]
    [InlineData(3, "dog", "3 dogs")]
    public void Numbers_have_their_plural(int count, string label, string words) => WatchResult.Number(count, label).ShouldBe(words);

    private static WatchResult Of(string json) =>
        WatchResult.Of("door", Frame, new ServiceJob { Id = "0123", State = "succeeded", Result = JsonDocument.Parse(json).RootElement }, 4);
}
