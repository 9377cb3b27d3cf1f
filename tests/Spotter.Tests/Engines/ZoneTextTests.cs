using System.Text.Json;
using Spotter.Core;
using Spotter.Engines.Catalogue;
using Spotter.Jobs;
using Spotter.Vision;

namespace Spotter.Tests.Engines;

public sealed class ZoneTextTests
{
    private static readonly ModelInfo Model = new("tiny", VisionTasks.Detect, "yolov8", 64, 64, ["person"]) { Version = "1" };

    [Fact]
    public void Text_and_JSON_say_the_same()
    {
        var text = Resolve("door:10,10 200,10 200,300; the yard: 0,0  1.5,0  0,-2 1,1 ");
        var json = Resolve("""[{"name": "door", "points": [[10, 10], [200, 10], [200, 300]]}, {"name": "the yard", "points": [[0, 0], [1.5, 0], [0, -2], [1, 1]]}]""");

        json.ShouldBe(text);
        var zones = text.Read(VisionJson.Default.VisionParameters).Zones!;
        zones.Select(z => z.Name).ShouldBe(["door", "the yard"]);
        zones[1].Points.ShouldBe([new(0, 0), new(1.5, 0), new(0, -2), new(1, 1)]);
    }

    [Fact]
    public void A_JSON_body_has_them_as_a_list()
    {
        using var body = JsonDocument.Parse("""[{"name": "a;b:c", "points": [[0, 0], [1, 0], [0, 1]]}]""");
        var form = new JobForm(EngineCatalogue.BuiltIn);

        form.Set("zones", body.RootElement);

        form.Resolve([Model], [Picture]).Parameters.Read(VisionJson.Default.VisionParameters).Zones!.ShouldHaveSingleItem().Name.ShouldBe("a;b:c");
    }

    [Theory]
    [InlineData("door:1,1 2,2", "The zone 'door' has 2 points; it takes 3 to 100.")]
    [InlineData("1,1 2,2 3,3", "The field 'zones' has a zone without a name, or with one that can't be; take 1 to 64 characters.")]
    [InlineData("door:1,1 2,2 3", "The field 'zones' has the point '3'; it is NAME:X,Y X,Y X,Y… separated by semicolons, or a JSON array.")]
    [InlineData("door:1,1 2,2 NaN,3", "The zone 'door' has a point that lies nowhere near a picture; give all in pixels.")]
    [InlineData("door:1,1 2,2 1e7,3", "The zone 'door' has a point that lies nowhere near a picture; give all in pixels.")]
    [InlineData("a:1,1 2,2 1,3;a:1,1 2,2 1,3", "The field 'zones' has two zones that are called 'a'; give each a name of its own.")]
    [InlineData("[{\"name\": \"a\"}]", "The field 'zones' is JSON of another form; send [{\"name\": \"door\", \"points\": [[10, 10], [200, 10], [200, 300]]}].")]
    [InlineData("[1]", "The field 'zones' is JSON of another form; send [{\"name\": \"door\", \"points\": [[10, 10], [200, 10], [200, 300]]}].")]
    [InlineData("[{\"name\": \"a\", \"points\": [[1, 2, 3], [1, 2], [2, 3]]}]", "The field 'zones' is JSON of another form; send [{\"name\": \"door\", \"points\": [[10, 10], [200, 10], [200, 300]]}].")]
    public void What_can_not_be_is_refused(string text, string message)
    {
        var refusal = Should.Throw<SpotterException>(() => Resolve(text));

        (refusal.Code, refusal.Message).ShouldBe((ErrorCodes.InvalidRequest, message));
    }

    [Fact]
    public void There_are_bounds()
    {
        Should.Throw<SpotterException>(() => Resolve(string.Join(';', Enumerable.Range(0, 33).Select(i => $"z{i}:0,0 1,0 0,1"))))
            .Message.ShouldBe("The field 'zones' has 33 zones; at most 32 are counted.");
        Should.Throw<SpotterException>(() => Resolve("a:" + string.Join(' ', Enumerable.Repeat("0,0", 101))))
            .Message.ShouldBe("The zone 'a' has 101 points; it takes 3 to 100.");
        Resolve(string.Join(';', Enumerable.Range(0, 32).Select(i => $"z{i}:0,0 1,0 0,1")));
    }

    private static readonly InputRef Picture = new("images/a", "image/jpeg", 1, "00");

    private static RawJson Resolve(string zones)
    {
        var form = new JobForm(EngineCatalogue.BuiltIn);
        form.Set("zones", zones);
        return form.Resolve([Model], [Picture]).Parameters;
    }
}
