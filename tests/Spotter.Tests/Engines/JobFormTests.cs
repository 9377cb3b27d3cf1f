using System.Text.Json;
using Spotter.Core;
using Spotter.Engines.Catalogue;
using Spotter.Jobs;
using Spotter.Vision;
using Spotter.Vision.Filters;

namespace Spotter.Tests.Engines;

public sealed class JobFormTests
{
    private static readonly ModelInfo Model = new("tiny", VisionTasks.Detect, "yolov8", 64, 64, ["person", "bus", "dog"]) { Version = "1" };
    private static readonly ModelInfo Classifier = new("names", VisionTasks.Classify, "classifier", 64, 64, ["pizza"]);

    [Fact]
    public void What_is_refused_is_repeated_only_while_it_is_short()
    {
        var form = new JobForm(EngineCatalogue.BuiltIn);
        foreach (var (name, text) in ((string, string)[])[("engine", new string('x', 60_000)), ("labels", new string('x', JobForm.LongestField + 1)), (new string('n', 60_000), "x")])
        {
            using var json = JsonDocument.Parse(JsonSerializer.Serialize(text));
            foreach (var set in (Action[])[() => form.Set(name, text), () => form.Set(name, json.RootElement), () => form.SetFromAddress(name, text)])
                Should.Throw<SpotterException>(set).Message.Length.ShouldBeLessThan(1000);
        }
        form.Set("labels", new string('x', JobForm.LongestField));
    }

    [Fact]
    public void Nothing_said_is_the_first_model_with_its_defaults()
    {
        var request = Resolve();

        (request.Engine, request.Model, request.ModelVersion).ShouldBe(("detect", "tiny", "1"));
        request.Parameters.Read(VisionJson.Default.VisionParameters).ShouldBe(new VisionParameters());
        request.CacheParameters.ShouldBe(request.Parameters);
        request.Schedule.ShouldBe(new JobSchedule());
        request.Notify.ShouldBeEmpty();
        request.Together.ShouldBeFalse();
    }

    [Fact]
    public void Options_arrive_where_they_are_declared()
    {
        var request = Resolve(
            ("confidence", "0.4"), ("iou", "1e-1"), ("labels", "DOG, person"), ("labels", "dog"), ("top", "7"), ("tile", "640"), ("overlap", "0.5"), ("roi", "1,2,3,4"),
            ("annotate", "1"), ("priority", "high"), ("delay", "1.5"), ("expires", "60"), ("callback", "https://a/"), ("callback_secret", "whsec_x"), ("reuse", "0"));

        var parameters = request.Parameters.Read(VisionJson.Default.VisionParameters);
        string.Join(", ", parameters.Labels!).ShouldBe("dog, person");
        (parameters with { Labels = null }).ShouldBe(new VisionParameters { Confidence = 0.4, Iou = 0.1, Top = 7, Tile = 640, Overlap = 0.5, Region = new Region(1, 2, 3, 4), Annotate = true });
        request.Schedule.ShouldBe(new JobSchedule { Priority = JobPriority.High, Delay = TimeSpan.FromSeconds(1.5), Expires = TimeSpan.FromSeconds(60), Reuse = false });
        request.Notify.ShouldBe([new JobNotification("webhook", "https://a/", "whsec_x")]);
    }

    [Fact]
    public void What_does_not_decide_the_result_is_not_in_the_name_of_its_work()
    {
        var (drawn, plain, other) = (Resolve(("annotate", "true")), Resolve(), Resolve(("iou", "0.46")));

        drawn.Parameters.ShouldNotBe(plain.Parameters);
        drawn.CacheParameters.ShouldBe(plain.CacheParameters);
        other.CacheParameters.ShouldNotBe(plain.CacheParameters);
        (drawn.Text == plain.Text).ShouldBeFalse();
    }

    [Fact]
    public void Fields_in_another_order_are_the_same_request() =>
        Resolve(("iou", "0.5"), ("top", "2")).Text.ShouldBe(Resolve(("top", "2"), ("iou", "0.5")).Text);

    [Theory]
    [InlineData("confidence", "1.01", ErrorCodes.ThresholdOutOfRange, "The field 'confidence' is 1.01; it goes from 0 to 1.")]
    [InlineData("confidence", "NaN", ErrorCodes.ThresholdOutOfRange, "The field 'confidence' is NaN; it goes from 0 to 1.")]
    [InlineData("confidence", "1e999", ErrorCodes.ThresholdOutOfRange, "The field 'confidence' is 1e999; it goes from 0 to 1.")]
    [InlineData("iou", "high", ErrorCodes.InvalidRequest, "The field 'iou' is 'high', which is not a number.")]
    [InlineData("overlap", "0.95", ErrorCodes.ThresholdOutOfRange, "The field 'overlap' is 0.95; it goes from 0 to 0.9.")]
    [InlineData("top", "0", ErrorCodes.InvalidRequest, "The field 'top' is '0'; it is a whole number from 1 to 1000.")]
    [InlineData("tile", "+64", ErrorCodes.InvalidRequest, "The field 'tile' is '+64'; it is a whole number from 64 to 16384.")]
    [InlineData("roi", "1,2,3", ErrorCodes.InvalidRequest, "The field 'roi' is '1,2,3'; it is x,y,width,height in whole pixels.")]
    [InlineData("annotate", "maybe", ErrorCodes.InvalidRequest, "The field 'annotate' is 'maybe'; it is true or false.")]
    [InlineData("labels", "unicorn", ErrorCodes.UnknownLabel, "The model 'tiny' knows no label 'unicorn'; GET /v1/models lists those it knows.")]
    [InlineData("redact", "unicorn", ErrorCodes.UnknownLabel, "The model 'tiny' knows no label 'unicorn'; GET /v1/models lists those it knows.")]
    [InlineData("redact_with", "scissors", ErrorCodes.InvalidRequest, "The field 'redact_with' is 'scissors'; it is blur, pixelate or fill.")]
    [InlineData("engine", "telepathy", ErrorCodes.UnknownEngine, "There is no engine 'telepathy'; there is 'classify', 'detect', 'filter'.")]
    [InlineData("engine", "annotate", ErrorCodes.UnknownEngine, "There is no engine 'annotate'; there is 'classify', 'detect', 'filter'.")]
    [InlineData("engine", "", ErrorCodes.UnknownEngine, "There is no engine ''; there is 'classify', 'detect', 'filter'.")]
    [InlineData("engine", "pose", ErrorCodes.UnknownEngine, "There is no engine 'pose'; there is 'classify', 'detect', 'filter'.")]
    [InlineData("model", "other", ErrorCodes.UnknownModel, "There is no model 'other'; there is 'tiny', 'names'.")]
    [InlineData("url", "http://a/", ErrorCodes.UnsupportedOption, "The field 'url' is not offered here; send the picture itself.")]
    [InlineData("level", "3", ErrorCodes.InvalidRequest, "The field 'level' belongs to the engine 'filter'; send engine=filter with it, or leave it out.")]
    [InlineData("caption", "blur", ErrorCodes.InvalidRequest, "The field 'caption' belongs to the engine 'filter'; send engine=filter with it, or leave it out.")]
    [InlineData("priority", "urgent", ErrorCodes.InvalidRequest, "The field 'priority' is 'urgent'; it is high, normal or low.")]
    [InlineData("delay", "-1", ErrorCodes.InvalidRequest, "The field 'delay' is '-1'; it is a number of seconds from 0 to 604800.")]
    [InlineData("expires", "0", ErrorCodes.InvalidRequest, "The job would expire after 0 s and may not start before 0 s have passed; make 'expires' longer than 'delay'.")]
    [InlineData("callback_secret", "x", ErrorCodes.InvalidRequest, "The field 'callback_secret' comes without a 'callback'; send both, or none.")]
    [InlineData("colour", "red", ErrorCodes.InvalidRequest,
        "The field 'colour' is unknown; known are image, engine, model, confidence, thresholds, iou, agnostic, labels, top, tile, overlap, roi, zones, redact, redact_with, crops, then, then_labels, annotate, priority, delay, expires, callback, callback_secret, reuse, "
        + "and for the engine 'filter' filter, caption, level, degrees, direction, amount, seed, threshold, sides, mode, strict, stretch.")]
    public void A_field_that_can_not_be_is_refused_in_words(string name, string value, string code, string message) =>
        ShouldBeRefused(code, message, (name, value));

    [Fact]
    public void What_is_to_be_redacted_has_to_be_looked_for()
    {
        Resolve(("redact", "DOG,person"), ("labels", "dog,person,bus")).Parameters.Read(VisionJson.Default.VisionParameters).Redact!.ShouldBe(["dog", "person"]);
        Resolve(("redact", "dog,*"), ("labels", "bus")).Parameters.Read(VisionJson.Default.VisionParameters).Redact!.ShouldBe(["*"]);
        ShouldBeRefused(ErrorCodes.InvalidRequest, "The label 'dog' is to be redacted, but is not among 'labels'; add it there, or leave 'labels' out.", ("redact", "dog"), ("labels", "bus"));
        ShouldBeRefused(ErrorCodes.InvalidRequest, "The model 'names' finds no boxes, so 'redact' means nothing to it; leave it out, or choose a model that finds objects.", ("redact", "*"), ("model", "names"));
    }

    [Fact]
    public void A_field_comes_once() => ShouldBeRefused(ErrorCodes.InvalidRequest, "The field 'iou' comes twice.", ("iou", "0.5"), ("iou", "0.5"));

    [Fact]
    public void A_model_belongs_to_its_engine()
    {
        Resolve(("engine", "classify")).Model.ShouldBe("names");
        ShouldBeRefused(ErrorCodes.UnknownModel, "There is no model 'tiny' for the engine 'classify'; there is 'tiny', 'names'.", ("engine", "classify"), ("model", "tiny"));
    }

    [Fact]
    public void Without_models_there_are_filters_still()
    {
        Should.Throw<SpotterException>(() => Form().Resolve([], [Input()])).Code.ShouldBe(ErrorCodes.NoModel);
        Form(("filter", "contour")).Resolve([], [Input()]).Engine.ShouldBe("filter");
    }

    [Fact]
    public void A_filter_is_named_or_said_in_words()
    {
        FilterOf(("filter", "rotate"), ("degrees", "180"), ("direction", "anti-clockwise"), ("mode", "grey"))
            .ShouldBe(new FilterRequest { Kind = FilterKind.Rotate, Degrees = 180, AntiClockwise = true, Mode = FilterMode.Grey });
        FilterOf(("engine", "filter"), ("caption", "salt and pepper 0.2"), ("seed", "-3"))
            .ShouldBe(new FilterRequest { Kind = FilterKind.Salt, Amount = 0.2, Seed = -3 });
        FilterOf(("filter", "blur"), ("annotate", "true")).ShouldBe(new FilterRequest { Kind = FilterKind.Blur });
        Resolve(("filter", "blur")).CacheParameters.ShouldBeNull();
    }

    [Fact]
    public void Pictures_that_are_put_side_by_side_are_one_job()
    {
        var request = Form(("filter", "concat"), ("sides", "bottom-to-top")).Resolve([Model], [Input(), Input()]);

        request.Together.ShouldBeTrue();
        request.Parameters.Read(FilterJson.Default.FilterRequest).Sides.ShouldBe(ConcatSides.BottomToTop);
        ShouldBeRefused(ErrorCodes.InvalidRequest, FilterCaption.LoneConcat, ("filter", "concat"));
    }

    public static TheoryData<string, (string, string)[]> WrongFilters => new()
    {
        { "There is no filter 'sepia'; there is blur, contour, rotate, salt-and-pepper, segment and concat.", [("filter", "sepia")] },
        { "The engine 'filter' needs the field 'filter': blur, contour, rotate, salt-and-pepper, segment or concat.", [("engine", "filter")] },
        { "The fields 'filter' and 'caption' both name a filter; send one of them.", [("filter", "blur"), ("caption", "blur")] },
        { "The field 'level' does not go with 'caption'; say it in the caption, or name the filter with 'filter'.", [("engine", "filter"), ("caption", "blur"), ("level", "3")] },
        { "Blur level must be a positive, whole number.", [("filter", "blur"), ("level", "0")] },
        { "Degrees may only be 90, 180 or 270.", [("filter", "rotate"), ("degrees", "91")] },
        { "The amount of salt and pepper must be a number from 0 to 1.", [("filter", "salt-and-pepper"), ("amount", "2")] },
        { "The field 'direction' is 'up'; it is clockwise or anti-clockwise.", [("filter", "rotate"), ("direction", "up")] },
        { "The direction 'up' is unknown; it is horizontal or vertical.", [("filter", "concat"), ("direction", "up")] },
        { "The field 'mode' is 'gray'; it is colour or grey.", [("filter", "blur"), ("mode", "gray")] },
        { "The field 'threshold' is '256'; it is a whole number from 0 to 255.", [("filter", "segment"), ("threshold", "256")] },
        { "The field 'confidence' means nothing to the engine 'filter'; leave it out.", [("filter", "blur"), ("confidence", "0.5")] },
        { "The field 'model' means nothing to the engine 'filter'; leave it out.", [("filter", "blur"), ("model", "tiny")] },
        { FilterCaption.Unknown, [("engine", "filter"), ("caption", "make it nice")] },
    };

    [Theory]
    [MemberData(nameof(WrongFilters))]
    public void What_no_filter_does_is_refused_in_words(string message, (string, string)[] fields)
    {
        var refusal = Should.Throw<SpotterException>(() => Form(fields).Resolve([Model], [Input(), Input()]));
        (refusal.Code, refusal.Message).ShouldBe((ErrorCodes.InvalidRequest, message));
    }

    [Fact]
    public void An_input_of_another_kind_is_refused() =>
        Should.Throw<SpotterException>(() => Form().Resolve([Model], [Input() with { MediaType = "video/mp4" }])).Code.ShouldBe(ErrorCodes.UnsupportedImage);

    [Fact]
    public void Only_secrets_may_not_be_in_an_address() =>
        EngineCatalogue.BuiltIn.Options.Where(o => IsRefusedInAddress(o.Name)).ShouldHaveSingleItem().Name.ShouldBe("callback_secret");

    private static bool IsRefusedInAddress(string name)
    {
        try
        {
            new JobForm(EngineCatalogue.BuiltIn).SetFromAddress(name, "1");
            return false;
        }
        catch (SpotterException refused) when (refused.Message.Contains("address", StringComparison.Ordinal))
        {
            return true;
        }
    }

    private static void ShouldBeRefused(string code, string message, params (string, string)[] fields)
    {
        var refusal = Should.Throw<SpotterException>(() => Resolve(fields));
        (refusal.Code, refusal.Message).ShouldBe((code, message));
    }

    private static JobRequest Resolve(params (string, string)[] fields) => Form(fields).Resolve([Model, Classifier], [Input()]);

    private static FilterRequest FilterOf(params (string, string)[] fields)
    {
        var request = Resolve(fields);
        (request.Engine, request.Model).ShouldBe(("filter", null));
        return request.Parameters.Read(FilterJson.Default.FilterRequest);
    }

    private static JobForm Form(params (string Name, string Value)[] fields)
    {
        var form = new JobForm(EngineCatalogue.BuiltIn);
        foreach (var (name, value) in fields)
            form.Set(name, value);
        return form;
    }

    private static InputRef Input() => new("in/a", "image/png", 100, new string('0', 64));
}
