using System.Text;
using System.Text.Json;
using Spotter.Tests.Cli;
using Spotter.Tests.Vision;

namespace Spotter.Tests.Evaluate;

/// <summary>A model that finds the same everywhere, and labels that say what of it is right.</summary>
public sealed class EvaluateCommandTests : IDisposable
{
    private readonly Cli.TemporaryFolder folder = new();
    private readonly string model;

    public EvaluateCommandTests()
    {
        // In pictures of 32 x 32: an ant from 4 to 12, a bee from 16 to 28.
        model = folder.File("always.onnx", TestModels.Constant(
            [1, 3, 32, 32], [TestModels.Columns(3, (8, 8, 8, 8, 0, 0.9f), (22, 22, 12, 12, 1, 0.6f))], [("names", "{0: 'ant', 1: 'bee', 2: 'cat'}")]));
        Picture("a", "0 0.25 0.25 0.25 0.25\n1 0.6875 0.6875 0.375 0.375\n");
        Picture("b", "0 0.25 0.25 0.25 0.25\n");
    }

    private string Set => Path.Combine(folder.Path, "set");

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Json_has_the_figures_of_all_and_of_every_class()
    {
        Picture("empty", null);

        var ran = await EvaluateAsync("--json");

        ran.Status.ShouldBe(0, ran.Errors);
        ran.Errors.ShouldBeEmpty();
        var report = ran.Json().ShouldHaveSingleItem();
        (report.GetProperty("model").GetString(), report.GetProperty("pictures").GetInt32(), report.GetProperty("objects").GetInt32()).ShouldBe(("always", 3, 3));
        // The ant is right in a and b and wrong in the empty one, all equally sure; the bee is right in the first of three.
        report.GetProperty("map50").GetDouble().ShouldBe(1, 1e-9);
        var classes = report.GetProperty("classes").EnumerateArray().ToList();
        classes.Select(c => c.GetProperty("label").GetString()).ShouldBe(["ant", "bee", "cat"]);
        var ant = classes[0].GetProperty("score");
        (ant.GetProperty("objects").GetInt32(), ant.GetProperty("precision").GetDouble(), ant.GetProperty("recall").GetDouble()).ShouldBe((2, 0.6667, 1));
        classes[2].GetProperty("score").GetProperty("ap").ValueKind.ShouldBe(JsonValueKind.Null);
        report.GetProperty("picturesPerSecond").GetDouble().ShouldBeGreaterThan(0);
        report.GetProperty("modelShare").GetDouble().ShouldBeInRange(0, 1);
    }

    [Fact]
    public async Task For_people_there_is_a_table()
    {
        var ran = await EvaluateAsync("--at", "0.5", "--max", "1");

        ran.Status.ShouldBe(0, ran.Errors);
        ran.Output.ShouldMatch(@"ant +1 +1\.000 +1\.000 +1\.000 +1\.000 +0\.900");
        ran.Output.ShouldNotContain("cat");
        ran.Output.ShouldContain("mAP50 1.000, mAP50-95 1.000; precision and recall at confidence 0.5");
        ran.Output.ShouldContain("1 picture; ");
    }

    [Fact]
    public async Task The_report_is_a_page_of_its_own()
    {
        // The ant of b is called a bee.
        Picture("b", "1 0.25 0.25 0.25 0.25\n");
        var page = Path.Combine(folder.Path, "report.html");

        var ran = await EvaluateAsync("--at", "0.5", "--report", page);

        ran.Status.ShouldBe(0, ran.Errors);
        var html = await File.ReadAllTextAsync(page);
        html.ShouldContain("<tr><td>ant<td>1<td>1.000<td>1.000<td>0.500<td>1.000<td>0.900");
        // One ant is an ant, one bee an ant, one bee a bee; and one bee is found in b where there is nothing.
        html.ShouldContain("<tr><th><th>ant<th>bee<th>missed\n<tr><td>ant<td>1<td><td>\n<tr><td>bee<td>1<td>1<td>\n<tr><td>nothing<td><td>1<td>\n");
        html.ShouldNotContain("http");
        (html.Split("<polyline").Length - 1).ShouldBe(2);
    }

    [Fact]
    public async Task A_report_that_can_not_be_written_is_said()
    {
        var ran = await EvaluateAsync("--report", Path.Combine(folder.Path, "nowhere", "report.html"));

        ran.Status.ShouldNotBe(0);
        ran.Errors.ShouldContain("name another file with --report");
    }

    [Fact]
    public async Task Names_match_classes_by_name()
    {
        // 0 is the bee here, 1 the ant; the model has no dragon.
        folder.File("set/names.txt", "Bee\nant\ndragon\n"u8.ToArray());
        Picture("a", "1 0.25 0.25 0.25 0.25\n0 0.6875 0.6875 0.375 0.375\n2 0.5 0.5 0.1 0.1\n");
        File.Delete(Path.Combine(Set, "labels", "b.txt"));
        File.Delete(Path.Combine(Set, "images", "b.png"));

        var ran = await EvaluateAsync("--json");

        ran.Status.ShouldBe(0);
        ran.ErrorLines().ShouldHaveSingleItem().ShouldContain("does not know dragon");
        var classes = ran.Json().ShouldHaveSingleItem().GetProperty("classes").EnumerateArray().ToList();
        classes.Select(c => (c.GetProperty("label").GetString(), c.GetProperty("score").GetProperty("ap50").GetDouble())).ShouldBe([("Bee", 1), ("ant", 1), ("dragon", 0)]);
    }

    [Fact]
    public async Task A_picture_that_can_not_be_read_is_named_and_left_out()
    {
        folder.File("set/images/c.png", "no picture"u8.ToArray());

        var ran = await EvaluateAsync("--json");

        ran.Status.ShouldBe(1);
        ran.ErrorLines().ShouldHaveSingleItem().ShouldContain("c.png");
        var report = ran.Json().ShouldHaveSingleItem();
        (report.GetProperty("pictures").GetInt32(), report.GetProperty("failed").GetInt32(), report.GetProperty("map50").GetDouble()).ShouldBe((2, 1, 1));
    }

    [Theory]
    [InlineData("0 0.5 0.5 0.1", "line 2: it has 4 fields")]
    [InlineData("0 0.5 0.5 0.1 0.1 0.9", "line 2: it has 6 fields")]
    [InlineData("ant 0.5 0.5 0.1 0.1", "line 2: ant is no number")]
    [InlineData("-1 0.5 0.5 0.1 0.1", "line 2: -1 is no number")]
    [InlineData("0 0.5 0.5 1.1 0.1", "line 2: 1.1 is no share")]
    [InlineData("0 NaN 0.5 0.1 0.1", "line 2: NaN is no share")]
    [InlineData("0 0.5 0.5 0 0.1", "line 2: its box has no area")]
    [InlineData("3 0.5 0.5 0.1 0.1", "a class 3, but always has 3 classes")]
    public async Task A_label_that_can_not_be_is_named_with_its_place(string line, string sentence)
    {
        Picture("b", $"0 0.25 0.25 0.25 0.25\n{line}\n");

        var ran = await EvaluateAsync();

        ran.Status.ShouldBe(1);
        ran.Output.ShouldBeEmpty();
        ran.ErrorLines().ShouldHaveSingleItem().ShouldContain(sentence);
    }

    [Fact]
    public async Task A_class_beyond_the_names_is_named_with_its_place()
    {
        folder.File("set/names.txt", "ant\n"u8.ToArray());

        (await EvaluateAsync()).ErrorLines().ShouldHaveSingleItem().ShouldContain("a.txt, line 2: there is no class 1");
    }

    [Theory]
    [InlineData("dog\nfox\n", "knows none of the 2 classes")]
    [InlineData("ant\nANT\n", "the class \"ANT\" twice")]
    [InlineData("\n", "is empty")]
    public async Task Names_that_fit_nothing_are_refused(string names, string sentence)
    {
        folder.File("set/names.txt", Encoding.UTF8.GetBytes(names));

        var ran = await EvaluateAsync();
        ran.Status.ShouldBe(1);
        ran.ErrorLines().ShouldHaveSingleItem().ShouldContain(sentence);
    }

    [Fact]
    public async Task A_folder_without_labels_is_refused()
    {
        Directory.Delete(Path.Combine(Set, "labels"), recursive: true);
        (await EvaluateAsync()).ErrorLines().ShouldHaveSingleItem().ShouldContain("the folders images and labels");

        Directory.CreateDirectory(Path.Combine(Set, "labels"));
        (await EvaluateAsync()).ErrorLines().ShouldHaveSingleItem().ShouldContain("None of the 2 pictures");
    }

    [Fact]
    public async Task Two_pictures_can_not_share_their_labels()
    {
        folder.File("set/images/a.jpg", TestPictures.Jpeg(32, 32));

        (await EvaluateAsync()).ErrorLines().ShouldHaveSingleItem().ShouldContain("the same label file");
    }

    [Fact]
    public async Task Annotations_of_the_form_of_coco_are_read()
    {
        Annotations("""
            {"info": {}, "images": [{"id": 7, "file_name": "a.png", "width": 32}, {"id": 9, "file_name": "b.png"}],
             "annotations": [
               {"id": 1, "image_id": 7, "category_id": 30, "bbox": [4, 4, 8, 8], "area": 64, "iscrowd": 0, "segmentation": [[1, 2]]},
               {"id": 2, "image_id": 7, "category_id": 20, "bbox": [16.0, 16, 12, 12]},
               {"id": 3, "image_id": 9, "category_id": 30, "bbox": [4, 4, 8, 8]},
               {"id": 4, "image_id": 9, "category_id": 20, "bbox": [0, 0, 32, 32], "iscrowd": 1, "segmentation": {"counts": [1]}}],
             "categories": [{"id": 30, "name": "ant"}, {"id": 20, "name": "bee"}]}
            """);

        var ran = await EvaluateAsync("--json");

        ran.Status.ShouldBe(0, ran.Errors);
        var report = ran.Json().ShouldHaveSingleItem();
        (report.GetProperty("objects").GetInt32(), report.GetProperty("map").GetDouble(), report.GetProperty("precision").GetDouble()).ShouldBe((3, 1, 1));
        report.GetProperty("classes").EnumerateArray().Select(c => c.GetProperty("label").GetString()).ShouldBe(["bee", "ant"]);
    }

    [Theory]
    [InlineData("{", "can't be read")]
    [InlineData("[]", "can't be read")]
    [InlineData("""{"images": []}""", "it needs images")]
    [InlineData("""{"images":[{"id":1,"file_name":"a.png"}],"annotations":[{"image_id":2,"category_id":1,"bbox":[1,1,1,1]}],"categories":[{"id":1,"name":"ant"}]}""", "the picture 2, which is not listed")]
    [InlineData("""{"images":[{"id":1,"file_name":"a.png"}],"annotations":[{"image_id":1,"category_id":2,"bbox":[1,1,1,1]}],"categories":[{"id":1,"name":"ant"}]}""", "the category 2, which is not listed")]
    [InlineData("""{"images":[{"id":1,"file_name":"a.png"}],"annotations":[{"image_id":1,"category_id":1,"bbox":[1,1,0,1]}],"categories":[{"id":1,"name":"ant"}]}""", "no bbox of four numbers")]
    [InlineData("""{"images":[{"id":1}],"annotations":[],"categories":[{"id":1,"name":"ant"}]}""", "has no file name")]
    public async Task Annotations_that_can_not_be_are_refused(string annotations, string sentence)
    {
        Annotations(annotations);

        var ran = await EvaluateAsync();
        ran.Status.ShouldBe(1);
        ran.ErrorLines().ShouldHaveSingleItem().ShouldContain(sentence);
    }

    private void Annotations(string json) => folder.File("set/annotations.json", Encoding.UTF8.GetBytes(json));

    private Task<Ran> EvaluateAsync(params string[] more) => SpotterProgram.RunAsync(["models", "evaluate", model, "--dataset", Set, .. more]);

    private void Picture(string stem, string? labels)
    {
        folder.File($"set/images/{stem}.png", TestPictures.Png(32, 32));
        if (labels is not null)
            folder.File($"set/labels/{stem}.txt", Encoding.UTF8.GetBytes(labels));
    }
}
