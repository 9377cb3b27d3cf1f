using System.Text.Json;
using Spotter.Core;
using Spotter.Gateway;
using Spotter.Gateway.Cameras;
using Spotter.Vision;

namespace Spotter.Tests.Gateway.Cameras;

public sealed class CameraAnswersTests
{
    private static readonly string[] Unordered = ["0.5 bus", "0.9 person", "0.41 dog"];

    [Fact]
    public void Predictions_are_the_most_confident_first_and_no_more_than_there_is_room_for()
    {
        var found = Result([.. Enumerable.Range(0, 30).Select(i => Found($"0.{40 + i} thing{i}", default))]);

        var predictions = CameraPredictions.Of(found, 20);

        predictions.Count.ShouldBe(20);
        predictions.Select(p => p.Confidence).ShouldBeInOrder(SortDirection.Descending);
        predictions[0].Label.ShouldBe("thing29");
    }

    [Fact]
    public void Edges_are_whole_pixels_within_the_picture() =>
        CameraPredictions.Of(Result(Found("0.5 bus", new Box(-0.4, 2.5, 63.6, 101))), 20)[0].ShouldBe(new CameraPrediction(0.5, "bus", 3, 0, 48, 64));

    [Theory]
    [InlineData(0, "No objects found with a confidence of 0.45 or more")]
    [InlineData(1, "Found person")]
    [InlineData(3, "Found person, bus, dog")]
    public void The_message_says_what_was_found(int count, string message)
    {
        var predictions = CameraPredictions.Of(Result([.. Unordered.Select(text => Found(text, default))]), count == 0 ? 20 : count);

        CameraPredictions.Message(count == 0 ? [] : predictions, 0.45).ShouldBe(message);
    }

    [Fact]
    public void A_long_message_is_cut_off() =>
        CameraPredictions.Message(CameraPredictions.Of(Result([.. Enumerable.Range(0, 4).Select(_ => Found("0.5 bus", default))]), 20), 0.4).ShouldBe("Found bus, bus, bus...");

    [Fact]
    public void An_answer_has_the_names_of_both_servers()
    {
        var answer = new DetectionAnswer
        {
            Predictions = CameraPredictions.Of(Result(Found("0.91 person", new Box(1, 0, 8, 9))), 20),
            Duration = 0.25,
            Message = "Found person",
            Command = "detect",
            ModuleName = "Spotter (tiny)",
            InferenceMs = 3,
            ProcessMs = 5,
            AnalysisRoundTripMs = 7,
            TimestampUTC = "Sat, 28 Nov 2026 14:00:00 GMT",
        };

        JsonSerializer.Serialize(answer, CameraJson.Default.DetectionAnswer).ShouldBe(
            """{"success":true,"predictions":[{"confidence":0.91,"label":"person","y_min":0,"x_min":1,"y_max":9,"x_max":8}],"duration":0.25,"message":"Found person","count":1"""
            + ""","command":"detect","moduleId":"Spotter","moduleName":"Spotter (tiny)","code":200,"inferenceMs":3,"processMs":5,"analysisRoundTripMs":7"""
            + ""","inferenceDevice":"CPU","executionProvider":"CPU","canUseGPU":false,"processedBy":"localhost","timestampUTC":"Sat, 28 Nov 2026 14:00:00 GMT"}""");
    }

    [Fact]
    public void Failures_have_the_shape_of_one_or_the_other_server()
    {
        JsonSerializer.Serialize(new DeepStackError("No."), CameraJson.Default.DeepStackError).ShouldBe("""{"success":false,"error":"No.","duration":0}""");
        JsonSerializer.Serialize(new CodeProjectError("No.", "camera-server"), CameraJson.Default.CodeProjectError)
            .ShouldBe("""{"success":false,"code":500,"error":"No.","hostname":"camera-server"}""");
    }

    [Theory]
    [InlineData(ErrorCodes.UnsupportedImage, 400)]
    [InlineData(ErrorCodes.ImageTruncated, 400)]
    [InlineData(ErrorCodes.EmptyBody, 400)]
    [InlineData(ErrorCodes.InvalidRequest, 400)]
    [InlineData(ErrorCodes.Unauthorized, 401)]
    [InlineData(ErrorCodes.Forbidden, 403)]
    [InlineData(ErrorCodes.UnknownModel, 404)]
    [InlineData(ErrorCodes.RateLimited, 429)]
    [InlineData(ErrorCodes.DeadlineUnmeetable, 503)]
    public void DeepStack_has_one_status_for_what_is_wrong_with_a_picture(string code, int status) => CameraErrors.StatusOf(Problems.Of(code, "No.")).ShouldBe(status);

    [Theory]
    [InlineData(-1, 10, 20)]
    [InlineData(65536, 10, 20)]
    [InlineData(8080, 10, 20)]
    [InlineData(null, 0, 20)]
    [InlineData(null, 10, 0)]
    public void Settings_that_serve_nobody_are_refused(int? port, double seconds, int most) =>
        Should.Throw<SpotterException>(() => new CameraSettings { Port = port, Timeout = TimeSpan.FromSeconds(seconds), MaxPredictions = most }.Validate(8080)).Message.ShouldEndWith(".");

    /// <summary>A result as the engines write it, read as doors read it.</summary>
    private static PictureResult Result(params Detection[] found) =>
        RawJson.Of(new VisionResult { Width = 64, Height = 48, Detections = found }, VisionJson.Default.VisionResult).Read(PictureResultJson.Default.PictureResult);

    private static Detection Found(string text, Box box) =>
        new(text.Split(' ')[1], 0, double.Parse(text.Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture), box);
}
