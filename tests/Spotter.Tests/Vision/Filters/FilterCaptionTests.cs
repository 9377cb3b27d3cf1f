using Spotter.Core;
using Spotter.Vision.Filters;

namespace Spotter.Tests.Vision.Filters;

public sealed class FilterCaptionTests
{
    public static TheoryData<string, FilterRequest> Understood => new()
    {
        { "Blur", new() { Kind = FilterKind.Blur, Level = 16 } },
        { " blur 10 ", new() { Kind = FilterKind.Blur, Level = 10 } },
        { "CONTOUR", new() { Kind = FilterKind.Contour } },
        { "rotate", new() { Kind = FilterKind.Rotate, Degrees = 90 } },
        { "rotate 180", new() { Kind = FilterKind.Rotate, Degrees = 180 } },
        { "rotate anti-clockwise 180", new() { Kind = FilterKind.Rotate, Degrees = 180, AntiClockwise = true } },
        { "Rotate Clockwise 270", new() { Kind = FilterKind.Rotate, Degrees = 270 } },
        { "salt and pepper", new() { Kind = FilterKind.Salt, Amount = 0.05 } },
        { "Salt and Pepper 0.1", new() { Kind = FilterKind.Salt, Amount = 0.1 } },
        { "segment", new() { Kind = FilterKind.Segment } },
        { "concat", new() { Kind = FilterKind.Concat, Sides = ConcatSides.RightToLeft } },
        { "album", new() { Kind = FilterKind.Concat, Sides = ConcatSides.RightToLeft } },
        { "concat horizontal left-to-right", new() { Kind = FilterKind.Concat, Sides = ConcatSides.LeftToRight } },
        { "concat vertical", new() { Kind = FilterKind.Concat, Sides = ConcatSides.TopToBottom } },
        { "concat vertical bottom-to-top", new() { Kind = FilterKind.Concat, Sides = ConcatSides.BottomToTop } },
        { "concat top-to-bottom", new() { Kind = FilterKind.Concat, Sides = ConcatSides.TopToBottom } },
    };

    [Theory]
    [MemberData(nameof(Understood))]
    public void A_caption_is_read_as_people_write_it(string caption, FilterRequest request) => FilterCaption.Parse(caption).ShouldBe(request);

    [Theory]
    [InlineData("", "Please specify an action you'd like to execute on the image.\nIf you're unsure, please refer to 'help' for assistance.")]
    [InlineData("   ", "Please specify an action you'd like to execute on the image.\nIf you're unsure, please refer to 'help' for assistance.")]
    [InlineData("sepia", "Invalid image action specified. Please refer to the 'help' for assistance.")]
    [InlineData("blur 0", "Blur level must be a positive, whole number.")]
    [InlineData("blur -3", "Blur level must be a positive, whole number.")]
    [InlineData("blur 2.5", "Blur level must be a positive, whole number.")]
    [InlineData("blur a lot", "Blur level must be a positive, whole number.")]
    [InlineData("blur 99999999999999999999", "Blur level must be a positive, whole number.")]
    [InlineData("rotate 45", "Degrees may only be 90, 180 or 270.")]
    [InlineData("rotate 360", "Degrees may only be 90, 180 or 270.")]
    [InlineData("rotate anti-clockwise half", "Degrees may only be 90, 180 or 270.")]
    [InlineData("salt and pepper 2", "The amount of salt and pepper must be a number from 0 to 1.")]
    [InlineData("salt and pepper nan", "The amount of salt and pepper must be a number from 0 to 1.")]
    [InlineData("concat horizontal top-to-bottom", "The sides you've chosen to concatenate don't match the direction chosen. Please refer to the 'help'.")]
    [InlineData("concat vertical right-to-left", "The sides you've chosen to concatenate don't match the direction chosen. Please refer to the 'help'.")]
    [InlineData("concat my holiday", "The sides you've chosen to concatenate don't match the direction chosen. Please refer to the 'help'.")]
    public void What_is_wrong_with_a_caption_is_said_to_its_writer(string caption, string words)
    {
        var refusal = Should.Throw<SpotterException>(() => FilterCaption.Parse(caption));

        refusal.Code.ShouldBe(ErrorCodes.InvalidRequest);
        refusal.Message.ShouldBe(words);
    }
}
