using System.Text.Json;
using Spotter.Core;
using Spotter.Engines.Catalogue;
using Spotter.Jobs;
using Spotter.Vision;

namespace Spotter.Tests.Engines;

public sealed class ThresholdTests
{
    private static readonly ModelInfo Model = new("tiny", VisionTasks.Detect, "yolov8", 64, 64, ["person", "bus", "a, b", "size: 4"]) { Version = "1" };

    [Theory]
    [InlineData("person:0.6,bus:0.4")]
    [InlineData(" bus : 0.4 , Person:6e-1 ")]
    [InlineData("{\"bus\": 0.4, \"PERSON\": 0.6}")]
    public void Thresholds_are_read_from_text_and_from_JSON(string text)
    {
        var request = Resolve(text);

        Of(request).ShouldBe([("bus", 0.4), ("person", 0.6)]);
        // However it was written down, it is the same work.
        request.CacheParameters.ShouldBe(Resolve("person:0.6,bus:0.4").CacheParameters);
        request.CacheParameters.ShouldNotBe(Resolve("person:0.6,bus:0.5").CacheParameters);
    }

    [Fact]
    public void A_label_may_have_colons_and_in_JSON_commas()
    {
        Of(Resolve("size: 4:0.5")).ShouldBe([("size: 4", 0.5)]);
        Of(Resolve("{\"a, b\": 1}")).ShouldBe([("a, b", 1)]);
    }

    [Fact]
    public void A_JSON_body_has_them_as_an_object()
    {
        using var body = JsonDocument.Parse("{\"person\": 0.6}");
        var form = new JobForm(EngineCatalogue.BuiltIn);

        form.Set("thresholds", body.RootElement);

        Of(form.Resolve([Model], [Picture])).ShouldBe([("person", 0.6)]);
    }

    [Theory]
    [InlineData("unicorn:0.5", ErrorCodes.UnknownLabel, "The model 'tiny' knows no label 'unicorn'; GET /v1/models lists those it knows.")]
    [InlineData("person:1.5", ErrorCodes.ThresholdOutOfRange, "The field 'thresholds' is 1.5 for 'person'; it goes from 0 to 1.")]
    [InlineData("person:NaN", ErrorCodes.ThresholdOutOfRange, "The field 'thresholds' is NaN for 'person'; it goes from 0 to 1.")]
    [InlineData("person", ErrorCodes.InvalidRequest, "The field 'thresholds' has 'person'; it is LABEL:NUMBER pairs separated by commas, or a JSON object.")]
    [InlineData("person:0.5,person:0.6", ErrorCodes.InvalidRequest, "The field 'thresholds' has the label 'person' twice; give it once.")]
    [InlineData("person:0.5,Person:0.6", ErrorCodes.InvalidRequest, "The field 'thresholds' has the label 'person' twice, in different cases of letters; give it once.")]
    [InlineData("{\"person\": \"x\"}", ErrorCodes.InvalidRequest, "The field 'thresholds' is '{\"person\": \"x\"}'; it is LABEL:NUMBER pairs separated by commas, or a JSON object, as {\"person\": 0.6}.")]
    public void What_can_not_be_is_refused(string text, string code, string message)
    {
        var refusal = Should.Throw<SpotterException>(() => Resolve(text));

        (refusal.Code, refusal.Message).ShouldBe((code, message));
    }

    private static readonly InputRef Picture = new("images/a", "image/jpeg", 1, "00");

    private static JobRequest Resolve(string thresholds)
    {
        var form = new JobForm(EngineCatalogue.BuiltIn);
        form.Set("thresholds", thresholds);
        return form.Resolve([Model], [Picture]);
    }

    private static (string, double)[] Of(JobRequest request) =>
        [.. request.Parameters.Read(VisionJson.Default.VisionParameters).Thresholds!.Select(t => (t.Key, t.Value))];
}
