using FsCheck;
using FsCheck.Fluent;
using Spotter.Core;
using Spotter.Core.Images;
using Spotter.Vision.Filters;
using Spotter.Vision.Images;

namespace Spotter.Tests.Vision.Filters;

/// <summary>Every filter from an encoded picture to the pixels of the encoded answer.</summary>
public sealed class PictureFilterTests
{
    private static readonly ImageLimits Limits = new();

    [Fact]
    public void A_turn_clockwise_and_one_against_the_clock_are_as_in_the_book()
    {
        var picture = Grey(3, [[1, 2, 3], [4, 5, 6], [7, 8, 9], [10, 11, 12]]);

        Rows(Turn(90), picture).ShouldBe(["10,7,4,1", "11,8,5,2", "12,9,6,3"]);
        Rows(Turn(90, anti: true), picture).ShouldBe(["3,6,9,12", "2,5,8,11", "1,4,7,10"]);
        Rows(Turn(180), picture).ShouldBe(["12,11,10", "9,8,7", "6,5,4", "3,2,1"]);
        Rows(Turn(180, anti: true), picture).ShouldBe(Rows(Turn(180), picture));
        Rows(Turn(270), picture).ShouldBe(Rows(Turn(90, anti: true), picture));
    }

    [Fact]
    public void Grey_weighs_the_colours()
    {
        foreach (var (r, g, b) in new (byte, byte, byte)[] { (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0), (12, 200, 77) })
        {
            var png = TestPictures.Png(TestPictures.Flat(2, 1, (r, g, b)), 2, 1);
            // A turn changes no value.
            var value = Pixels(Turn(180) with { Mode = FilterMode.Grey }, png).Pixels[0];
            ((double)value).ShouldBe((0.2989 * r) + (0.5870 * g) + (0.1140 * b), 1);
        }
    }

    [Fact]
    public void A_blur_is_the_mean_of_a_square_rounded_down_wherever_it_fits()
    {
        var picture = Grey(3, [[1, 2, 3], [4, 5, 6], [7, 8, 12]]);

        Rows(new() { Kind = FilterKind.Blur, Level = 2 }, picture).ShouldBe(["3,4", "6,7"]);
        Rows(new() { Kind = FilterKind.Blur, Level = 3 }, picture).ShouldBe(["5"]);
        Rows(new() { Kind = FilterKind.Blur, Level = 1 }, picture).ShouldBe(["1,2,3", "4,5,6", "7,8,12"]);
    }

    [Fact]
    public void A_blur_agrees_with_the_sum_over_every_square_in_each_colour() => Check.QuickThrowOnFailure(Prop.ForAll(
        Gen.Zip(Gen.Choose(1, 40), Gen.Zip(Gen.Choose(1, 40), Gen.Choose(1, 12))).ToArbitrary(),
        sample =>
        {
            var (width, (height, level)) = sample;
            if (level > Math.Min(width, height))
                return true;
            var pixels = TestPictures.Pattern(width, height, 3);
            var made = Pixels(new() { Kind = FilterKind.Blur, Level = level }, TestPictures.Png(pixels, width, height));
            for (var y = 0; y < made.Height; y++)
            {
                for (var x = 0; x < made.Width; x++)
                {
                    for (var band = 0; band < 3; band++)
                    {
                        var sum = 0;
                        for (var dy = 0; dy < level; dy++)
                        {
                            for (var dx = 0; dx < level; dx++)
                                sum += pixels[((((y + dy) * width) + x + dx) * 3) + band];
                        }
                        if (made.Pixels[(((y * made.Width) + x) * 3) + band] != sum / (level * level))
                            return false;
                    }
                }
            }
            return (made.Width, made.Height) == (width - level + 1, height - level + 1);
        }));

    [Fact]
    public void A_blur_of_no_size_and_one_larger_than_the_picture_are_refused_for_what_they_are()
    {
        var picture = Grey(3, [[1, 2, 3], [4, 5, 6], [7, 8, 9], [10, 11, 12]]);
        Refusal(new() { Kind = FilterKind.Blur, Level = 0 }, picture).ShouldBe("Blur level must be a positive, whole number.");
        Refusal(new() { Kind = FilterKind.Blur, Level = 4 }, picture)
            .ShouldBe("The picture is 3 x 4 pixels, smaller than the square of 4 x 4 that each pixel of a blur is the mean of; send a larger picture, or a smaller level.");
        Refusal(new() { Kind = FilterKind.Blur }, picture).ShouldContain("smaller than the square of 16 x 16");
    }

    [Fact]
    public void A_contour_is_the_difference_to_the_left_neighbour()
    {
        Rows(new() { Kind = FilterKind.Contour }, Grey(4, [[10, 50, 50, 0], [255, 0, 1, 3]])).ShouldBe(["40,0,50", "255,1,2"]);
        Refusal(new() { Kind = FilterKind.Contour }, Grey(1, [[1], [2]])).ShouldContain("2 pixels wide");
    }

    [Fact]
    public void A_segment_is_white_strictly_above_the_threshold()
    {
        Rows(new() { Kind = FilterKind.Segment }, Grey(4, [[99, 100, 101, 255]])).ShouldBe(["0,0,255,255"]);
        Rows(new() { Kind = FilterKind.Segment, Threshold = 98 }, Grey(4, [[98, 99, 0, 255]])).ShouldBe(["0,255,0,255"]);
    }

    [Fact]
    public void Salt_and_pepper_changes_at_most_its_share_and_is_half_of_each()
    {
        const int edge = 200;
        var png = TestPictures.Png(TestPictures.Flat(edge, edge, (90, 90, 90)), edge, edge);
        foreach (var amount in new[] { 0.05, 0.1 })
        {
            var made = Pixels(new() { Kind = FilterKind.Salt, Amount = amount, Mode = FilterMode.Grey }, png);
            var values = made.Pixels.Where((_, i) => i % 3 == 0).ToList();
            var (white, black) = (values.Count(v => v == 255), values.Count(v => v == 0));
            (white + black + values.Count(v => v == 90)).ShouldBe(edge * edge);
            (white + black).ShouldBeInRange((int)(edge * edge * amount * 0.85), (int)(edge * edge * amount));
            white.ShouldBeGreaterThan((int)(edge * edge * amount * 0.35));
            black.ShouldBeGreaterThan((int)(edge * edge * amount * 0.35));
        }
    }

    [Fact]
    public void Salt_and_pepper_with_a_seed_falls_where_it_fell()
    {
        var png = TestPictures.Png(40, 30);
        var request = new FilterRequest { Kind = FilterKind.Salt, Seed = 7 };

        Pixels(request, png).Pixels.ShouldBe(Pixels(request, png).Pixels);
        Pixels(request with { Seed = 8 }, png).Pixels.ShouldNotBe(Pixels(request, png).Pixels);
        Pixels(request with { Amount = 0 }, png).Pixels.ShouldBe(Pixels(Turn(180), Encoded(Turn(180), png)).Pixels);
    }

    [Theory]
    [InlineData(ConcatSides.RightToLeft, "1,2,3")]
    [InlineData(ConcatSides.LeftToRight, "3,2,1")]
    [InlineData(ConcatSides.TopToBottom, "3|2|1")]
    [InlineData(ConcatSides.BottomToTop, "1|2|3")]
    public void Pictures_lie_as_their_touching_edges_say(ConcatSides sides, string expected)
    {
        var rows = Rows(new() { Kind = FilterKind.Concat, Sides = sides }, Grey(1, [[1]]), Grey(1, [[2]]), Grey(1, [[3]]));

        string.Join('|', rows).ShouldBe(expected);
    }

    [Fact]
    public void A_picture_beside_itself_is_twice_as_wide_and_its_halves_are_equal()
    {
        var png = TestPictures.Png(33, 21);
        var made = Pixels(new() { Kind = FilterKind.Concat }, png, png);

        (made.Width, made.Height).ShouldBe((66, 21));
        for (var y = 0; y < 21; y++)
            made.Pixels.AsSpan(y * 66 * 3, 33 * 3).SequenceEqual(made.Pixels.AsSpan(((y * 66) + 33) * 3, 33 * 3)).ShouldBeTrue();
    }

    [Fact]
    public void Pictures_of_other_sizes_are_scaled_to_the_first_ones_edge_or_refused()
    {
        byte[] tall = TestPictures.Png(30, 60), small = TestPictures.Png(20, 10), flat = TestPictures.Png(300, 20);

        var row = Pixels(new() { Kind = FilterKind.Concat }, tall, small, flat);
        (row.Width, row.Height).ShouldBe((30 + 120 + 900, 60));
        var column = Pixels(new() { Kind = FilterKind.Concat, Sides = ConcatSides.BottomToTop }, tall, small);
        (column.Width, column.Height).ShouldBe((30, 60 + 15));
        Refusal(new() { Kind = FilterKind.Concat, Strict = true }, tall, small).ShouldBe("Images are incompatible for concatenation due to difference in height.");
        Refusal(new() { Kind = FilterKind.Concat, Strict = true, Sides = ConcatSides.TopToBottom }, tall, small).ShouldBe("Images are incompatible for concatenation due to difference in width.");
        Refusal(new() { Kind = FilterKind.Concat }, tall).ShouldBe("You need to upload more than one image in order to concat.");
    }

    [Fact]
    public void Pictures_that_are_too_large_together_are_refused_before_they_are_made()
    {
        var limits = new ImageLimits { MaxPixels = 10_000, MaxEdge = 500 };
        var png = TestPictures.Png(300, 10);

        Should.Throw<SpotterException>(() => PictureFilter.Run(new() { Kind = FilterKind.Concat }, [png, png], limits, RandomSource.Seeded(1)))
            .Code.ShouldBe(ErrorCodes.TooManyPixels);
    }

    [Fact]
    public void A_turned_photo_is_filtered_upright_and_keeps_nothing_but_pixels()
    {
        var photo = TestPictures.WithExif(TestPictures.Jpeg(40, 30), 6);

        var made = PictureFilter.Run(new() { Kind = FilterKind.Segment }, [photo], Limits, RandomSource.Seeded(1));

        (made.Result.Width, made.Result.Height).ShouldBe((30, 40));
        made.Annotated.Span.IndexOf("eXIf"u8).ShouldBe(-1);
        made.Annotated.Span[1..4].SequenceEqual("PNG"u8).ShouldBeTrue();
    }

    [Fact]
    public void Stretched_grey_goes_from_black_to_white() =>
        Rows(new() { Kind = FilterKind.Contour, Stretch = true }, Grey(4, [[10, 50, 50, 40]])).ShouldBe(["255,0,64"]);

    [Fact]
    public void Four_quarter_turns_are_none() => Check.QuickThrowOnFailure(Prop.ForAll(
        Gen.Zip(Gen.Choose(1, 30), Gen.Choose(1, 30)).ToArbitrary(),
        size =>
        {
            var pixels = TestPictures.Pattern(size.Item1, size.Item2, 3);
            var turned = TestPictures.Png(pixels, size.Item1, size.Item2);
            for (var i = 0; i < 4; i++)
                turned = Encoded(Turn(90), turned);
            return Decode(turned).Pixels.SequenceEqual(pixels);
        }));

    private static FilterRequest Turn(int degrees, bool anti = false) => new() { Kind = FilterKind.Rotate, Degrees = degrees, AntiClockwise = anti };

    private static byte[] Grey(int width, byte[][] rows) => TestPictures.Png([.. rows.SelectMany(r => r)], width, rows.Length, 1);

    private static string Refusal(FilterRequest request, params byte[][] pictures)
    {
        var refusal = Should.Throw<SpotterException>(() => Encoded(request, pictures));
        refusal.Code.ShouldBe(ErrorCodes.InvalidRequest);
        return refusal.Message;
    }

    /// <summary>The rows of what a filter makes in grey.</summary>
    private static string[] Rows(FilterRequest request, params byte[][] pictures)
    {
        var made = Pixels(request with { Mode = FilterMode.Grey }, pictures);
        return [.. Enumerable.Range(0, made.Height).Select(y => string.Join(',', Enumerable.Range(0, made.Width).Select(x => made.Pixels[((y * made.Width) + x) * 3])))];
    }

    private static (int Width, int Height, byte[] Pixels) Pixels(FilterRequest request, params byte[][] pictures) => Decode(Encoded(request, pictures));

    private static byte[] Encoded(FilterRequest request, params byte[][] pictures)
    {
        using var made = PictureFilter.Run(request, [.. pictures.Select(p => (ReadOnlyMemory<byte>)p)], Limits, RandomSource.Seeded(1));
        return made.Annotated.ToArray();
    }

    private static unsafe (int Width, int Height, byte[] Pixels) Decode(byte[] png)
    {
        using var picture = Picture.Open(png, Limits);
        using var canvas = Canvas.Decode(picture);
        return (canvas.Width, canvas.Height, new ReadOnlySpan<byte>(canvas.Pixels, canvas.Height * canvas.Stride).ToArray());
    }
}
