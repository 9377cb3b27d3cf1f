using System.Globalization;
using System.Numerics.Tensors;
using Spotter.Core;
using Spotter.Vision.OnnxRuntime;

namespace Spotter.Vision.Models;

/// <content>What only models that find or read text have.</content>
internal sealed partial class ModelInspection
{
    private const int UsualLineHeight = 48;

    // Why the reading at hand may be wrong.
    private string? suspicion;

    /// <summary>The dictionary of a text reader: said beside the model, or in the file as RapidOCR's exports do; null when there is none.</summary>
    private IReadOnlyList<string>? Dictionary() => overrides.Characters
        ?? ((notes.GetValueOrDefault("character") ?? notes.GetValueOrDefault("dictionary")) is { Length: > 0 } noted ? CharacterSet.Parse(noted) : null);

    /// <summary>Somebody says that it reads text, so its input is a line where its shape doesn't tell.</summary>
    private bool IsSaidToRead() => (overrides.Task ?? notes.GetValueOrDefault("task")) == VisionTasks.Read || overrides.Family == FamilyNames.Ctc
        || notes.ContainsKey("character") || notes.ContainsKey("dictionary");

    /// <summary>Grey in place of colours, as high as a line of text is and longer.</summary>
    private static bool IsGreyLine(long[] shape) =>
        shape is [1, >= 24 and <= 64, _] or [>= 24 and <= 64, _, 1] && (shape[0] == 1 ? (shape[1], shape[2]) : (shape[0], shape[1])) is var (height, width) && (width < 0 || width >= 2 * height);

    private SpotterException OneColour(OrtPort port) => Refuse($"its input {port} takes pictures of one colour; only models for RGB or BGR are run");

    private TextHints TextHints() => new()
    {
        HasFreeWidth = input.HasFreeWidth,
        HasFreeHeight = input.HasFreeHeight,
        Characters = Dictionary()?.Count,
    };

    /// <summary>What the columns of a text reader stand for; null for other models.</summary>
    private CharacterSet? CharactersOf(LayoutGuess guess)
    {
        if (guess.Layout != OutputLayout.Steps)
            return null;
        var output = session.Outputs[guess.Outputs[0]];
        var beside = Path.GetFileName(ModelOverrides.FileOf(file));
        if (Dictionary() is not { } dictionary)
        {
            throw Refuse($"it reads text and scores {guess.Classes} characters ({output}), but nothing says which; put those that it was trained with into a text file beside it, one on each line, "
                + $"and name that file in {beside}: task: read, labels: characters.txt");
        }
        var blank = BlankOf(guess, dictionary);
        var characters = CharacterSet.Of(dictionary, guess.Classes, isBlankLast: blank != 0)
            ?? throw Refuse($"it scores {guess.Classes} characters ({output}), but its dictionary has {dictionary.Count}: one fewer would leave the blank, and two the blank and a space; "
                + $"name the dictionary that it was trained with in {beside}, as labels");
        Note("characters", string.Create(CultureInfo.InvariantCulture,
            $"{characters.Characters.Count - 1}{(guess.Classes - dictionary.Count == 2 ? ", with a space after those of the dictionary" : "")}"), overrides.Characters is not null ? FactSource.Overridden : FactSource.Stated);
        return characters;
    }

    /// <summary>
    /// Where the blank is: a reader that sees nothing says it at nearly each step. Where it doesn't, it is the first, as PaddleOCR has
    /// it, or the last for docTR.
    /// </summary>
    private int BlankOf(LayoutGuess guess, IReadOnlyList<string> dictionary)
    {
        var (blank, source) = (overrides.IsBlankLast, CharacterSet.ListedBlank(dictionary), BlankSeen(guess)) switch
        {
            ({ } isLast, _, _) => (isLast ? guess.Classes - 1 : 0, FactSource.Overridden),
            (_, { } listed, _) when dictionary.Count == guess.Classes => (listed, FactSource.Stated),
            (_, _, { } seen) => (seen, FactSource.Inferred),
            _ => (guess.IsDocTr ? guess.Classes - 1 : 0, FactSource.Assumed),
        };
        if (source == FactSource.Assumed)
            suspicion ??= "in a grey picture it says neither the first nor the last of its characters, so which is the blank isn't known";
        Note("blank", blank == 0 ? "first" : "last", source);
        return blank;
    }

    private int? BlankSeen(LayoutGuess guess)
    {
        int steps = 0, first = 0, last = 0;
        foreach (var run in (OrtOutput[])[Blank(guess.Outputs[0]), Tried(TrialPicture.Grey, guess.Outputs[0])])
        {
            for (var at = 0; at + guess.Classes <= run.Span.Length; at += guess.Classes, steps++)
            {
                var best = TensorPrimitives.IndexOfMax(run.Span.Slice(at, guess.Classes));
                first += best == 0 ? 1 : 0;
                last += best == guess.Classes - 1 ? 1 : 0;
            }
        }
        return first * 2 > steps ? 0 : last * 2 > steps ? guess.Classes - 1 : null;
    }

    /// <summary>What a reader's scores still need: nothing when its graph ends with a softmax, or each step adds up to 1.</summary>
    private Activation StepActivation(LayoutGuess guess)
    {
        var (activation, source) = (overrides.Activation, onnx.MakerOf(session.Outputs[guess.Outputs[0]].Name)) switch
        {
            ({ } said, _) => (said, FactSource.Overridden),
            (_, "Softmax") => (Activation.None, FactSource.Inferred),
            _ => (TrialPictures.All.All(picture => AreShares(Tried(picture, guess.Outputs[0]).Span, guess.Classes)) ? Activation.None : Activation.Softmax, FactSource.Inferred),
        };
        Note("scores", Word(activation), source);
        return activation;
    }

    private static bool AreShares(ReadOnlySpan<float> numbers, int columns)
    {
        for (var at = 0; at + columns <= numbers.Length; at += columns)
        {
            double sum = 0;
            foreach (var share in numbers.Slice(at, columns))
            {
                if (share is not (>= -0.001f and <= 1.001f))
                    return false;
                sum += share;
            }
            if (Math.Abs(sum - 1) > 0.02)
                return false;
        }
        return true;
    }

    /// <summary>The shape of an output for one picture; where the input's size follows the picture, so do these.</summary>
    private long[] ShapeOf(OrtPort port, LayoutGuess guess) => (input.Free, guess.Layout) switch
    {
        (not null, OutputLayout.TextMap) => [1, 1, -1, -1],
        (not null, OutputLayout.Steps) => port.Shape[0] == 1 ? [1, -1, port.Shape[2]] : [-1, 1, port.Shape[2]],
        _ => port.Shape,
    };
}
