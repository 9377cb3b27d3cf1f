using FsCheck;
using FsCheck.Fluent;
using Spotter.Vision.Models;
using Spotter.Vision.Results;

namespace Spotter.Tests.Vision;

/// <summary>From scores of characters to text, without a model.</summary>
public sealed class CtcReaderTests
{
    private static readonly string[] Dictionary = ["a", "b", "日", "🙂", " "];

    [Fact]
    public void Whatever_is_written_with_blanks_and_repeats_is_read_as_it_was() => Check.QuickThrowOnFailure(Prop.ForAll(
        Gen.Zip(Gen.ArrayOf(Gen.Zip(Gen.Choose(0, Dictionary.Length - 1), Gen.Zip(Gen.Choose(1, 4), Gen.Choose(0, 3)))), Gen.Elements(true, false)).ToArbitrary(),
        sample =>
        {
            var (letters, isBlankLast) = sample;
            var characters = CharacterSet.Of(Dictionary, Dictionary.Length + 1, isBlankLast)!;
            var steps = new List<int>();
            foreach (var (letter, (times, blanks)) in letters)
            {
                var column = isBlankLast ? letter : letter + 1;
                // Two of the same are only told apart by a blank between them.
                steps.AddRange(Enumerable.Repeat(characters.Blank, steps is [.., var last] && last == column ? Math.Max(1, blanks) : blanks));
                steps.AddRange(Enumerable.Repeat(column, times));
            }
            return CtcReader.Read(Scores(steps, characters, 0.8f), characters, Activation.None).Text == string.Concat(letters.Select(l => Dictionary[l.Item1]));
        }));

    [Fact]
    public void Confidence_is_the_mean_of_the_characters_and_blanks_count_for_nothing()
    {
        var characters = CharacterSet.Of(["a", "b"], 3, isBlankLast: false)!;

        // Of a character that comes twice, what is said first counts.
        var reading = CtcReader.Read([0.9f, 0.1f, 0, 0.2f, 0.8f, 0, 0.5f, 0.5001f, 0, 0.95f, 0.05f, 0, 0.3f, 0.1f, 0.6f], characters, Activation.None);

        (reading.Text, reading.Confidence).ShouldBe(("ab", 0.7));
        var nothing = CtcReader.Read([1, 0, 0, 1, 0, 0], characters, Activation.None);
        (nothing.Text, nothing.Confidence).ShouldBe(("", 0));
    }

    [Fact]
    public void Logits_are_as_sure_as_their_softmax()
    {
        var characters = CharacterSet.Of(["a", "b"], 3, isBlankLast: true)!;

        var reading = CtcReader.Read([MathF.Log(6), MathF.Log(3), MathF.Log(1)], characters, Activation.Softmax);

        (reading.Text, reading.Confidence).ShouldBe(("a", 0.6));
    }

    [Theory]
    [InlineData("a\nb\n", 3, "|a|b")]
    [InlineData("a\r\nb", 4, "|a|b| ")]
    [InlineData("a\n \n\u3000\n", 4, "|a| |\u3000")]
    [InlineData("blank\na\nb\n", 3, "|a|b")]
    [InlineData("ab日🙂", 5, "|a|b|日|🙂")]
    [InlineData("a\nb\n", 6, null)]
    [InlineData("a\nb\n", 2, null)]
    public void Dictionaries_are_matched_to_columns(string text, int columns, string? expected)
    {
        var characters = CharacterSet.Of(CharacterSet.Parse(text), columns, isBlankLast: false);

        (characters is null ? null : string.Join('|', characters.Characters)).ShouldBe(expected);
    }

    private static float[] Scores(List<int> steps, CharacterSet characters, float sure)
    {
        var columns = characters.Characters.Count;
        var scores = new float[steps.Count * columns];
        Array.Fill(scores, (1 - sure) / (columns - 1));
        for (var i = 0; i < steps.Count; i++)
            scores[(i * columns) + steps[i]] = sure;
        return scores;
    }
}
