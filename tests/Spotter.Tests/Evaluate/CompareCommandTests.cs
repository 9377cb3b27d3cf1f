using Spotter.Cli.Evaluate;
using Spotter.Tests.Cli;
using Spotter.Tests.Vision;
using Spotter.Vision;

namespace Spotter.Tests.Evaluate;

/// <summary>What two models find in the same pictures.</summary>
public sealed class CompareCommandTests : IDisposable
{
    private readonly Cli.TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task What_both_find_is_told_from_what_one_finds()
    {
        // An ant that both find, the second a little to the right; a bee that only the first finds, and a wasp that only the second knows.
        var first = Model("first", "{0: 'ant', 1: 'bee'}", (8, 8, 8, 8, 0, 0.9f), (22, 22, 12, 12, 1, 0.6f));
        var second = Model("second", "{0: 'Ant', 1: 'wasp'}", (9, 8, 8, 8, 0, 0.8f), (22, 22, 12, 12, 1, 0.7f));
        folder.File("set/a.png", TestPictures.Png(32, 32));
        folder.File("set/b.png", TestPictures.Png(32, 32));

        var ran = await SpotterProgram.RunAsync("models", "compare", first, second, Path.Combine(folder.Path, "set"), "--json");

        ran.Status.ShouldBe(0, ran.Errors);
        var report = ran.Json().ShouldHaveSingleItem();
        var all = report.GetProperty("all");
        (all.GetProperty("both").GetInt32(), all.GetProperty("onlyFirst").GetInt32(), all.GetProperty("onlySecond").GetInt32()).ShouldBe((2, 2, 2));
        all.GetProperty("share").GetDouble().ShouldBe(0.3333);
        // 7 of 8 columns are shared: 56 of 72 pixels.
        all.GetProperty("overlap").GetDouble().ShouldBe(0.7778);
        report.GetProperty("labels").EnumerateArray().Select(l => l.GetProperty("label").GetString()).ShouldBe(["ant", "bee", "wasp"]);
        report.GetProperty("first").GetProperty("onlyItsLabels").EnumerateArray().Select(l => l.GetString()).ShouldBe(["bee"]);
        report.GetProperty("second").GetProperty("onlyItsLabels").EnumerateArray().Select(l => l.GetString()).ShouldBe(["wasp"]);
        report.GetProperty("first").GetProperty("inferMs").GetDouble().ShouldBeGreaterThanOrEqualTo(0);
        report.GetProperty("different").GetArrayLength().ShouldBe(2);

        var people = await SpotterProgram.RunAsync("models", "compare", first, second, Path.Combine(folder.Path, "set"));
        people.Output.ShouldMatch(@"ant +2 +0 +0 +100 % +0\.778");
        people.Output.ShouldMatch(@"all +2 +2 +2 +33 % +0\.778");
        people.Output.ShouldContain("second does not know bee");
        people.Output.ShouldContain("2 pictures; in the model for one: first ");
    }

    [Fact]
    public async Task A_model_agrees_with_itself_and_a_picture_that_can_not_be_read_is_left_out()
    {
        var model = Model("one", "{0: 'ant', 1: 'bee'}", (8, 8, 8, 8, 0, 0.9f), (22, 22, 12, 12, 1, 0.2f));
        folder.File("set/a.png", TestPictures.Png(32, 32));
        folder.File("set/b.png", "no picture"u8.ToArray());

        var ran = await SpotterProgram.RunAsync("models", "compare", model, model, Path.Combine(folder.Path, "set"), "--json");

        ran.Status.ShouldBe(1);
        ran.ErrorLines().ShouldHaveSingleItem().ShouldContain("b.png");
        var report = ran.Json().ShouldHaveSingleItem();
        (report.GetProperty("pictures").GetInt32(), report.GetProperty("failed").GetInt32(), report.GetProperty("all").GetProperty("both").GetInt32(), report.GetProperty("all").GetProperty("share").GetDouble())
            .ShouldBe((1, 1, 1, 1));
        report.GetProperty("different").GetArrayLength().ShouldBe(0);
    }

    [Fact]
    public async Task Two_trainings_of_one_name_are_told_apart()
    {
        var first = Model("old/best", "{0: 'ant', 1: 'bee'}", (8, 8, 8, 8, 0, 0.9f));
        var second = Model("new/best", "{0: 'ant', 1: 'bee'}", (22, 22, 12, 12, 1, 0.9f));
        folder.File("set/a.png", TestPictures.Png(32, 32));

        var ran = await SpotterProgram.RunAsync("models", "compare", first, second, Path.Combine(folder.Path, "set"), "--json");

        var report = ran.Json().ShouldHaveSingleItem();
        (report.GetProperty("first").GetProperty("model").GetString(), report.GetProperty("second").GetProperty("model").GetString()).ShouldBe((first, second));
    }

    [Fact]
    public async Task A_model_without_boxes_is_refused()
    {
        var model = Model("boxes", "{0: 'ant', 1: 'bee'}", (8, 8, 8, 8, 0, 0.9f));
        var classifier = folder.File("classifier.onnx", TestModels.Constant([1, 3, 32, 32], [([1, 2], [0.9f, 0.1f])], [("names", "{0: 'ant', 1: 'bee'}"), ("task", "classify")]));

        var ran = await SpotterProgram.RunAsync("models", "compare", model, classifier, folder.Path);

        ran.Status.ShouldBe(1);
        ran.ErrorLines().ShouldHaveSingleItem().ShouldContain("only boxes are compared");
    }

    [Fact]
    public void Boxes_that_fit_best_are_paired_whichever_comes_first()
    {
        Found[] wide = [new("ant", new Box(0, 0, 10, 10)), new("ant", new Box(4, 0, 14, 10))];
        Found[] one = [new("ant", new Box(3, 0, 13, 10))];
        foreach (var (first, second) in ((Found[], Found[])[])[(wide, one), (one, wide)])
        {
            var comparison = new Comparison();
            comparison.Add("a", first, second);

            comparison.All.Both.ShouldBe(1);
            // 9 of 10 columns with the second, not 7 with the first.
            comparison.All.Overlap.ShouldBe(Math.Round(90.0 / 110, 4));
            (comparison.All.OnlyFirst + comparison.All.OnlySecond).ShouldBe(1);
        }
    }

    private string Model(string name, string names, params (float X, float Y, float Width, float Height, int Class, float Score)[] finds) =>
        folder.File($"{name}.onnx", TestModels.Constant([1, 3, 32, 32], [TestModels.Columns(2, finds)], [("names", names)]));
}
