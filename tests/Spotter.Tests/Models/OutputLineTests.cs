using Spotter.Vision;

namespace Spotter.Tests.Models;

public sealed class OutputLineTests
{
    [Fact]
    public void Of_labels_the_best_is_said() =>
        OutputLine.Of("a.b", Labels(new("pizza", 963, 0.9), new("plate", 923, 0.05))).ShouldBe("a.b,pizza");

    [Fact]
    public void Of_objects_their_number_is_said_in_order_of_appearance() =>
        OutputLine.Of("street", Objects("person", "bus", "person")).ShouldBe("street,2 person; 1 bus");

    [Fact]
    public void Nothing_is_said_to_be_nothing()
    {
        OutputLine.Of("x", Labels()).ShouldBe("x,nothing found");
        OutputLine.Of("x", Objects()).ShouldBe("x,nothing found");
        OutputLine.Of("x", new VisionResult { Width = 1, Height = 1 }).ShouldBeNull("a filter says nothing in words");
    }

    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("a,b", "\"a,b\"")]
    [InlineData("say \"x\"", "\"say \"\"x\"\"\"")]
    [InlineData("semi;colon", "semi;colon")]
    public void Only_what_would_end_a_field_is_quoted(string text, string field)
    {
        OutputLine.Of(text, Labels(new Label("l", 0, 1))).ShouldBe($"{field},l");
        OutputLine.Of("s", Labels(new Label(text, 0, 1))).ShouldBe($"s,{field}");
    }

    private static VisionResult Labels(params Label[] labels) => new() { Width = 1, Height = 1, Labels = labels };

    private static VisionResult Objects(params string[] names) =>
        new() { Width = 1, Height = 1, Detections = [.. names.Select(name => new Detection(name, 0, 1, default))] };
}
