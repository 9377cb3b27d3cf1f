using Spotter.Core;
using Spotter.Core.Images;
using Spotter.Vision;
using Spotter.Vision.Annotation;
using Spotter.Vision.Inference;
using Spotter.Vision.Models;
using static Spotter.Tests.Vision.TestGraph;

namespace Spotter.Tests.Vision;

/// <summary>Models that read a line of text, alone and on the boxes of another.</summary>
public sealed class TextReaderTests
{
    private const string Word = "A日_本本 Bé_é";

    public static TheoryData<string> Kinds => [.. Graphs.Keys];

    private static readonly Dictionary<string, Func<TestGraph>> Graphs = new(StringComparer.Ordinal)
    {
        ["PP-OCR"] = () => TextModels.Reader(),
        ["PP-OCR of before"] = () => TextModels.Reader("save_infer_model/scale_0.tmp_1", shape: [-1, 3, 32, -1]),
        ["PP-OCR of any height"] = () => TextModels.Reader("softmax_5.tmp_0", shape: [-1, 3, 48, 320]),
        ["without a softmax"] = () => TextModels.Reader(hasSoftmax: false),
        ["with its steps first"] = () => TextModels.Reader(isStepFirst: true),
        ["with the blank last"] = () => TextModels.Reader(isBlankLast: true, dictionary: TextModels.Characters + "\n "),
        ["with the blank listed"] = () => TextModels.Reader(dictionary: "blank\n" + TextModels.Characters + "\n "),
    };

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_line_is_read_however_the_export_is_laid_out(string kind)
    {
        using var model = Load(Graphs[kind]());
        (model.Model.Family, model.Model.Engine, model.Model.Labels.Count, model.Model.Unsure).ShouldBe(("ctc", "read", 0, null));
        // 16 columns for each character at the input's height, of 11 characters.
        var height = model.Model.InputHeight;

        var result = model.Run(Strip(Word, 16, height), new VisionParameters()).Result;

        var reading = result.Reading.ShouldNotBeNull();
        reading.Text.ShouldBe("A日本 Béé");
        reading.Confidence.ShouldBeGreaterThan(0.99);
        (result.Detections, result.Labels).ShouldBe((null, null));
    }

    [Theory]
    [InlineData(1, "A日B")] // filled on the right
    [InlineData(3, "A日B")] // scaled down
    [InlineData(1, "A_日_B_A_日_B_A_日_B_A_日_B_A_日_B")] // longer than the shortest that is given
    public void The_width_follows_the_picture(int scale, string word)
    {
        using var model = Load(TextModels.Reader());

        model.Run(Strip(word, 32 * scale, 48 * scale), new VisionParameters()).Result.Reading!.Text.ShouldBe(word.Replace("_", "", StringComparison.Ordinal));
    }

    [Fact]
    public void A_line_that_is_longer_than_a_fixed_width_is_squeezed_and_fills_the_height()
    {
        using var model = Load(TextModels.Reader(shape: [1, 3, 48, 320]));

        model.Run(Strip("A日B本", 160, 48), new VisionParameters()).Result.Reading!.Text.ShouldBe("A日B本");
    }

    [Fact]
    public void Grey_models_are_given_brightness()
    {
        using var model = Load(TextModels.Reader(shape: [-1, 1, 32, -1]));

        // The darkest and the brightest; what lies between looks like the blank to it.
        model.Run(Strip("C_ _C", 32, 32), new VisionParameters()).Result.Reading!.Text.ShouldBe("C C");
    }

    [Fact]
    public void A_dictionary_may_be_a_file_beside_the_model()
    {
        using var file = new ModelFile(TextModels.Reader(dictionary: null).ToArray());

        var refusal = Should.Throw<SpotterException>(() => VisionModel.Load(file.Path, new VisionModelOptions()));
        refusal.Code.ShouldBe(ErrorCodes.ModelUnsupported);
        refusal.Message.ShouldContain("it reads text and scores 11 characters (fetch_name_0 [?,?,11]), but nothing says which; put those that it was trained with into a text file beside it");

        File.WriteAllText(Path.Combine(Path.GetDirectoryName(file.Path)!, "keys.txt"), TextModels.Characters + "\n");
        File.WriteAllText(Path.ChangeExtension(file.Path, ".yaml"), "task: read\nlabels: keys.txt\n");
        using var model = VisionModel.Load(file.Path, new VisionModelOptions());
        model.Card.Facts.ShouldContain(new ModelFact("characters", "10, with a space after those of the dictionary", FactSource.Overridden));
        model.Card.Facts.ShouldContain(new ModelFact("blank", "first", FactSource.Inferred));
        model.Run(Strip(Word, 16, 48), new VisionParameters()).Result.Reading!.Text.ShouldBe("A日本 Béé");

        File.WriteAllText(Path.ChangeExtension(file.Path, ".yaml"), "task: read\nlabels: [A, B]\n");
        Should.Throw<SpotterException>(() => VisionModel.Load(file.Path, new VisionModelOptions())).Message.ShouldContain("its dictionary has 2");
    }

    [Fact]
    public void A_blank_that_is_said_goes_before_the_one_that_is_seen()
    {
        using var file = new ModelFile(TextModels.Reader().ToArray());
        File.WriteAllText(Path.ChangeExtension(file.Path, ".yaml"), "blank: last\n");

        using var model = VisionModel.Load(file.Path, new VisionModelOptions());

        (model.Card.Characters!.Blank, model.Card.Characters.Characters[0]).ShouldBe((10, "A"));
    }

    [Theory]
    [InlineData("[1,3,48,320] of 97", 48, 320, 97, "reads text")]
    [InlineData("[1,3,32,100] of 6625", 32, 100, 6625, "reads text")]
    [InlineData("[1,3,640,640] of 6625", 640, 640, 6625, null)]
    public void Scores_of_characters_are_not_taken_for_queries(string shape, int height, int width, int columns, string? said)
    {
        // 80 rows of many numbers are a detector's too: an RT-DETR with that many classes.
        using var file = new ModelFile(Taking(1, 3, height, width).Output("output", new Grid(1, 80, columns).Fill(0.01f)).ToArray());
        if (said is null)
        {
            using var detector = VisionModel.Load(file.Path, new VisionModelOptions());
            detector.Model.Engine.ShouldBe("detect", shape);
        }
        else
        {
            Should.Throw<SpotterException>(() => VisionModel.Load(file.Path, new VisionModelOptions())).Message.ShouldContain(said, Case.Sensitive, shape);
        }
    }

    [Theory]
    [InlineData(640, 84, 8400)]
    [InlineData(32, 84, 21)]
    public void Detectors_are_not_taken_for_readers(int edge, int first, int second)
    {
        using var model = Load(Taking(1, 3, edge, edge).Output("output0", new Grid(1, first, second)));

        model.Model.Engine.ShouldBe("detect");
    }

    [Fact]
    public void A_reader_that_may_need_no_blank_is_unsure_until_somebody_says_what_it_is()
    {
        using var file = new ModelFile(TextModels.Reader("output").ToArray());

        using (var model = VisionModel.Load(file.Path, new VisionModelOptions()))
            model.Model.Unsure.ShouldNotBeNull().ShouldContain("a reader that needs no blank has the same outputs");

        File.WriteAllText(Path.ChangeExtension(file.Path, ".yaml"), "family: ctc\n");
        using var said = VisionModel.Load(file.Path, new VisionModelOptions());
        said.Model.Unsure.ShouldBeNull();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(30)]
    [InlineData(-25)]
    [InlineData(80)]
    [InlineData(90)]
    public void Turned_lines_are_straightened_and_read_from_left_to_right_or_downwards(double degrees)
    {
        using var finder = Load(TextModels.Finder());
        using var reader = Load(TextModels.Reader());
        var pixels = TextModels.Draw(640, 640, ("A日C", 320, 320, 300, 60, degrees));

        using var run = finder.Run(TestPictures.Png(pixels, 640, 640), new VisionParameters { Then = "reader" }, new RunExtras { Then = reader });

        var found = run.Result.Detections.ShouldNotBeNull().ShouldHaveSingleItem();
        found.Then.ShouldNotBeNull().Reading.ShouldNotBeNull().Text.ShouldBe("A日C");
        (found.Then.Labels, found.Then.Detections, found.Then.Model).ShouldBe((null, null, reader.Model.Id));
        OutputLine.Of("page", run.Result).ShouldBe("page,A日C");
    }

    [Fact]
    public void All_lines_are_read_however_many_and_told_from_top_to_bottom()
    {
        using var finder = Load(TextModels.Finder());
        using var reader = Load(TextModels.Reader());
        var bars = Enumerable.Range(0, 40).Select(i => (i % 2 == 0 ? "A" : "本", 60 + (i % 5 * 130.0), 40 + (i / 5 * 70.0), 80.0, 20.0, 0.0)).ToArray();

        using var run = finder.Run(TestPictures.Png(TextModels.Draw(704, 640, bars), 704, 640), new VisionParameters { Then = "reader" }, new RunExtras { Then = reader });

        run.Result.Then.ShouldBe(new ThenSummary(reader.Model.Id, 40, 0));
        OutputLine.TextOf(run.Result.Detections!)!.Split(" / ").Length.ShouldBe(40);
    }

    [Fact]
    public void What_was_read_is_drawn_but_not_over_what_is_hidden()
    {
        using var finder = Load(TextModels.Finder());
        using var reader = Load(TextModels.Reader());
        var picture = TestPictures.Png(TextModels.Draw(640, 480, ("ABC", 320, 240, 300, 60, 0)), 640, 480);
        using var run = finder.Run(picture, new VisionParameters { Then = "reader" }, new RunExtras { Then = reader });
        var unread = run.Result with { Detections = [.. run.Result.Detections!.Select(d => d with { Then = null })] };
        var hiding = DrawOptions.Of(new VisionParameters { Redact = ["text"] }, run.Result);

        Bytes(run.Result, null).ShouldNotBe(Bytes(unread, null));
        Bytes(run.Result, hiding).ShouldBe(Bytes(unread, hiding));
        // The same in one run, with the boxes cut out first.
        using var drawn = finder.Run(picture, new VisionParameters { Then = "reader", Redact = ["text"], Annotate = true, Crops = true }, new RunExtras { Then = reader, OnFile = (_, _, _) => { } });
        drawn.Annotated.ToArray().ShouldBe(Bytes(unread, hiding));
        drawn.Result.Detections![0].Then!.Reading!.Text.ShouldBe("ABC");

        byte[] Bytes(VisionResult result, DrawOptions? options)
        {
            using var encoded = Annotator.Draw(picture, result, new ImageLimits(), options);
            return encoded.Bytes.ToArray();
        }
    }

    /// <summary>A picture that is one line of text.</summary>
    private static byte[] Strip(string text, int each, int height) =>
        TestPictures.Png(TextModels.Draw(text.Length * each, height, (text, text.Length * each / 2.0, height / 2.0, text.Length * each, height, 0)), text.Length * each, height);

    private static VisionModel Load(TestGraph graph)
    {
        using var file = new ModelFile(graph.ToArray());
        return VisionModel.Load(file.Path, new VisionModelOptions());
    }
}
