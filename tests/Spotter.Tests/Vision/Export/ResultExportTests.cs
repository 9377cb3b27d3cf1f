using System.IO.Compression;
using System.Text;
using System.Text.Json;
using System.Xml.Linq;
using Spotter.Vision;
using Spotter.Vision.Export;

namespace Spotter.Tests.Vision.Export;

/// <summary>Results in the formats of other tools, read back as those read them.</summary>
public sealed class ResultExportTests
{
    private static readonly string[] Classes = ["person", "car", "bus"];

    [Fact]
    public void Csv_has_a_line_for_each_object_label_and_text()
    {
        var lines = Text(
            ResultFormat.Csv,
            Boxes("street.jpg", new("car", 1, 0.91, new Box(10, 20, 30.5, 60)), new("person", 0, 0.5, new Box(0, 0, 5, 9)) { Then = new("ocr") { Reading = new("AB 12", 0.8) } }),
            new("cat.jpg", "cat.jpg", Of(100, 50) with { Labels = [new("tabby, cat", 281, 0.7)] }),
            new("plate.png", "plate.png", Of(100, 50) with { Reading = new("say \"hi\"", 0.9) }),
            Boxes("empty.jpg")).Split("\r\n");

        lines.ShouldBe(
        [
            "picture,label,confidence,x1,y1,x2,y2,text",
            "street.jpg,car,0.91,10,20,30.5,60,",
            "street.jpg,person,0.5,0,0,5,9,AB 12",
            "cat.jpg,\"tabby, cat\",0.7,,,,,",
            "plate.png,,0.9,,,,,\"say \"\"hi\"\"\"",
            "",
        ]);
    }

    [Theory]
    [InlineData("=HYPERLINK(\"http://x\")", "\"'=HYPERLINK(\"\"http://x\"\")\"")]
    [InlineData("+1", "'+1")]
    [InlineData("-1", "'-1")]
    [InlineData("@a", "'@a")]
    [InlineData("a=1", "a=1")]
    public void No_spreadsheet_takes_a_strangers_name_for_a_formula(string name, string written) =>
        Text(ResultFormat.Csv, Boxes(name, new Detection("car", 1, 0.9, new Box(0, 0, 1, 1)))).ShouldContain($"\r\n{written},car,");

    [Fact]
    public void Coco_has_images_annotations_and_categories_that_belong_together()
    {
        var mask = new Mask([[0, 0, 10, 0, 10, 10], [1, 1, 2, 2]], new RunLengths([50, 100], [0, 30, 4920, 50]));
        var data = Json(
            ResultFormat.Coco,
            Boxes("a.jpg", new Detection("bus", 2, 0.9, new Box(10, 20, 40, 60))),
            Boxes("none.jpg"),
            Boxes("b.jpg", new Detection("person", 0, 0.8, new Box(0, 0, 10, 10)) { Mask = mask }));

        data.GetProperty("images").EnumerateArray().Select(i => (i.GetProperty("id").GetInt32(), i.GetProperty("file_name").GetString(), i.GetProperty("width").GetInt32(), i.GetProperty("height").GetInt32()))
            .ShouldBe([(1, "a.jpg", 100, 50), (2, "none.jpg", 100, 50), (3, "b.jpg", 100, 50)]);
        data.GetProperty("categories").EnumerateArray().Select(c => (c.GetProperty("id").GetInt32(), c.GetProperty("name").GetString())).ShouldBe([(1, "person"), (2, "car"), (3, "bus")]);
        var (bus, person) = (data.GetProperty("annotations")[0], data.GetProperty("annotations")[1]);
        (bus.GetProperty("id").GetInt32(), bus.GetProperty("image_id").GetInt32(), bus.GetProperty("category_id").GetInt32(), bus.GetProperty("score").GetDouble()).ShouldBe((1, 1, 3, 0.9));
        Numbers(bus.GetProperty("bbox")).ShouldBe([10, 20, 30, 40]);
        (bus.GetProperty("area").GetDouble(), bus.GetProperty("segmentation").GetArrayLength()).ShouldBe((1200, 0));
        (person.GetProperty("image_id").GetInt32(), person.GetProperty("category_id").GetInt32(), person.GetProperty("area").GetDouble()).ShouldBe((3, 1, 80));
        Numbers(person.GetProperty("segmentation").EnumerateArray().ShouldHaveSingleItem()).ShouldBe([0, 0, 10, 0, 10, 10], "two points are no area");
    }

    [Fact]
    public void Coco_has_keypoints_with_their_names_and_bones()
    {
        var data = Json(ResultFormat.Coco, Pose());

        var found = data.GetProperty("annotations")[0];
        Numbers(found.GetProperty("keypoints")).ShouldBe([10, 20, 2, 0, 0, 0, 50, 25, 2]);
        found.GetProperty("num_keypoints").GetInt32().ShouldBe(2);
        var person = data.GetProperty("categories")[0];
        person.GetProperty("keypoints").EnumerateArray().Select(name => name.GetString()).ShouldBe(["nose", "left eye", "point 3"]);
        Numbers(person.GetProperty("skeleton")[0]).ShouldBe([1, 2]);
    }

    [Fact]
    public void Yolo_has_shares_of_the_picture()
    {
        Text(ResultFormat.Yolo, Boxes("a.jpg", new("bus", 2, 0.9, new Box(10, 10, 30, 20)), new("person", 0, 0.8, new Box(0, 0, 100, 50)))).ShouldBe("2 0.2 0.3 0.2 0.2\n0 0.5 0.5 1 1\n");
        Text(ResultFormat.Yolo, Boxes("a.jpg", new Detection("car", 1, 0.9, new Box(0, 0, 10, 10)) { Mask = new Mask([[0, 0, 10, 0, 10, 10, 0, 10]], new RunLengths([50, 100], [0, 100])) })).ShouldBe("1 0 0 0.1 0 0.1 0.2 0 0.2\n");
        Text(ResultFormat.Yolo, Boxes("a.jpg", new Detection("car", 1, 0.9, new Box(0, 0, 20, 10)) { Oriented = Turned })).ShouldBe("1 0.1 0 0.2 0.1 0.1 0.2 0 0.1\n");
        Text(ResultFormat.Yolo, Pose()).ShouldBe("0 0.3 0.4 0.6 0.8 0.1 0.4 2 0 0 0 0.5 0.5 2\n");
        Text(ResultFormat.Yolo, Boxes("a.jpg")).ShouldBeEmpty();
    }

    [Fact]
    public void Yolo_of_several_pictures_is_an_archive_in_which_no_name_leads_elsewhere_or_hides_another()
    {
        var found = new Detection("bus", 2, 0.9, new Box(10, 10, 30, 20));
        var file = new ExportedSet([Boxes("a.jpg", found), Boxes("a.png"), Boxes("../../a.jpg"), Boxes("..\\b.jpg"), Boxes(".jpg"), Boxes("classes.jpg")], "m", Classes).Write(ResultFormat.Yolo);

        using var archive = new ZipArchive(new MemoryStream(file.Bytes));
        archive.Entries.Select(entry => entry.FullName).ShouldBe(["classes.txt", "a.txt", "a-2.txt", "a-3.txt", "b.txt", "picture.txt", "classes-2.txt"]);
        Read("classes.txt").ShouldBe("person\ncar\nbus\n");
        Read("a.txt").ShouldBe("2 0.2 0.3 0.2 0.2\n");
        Read("a-2.txt").ShouldBeEmpty();

        string Read(string name)
        {
            using var text = new StreamReader(archive.GetEntry(name)!.Open());
            return text.ReadToEnd();
        }
    }

    [Fact]
    public void Classes_of_several_models_have_numbers_of_their_own()
    {
        var set = new ExportedSet(
            [Boxes("a.jpg", new Detection("bus", 0, 0.9, new Box(0, 0, 1, 1))), Boxes("b.jpg", new Detection("stop", 0, 0.9, new Box(0, 0, 1, 1))), Boxes("c.jpg", new Detection("bus", 7, 0.9, new Box(0, 0, 1, 1)))], "m+n", []);

        set.YoloFiles().Select(file => (file.Name, file.Text.Split(' ')[0])).ShouldBe([("classes.txt", "bus\nstop\n"), ("a.txt", "0"), ("b.txt", "1"), ("c.txt", "0")]);
    }

    [Fact]
    public void Cvat_has_boxes_polygons_points_and_tags()
    {
        var mask = new Mask([[0, 0, 10, 0, 10, 10]], new RunLengths([50, 100], [0, 50]));
        var annotations = XDocument.Parse(Text(
            ResultFormat.Cvat,
            Boxes("a\u0001<&>.jpg", new("bus", 2, 0.9, new Box(10, 20, 40, 60)), new("car", 1, 0.8, new Box(0, 0, 10, 10)) { Mask = mask }, new("car", 1, 0.7, new Box(0, 0, 20, 10)) { Oriented = Turned }),
            Pose(),
            new("cat.jpg", "cat.jpg", Of(100, 50) with { Labels = [new("tabby", 281, 0.7), new("tiger", 282, 0.2)] }))).Root!;

        annotations.Element("version")!.Value.ShouldBe("1.1");
        annotations.Descendants("label").Select(label => label.Element("name")!.Value).ShouldBe(["person", "car", "bus", "tabby", "tiger"]);
        var images = annotations.Elements("image").ToList();
        images.Select(image => (At(image, "id"), At(image, "name"))).ShouldBe([("0", "a?<&>.jpg"), ("1", "pose.jpg"), ("2", "cat.jpg")]);
        var box = images[0].Elements("box").First();
        (At(box, "label"), At(box, "source"), At(box, "xtl"), At(box, "ytl"), At(box, "xbr"), At(box, "ybr")).ShouldBe(("bus", "auto", "10", "20", "40", "60"));
        At(images[0].Element("polygon")!, "points").ShouldBe("0,0;10,0;10,10");
        var turned = images[0].Elements("box").Last();
        (At(turned, "rotation"), At(turned, "xtl"), At(turned, "xbr")).ShouldBe(("30", "5", "15"));
        At(images[1].Element("points")!, "points").ShouldBe("10,20;50,25");
        At(images[2].Elements("tag").ShouldHaveSingleItem(), "label").ShouldBe("tabby");

        static string? At(XElement element, string name) => (string?)element.Attribute(name);
    }

    [Fact]
    public void Label_studio_has_tasks_with_predictions_in_percent()
    {
        var tasks = Json(
            ResultFormat.LabelStudio,
            Boxes("a.jpg", new("bus", 2, 0.9, new Box(10, 10, 30, 20)), new("car", 1, 0.7, new Box(0, 0, 20, 10)) { Oriented = Turned }),
            new("cat.jpg", "https://example.org/cat.jpg", Of(100, 50) with { Labels = [new("tabby", 281, 0.7)] }));

        tasks.GetArrayLength().ShouldBe(2);
        var prediction = tasks[0].GetProperty("predictions")[0];
        (prediction.GetProperty("model_version").GetString(), prediction.GetProperty("score").GetDouble()).ShouldBe(("m", 0.8));
        var found = prediction.GetProperty("result")[0];
        (found.GetProperty("type").GetString(), found.GetProperty("from_name").GetString(), found.GetProperty("to_name").GetString(), found.GetProperty("original_width").GetInt32()).ShouldBe(("rectanglelabels", "label", "image", 100));
        Rectangle(found).ShouldBe((10, 20, 20, 20, 0));
        found.GetProperty("value").GetProperty("rectanglelabels")[0].GetString().ShouldBe("bus");
        Rectangle(prediction.GetProperty("result")[1]).ShouldBe((10, 0, 10, 10, 30), "turned about its top left corner");
        prediction.GetProperty("result").EnumerateArray().Select(r => r.GetProperty("id").GetString()).ShouldBe(["1", "2"]);

        tasks[1].GetProperty("data").GetProperty("image").GetString().ShouldBe("https://example.org/cat.jpg");
        var choice = tasks[1].GetProperty("predictions")[0].GetProperty("result").EnumerateArray().ShouldHaveSingleItem();
        (choice.GetProperty("type").GetString(), choice.GetProperty("value").GetProperty("choices")[0].GetString()).ShouldBe(("choices", "tabby"));

        static (double, double, double, double, double) Rectangle(JsonElement one)
        {
            var value = one.GetProperty("value");
            return (value.GetProperty("x").GetDouble(), value.GetProperty("y").GetDouble(), value.GetProperty("width").GetDouble(), value.GetProperty("height").GetDouble(), value.GetProperty("rotation").GetDouble());
        }
    }

    private static readonly OrientedBox Turned = new(10, 5, 10, 5, 30, [new(10, 0), new(20, 5), new(10, 10), new(0, 5)]);

    private static ExportedPicture Pose() => new("pose.jpg", "pose.jpg", Of(100, 50) with
    {
        Skeleton = [[0, 1]],
        Detections = [new("person", 0, 0.9, new Box(0, 0, 60, 40)) { Keypoints = [new("nose", 10, 20, 0.9), new("left eye", 12, 18, 0.1), new(null, 50, 25, null)] }],
    });

    private static ExportedPicture Boxes(string name, params Detection[] found) => new(name, name, Of(100, 50) with { Detections = found });

    private static VisionResult Of(int width, int height) => new() { Width = width, Height = height };

    private static string Text(ResultFormat format, params ExportedPicture[] pictures) => Encoding.UTF8.GetString(new ExportedSet(pictures, "m", Classes).Write(format).Bytes);

    private static JsonElement Json(ResultFormat format, params ExportedPicture[] pictures) => JsonDocument.Parse(Text(format, pictures)).RootElement;

    private static double[] Numbers(JsonElement list) => [.. list.EnumerateArray().Select(n => n.GetDouble())];
}
