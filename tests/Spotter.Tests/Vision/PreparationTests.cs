using System.Globalization;
using Spotter.Vision;
using Spotter.Vision.Inference;
using static Spotter.Tests.Vision.TestGraph;

namespace Spotter.Tests.Vision;

/// <summary>
/// What a model is really given, told by a model that says what it sees: the mean of each of 4 x 4 fields of its input,
/// for each of its three channels, as the confidence of one of 48 detections.
/// </summary>
public sealed class PreparationTests
{
    private const int Edge = 32;
    private const int Fields = 4;

    // A picture of four colours.
    private static readonly (byte R, byte G, byte B)[] Quarters = [(250, 40, 90), (20, 200, 60), (100, 120, 240), (180, 160, 30)];

    private static readonly byte[] Square = FourColours(64, 64);

    [Theory]
    [InlineData(Float32, false)]
    [InlineData(Float16, false)]
    [InlineData(UInt8, false)]
    [InlineData(Float32, true)]
    [InlineData(Float16, true)]
    [InlineData(UInt8, true)]
    public void Every_kind_of_input_gets_the_same_picture(int type, bool channelsLast)
    {
        var seen = See(Probe(type, channelsLast, scale: type == UInt8 ? 1 / 255f : 1), Square);

        for (var channel = 0; channel < 3; channel++)
        {
            for (var quarter = 0; quarter < 4; quarter++)
                seen[channel, quarter / 2 * 3, quarter % 2 * 3].ShouldBe(Band(Quarters[quarter], channel) / 255f, 0.002, $"channel {channel}, quarter {quarter}");
        }
    }

    [Fact]
    public void Three_dimensions_are_one_picture()
    {
        var seen = See(Probe(Float32, channelsLast: false, single: true), Square);

        seen[0, 0, 0].ShouldBe(250 / 255f, 0.001);
        seen[2, 3, 0].ShouldBe(240 / 255f, 0.001);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Blue_comes_first_when_the_model_wants_it_so(bool channelsLast)
    {
        var seen = See(Probe(Float32, channelsLast), Square, "input: { colour: bgr }");

        seen[0, 0, 0].ShouldBe(90 / 255f, 0.001);
        seen[1, 0, 0].ShouldBe(40 / 255f, 0.001);
        seen[2, 0, 0].ShouldBe(250 / 255f, 0.001);
    }

    [Theory]
    [InlineData("rgb", Float32)]
    [InlineData("bgr", Float32)]
    [InlineData("rgb", Float16)]
    public void Mean_and_deviation_are_of_the_channels_in_the_models_order(string colour, int type)
    {
        float[] mean = [0.485f, 0.456f, 0.406f], deviation = [0.229f, 0.224f, 0.225f];
        // A sixth of it and a half more is within 0 to 1.
        var seen = See(Probe(type, channelsLast: false, scale: 1 / 6f, offset: 0.5f), Square,
            $"input: {{ colour: {colour}, mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] }}");

        for (var channel = 0; channel < 3; channel++)
        {
            var value = Band(Quarters[3], colour == "bgr" ? 2 - channel : channel) / 255f;
            ((seen[channel, 3, 3] - 0.5) * 6).ShouldBe((value - mean[channel]) / deviation[channel], 0.01, $"channel {channel}");
        }
    }

    [Theory]
    [InlineData("1", 255)]
    [InlineData("1/127.5", 2)]
    [InlineData("0.00392156862745098", 1)]
    public void Values_are_scaled_as_the_overrides_say(string scale, float most)
    {
        var seen = See(Probe(Float32, channelsLast: false, scale: 1 / most), Square, $"input: {{ scale: {scale} }}");

        seen[0, 0, 0].ShouldBe(250 / 255f, 0.001);
    }

    [Theory]
    [InlineData("letterbox", "ffff cccc cccc ffff")]
    [InlineData("letterbox-top-left", "cccc cccc ffff ffff")]
    [InlineData("stretch", "cccc cccc cccc cccc")]
    public void An_oblong_picture_is_fitted_as_the_overrides_say(string fit, string expected)
    {
        var seen = See(Probe(Float32, channelsLast: false), TestPictures.Png(TestPictures.Flat(128, 64, (255, 0, 0)), 128, 64), $"input: {{ fit: {fit}, fill: 51 }}");

        var rows = Enumerable.Range(0, Fields).Select(y => string.Concat(Enumerable.Range(0, Fields).Select(x => Word(seen, y, x))));
        string.Join(' ', rows).ShouldBe(expected);

        static char Word(float[,,] seen, int y, int x) => seen[0, y, x] > 0.99 && seen[1, y, x] < 0.01 ? 'c' : Math.Abs(seen[0, y, x] - 0.2) < 0.01 && Math.Abs(seen[1, y, x] - 0.2) < 0.01 ? 'f' : '?';
    }

    [Fact]
    public void A_cropped_picture_shows_its_middle()
    {
        // Black, red, green, black: of 128 x 64 the middle 64 are seen.
        var pixels = new byte[128 * 64 * 3];
        for (var i = 0; i < 128 * 64; i++)
            pixels[(i * 3) + (i % 128 < 64 ? 0 : 1)] = i % 128 is >= 32 and < 96 ? (byte)255 : (byte)0;

        var seen = See(Probe(Float32, channelsLast: false), TestPictures.Png(pixels, 128, 64), "input: { fit: crop }");

        for (var y = 0; y < Fields; y++)
        {
            (seen[0, y, 0], seen[1, y, 0]).ShouldBe((1f, 0f));
            (seen[0, y, 3], seen[1, y, 3]).ShouldBe((0f, 1f));
        }
    }

    [Fact]
    public void A_cropped_picture_is_brought_to_the_size_asked_for_first()
    {
        // With the shorter edge at 64, of 64 x 64 pixels the middle 32 x 32 are seen: the four colours meet in it.
        var seen = See(Probe(Float32, channelsLast: false), FourColours(128, 128), "input: { fit: crop, resize: 64 }");

        seen[0, 0, 0].ShouldBe(250 / 255f, 0.01);
        seen[1, 0, 3].ShouldBe(200 / 255f, 0.01);
        seen[2, 3, 0].ShouldBe(240 / 255f, 0.01);

        var dots = new byte[128 * 128 * 3];
        // White except for a frame of 32 pixels, which is cut off then.
        for (var i = 0; i < 128 * 128; i++)
        {
            if (i % 128 is >= 32 and < 96 && i / 128 is >= 32 and < 96)
                dots.AsSpan(i * 3, 3).Fill(255);
        }
        var cut = See(Probe(Float32, channelsLast: false), TestPictures.Png(dots, 128, 128), "input: { fit: crop, resize: 64 }");
        var whole = See(Probe(Float32, channelsLast: false), TestPictures.Png(dots, 128, 128), "input: { fit: crop }");
        (cut[0, 0, 0], whole[0, 0, 0]).ShouldBe((1f, 0f));
    }

    [Fact]
    public void A_turned_picture_is_upright_before_the_model_sees_it()
    {
        // Stored on its side: orientation 6 is turned clockwise to be looked at.
        var stored = TestPictures.WithExif(TestPictures.Encode(FourPixels(64, 64), 64, 64, 3, "jpegsave_buffer", ("Q", 98), ("subsample_mode", NetVips.Enums.ForeignSubsample.Off)), orientation: 6);

        foreach (var options in (VisionParameters[])[new(), new() { Annotate = true }, new() { Region = new Region(0, 0, 64, 64) }])
        {
            var seen = See(Probe(Float32, channelsLast: false), stored, options: options);
            // What was at the bottom left is at the top left, and so on around.
            seen[2, 0, 0].ShouldBe(240 / 255f, 0.03);
            seen[0, 0, 3].ShouldBe(250 / 255f, 0.03);
            seen[0, 3, 0].ShouldBe(180 / 255f, 0.03);
            seen[1, 3, 3].ShouldBe(200 / 255f, 0.03);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Grey_and_half_transparent_pictures_fill_three_channels(int bands)
    {
        var pixels = Enumerable.Repeat((byte[])(bands == 1 ? [128] : [128, 255]), 64 * 64).SelectMany(p => p).ToArray();

        var seen = See(Probe(Float32, channelsLast: true), TestPictures.Png(pixels, 64, 64, bands));

        for (var channel = 0; channel < 3; channel++)
            seen[channel, 1, 2].ShouldBe(128 / 255f, 0.005);
    }

    [Fact]
    public void A_free_size_is_what_the_overrides_say()
    {
        using var file = new ModelFile(TestGraph.Taking(-1, 3, -1, -1).Output("output0", new Grid(1, 7, 84).Column(10, 0, 16, 16, 8, 8, 0, 0.9f), declared: [-1, 7, -1]).ToArray());
        File.WriteAllText(Path.ChangeExtension(file.Path, ".yaml"), "input:\n  width: 128\n  height: 32\n");

        using var model = VisionModel.Load(file.Path, new VisionModelOptions());

        (model.Model.InputWidth, model.Model.InputHeight).ShouldBe((128, 32));
        model.Run(TestPictures.Png(256, 64), new VisionParameters()).Result.Detections!.ShouldHaveSingleItem().Box.ShouldBe(new Box(24, 24, 40, 40));
    }

    private static float Band((byte R, byte G, byte B) colour, int band) => band switch { 0 => colour.R, 1 => colour.G, _ => colour.B };

    private static byte[] FourPixels(int width, int height)
    {
        var pixels = new byte[width * height * 3];
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                var (r, g, b) = Quarters[(2 * y / height * 2) + (2 * x / width)];
                (pixels[((y * width) + x) * 3], pixels[(((y * width) + x) * 3) + 1], pixels[(((y * width) + x) * 3) + 2]) = (r, g, b);
            }
        }
        return pixels;
    }

    private static byte[] FourColours(int width, int height) => TestPictures.Png(FourPixels(width, height), width, height);

    /// <summary>The model, for input of 32 x 32. What it sees is multiplied and added to before it becomes a confidence.</summary>
    private static byte[] Probe(int type, bool channelsLast, float scale = 1, float offset = 0, bool single = false)
    {
        const int all = 3 * Fields * Fields;
        long[] shape = channelsLast ? [1, Edge, Edge, 3] : [1, 3, Edge, Edge];
        var rows = new Grid(1, all, 4);
        var classes = new Grid(1, all, 1);
        for (var i = 0; i < all; i++)
        {
            rows.Put(i, 0, 1, 1, 30, 30);
            classes.Put(i, 0, i);
        }
        var graph = new TestGraph().Input("images", type, single ? shape[1..] : shape).Node("Cast", ["images"], ["floats"], ("to", Float32));
        graph.Constant("four", [4], [1, 3, Edge, Edge], TestGraph.Int64);
        if (channelsLast)
            graph.Node("Transpose", ["floats"], ["planes"], ("perm", Ints(0, 3, 1, 2)));
        else
            graph.Node("Reshape", ["floats", "four"], ["planes"]);
        return graph
            .Node("AveragePool", ["planes"], ["fields"], ("kernel_shape", Ints(Edge / Fields, Edge / Fields)), ("strides", Ints(Edge / Fields, Edge / Fields)))
            .Constant("column", [3], [1, all, 1], TestGraph.Int64).Node("Reshape", ["fields", "column"], ["means"])
            .Constant("scale", [1], [scale]).Constant("offset", [1], [offset])
            .Node("Mul", ["means", "scale"], ["scaled"]).Node("Add", ["scaled", "offset"], ["scores"])
            .Constant("corners", rows.Shape, rows.Numbers).Constant("classes", classes.Shape, classes.Numbers)
            .Node("Concat", ["corners", "scores", "classes"], ["output0"], ("axis", 2))
            .Output("output0", Float32, 1, all, 6).ToArray();
    }

    /// <summary>What was seen, by channel, row and column of fields.</summary>
    private static float[,,] See(byte[] probe, byte[] picture, string? overrides = null, VisionParameters? options = null)
    {
        using var file = new ModelFile(probe);
        // What it says are no probabilities, so it has to be said what it is.
        File.WriteAllText(Path.ChangeExtension(file.Path, ".yaml"), $"family: end2end\n{overrides}");
        using var model = VisionModel.Load(file.Path, new VisionModelOptions());
        model.Model.Family.ShouldBe("end2end");
        var seen = new float[3, Fields, Fields];
        foreach (var found in model.Run(picture, (options ?? new VisionParameters()) with { Confidence = 0 }).Result.Detections.ShouldNotBeNull())
        {
            found.ClassId.ShouldBeInRange(0, 47, found.ClassId.ToString(CultureInfo.InvariantCulture));
            seen[found.ClassId / 16, found.ClassId / 4 % 4, found.ClassId % 4] = (float)found.Confidence;
        }
        return seen;
    }
}
