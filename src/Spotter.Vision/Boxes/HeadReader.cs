using Spotter.Vision.Models;

namespace Spotter.Vision.Boxes;

/// <summary>From outputs for each stride, or each quantity, to boxes in pixels of the input (<see cref="OutputLayout.Heads"/>).</summary>
internal static class HeadReader
{
    // Variances of SSD's boxes, which RetinaFace kept.
    private const float Shift = 0.1f;
    private const float Growth = 0.2f;

    /// <param name="model">Whose outputs they are.</param>
    /// <param name="outputs">The outputs of one picture.</param>
    /// <param name="confidence">Boxes below this are left out.</param>
    /// <param name="into">Where boxes are added.</param>
    public static void Read(ModelMetadata model, in ModelOutputs outputs, float confidence, Candidates into)
    {
        var anchor = 0;
        foreach (var head in model.Heads)
        {
            var columns = AnchorGrid.Along(model.Input.Width, head.Stride, partial: true);
            var rows = head.PerCell * columns * AnchorGrid.Along(model.Input.Height, head.Stride, partial: true);
            for (var row = 0; row < rows; row++, anchor++)
            {
                var (classId, score) = Score(model, outputs, head, head.First + row);
                if (score < confidence)
                    continue;
                var place = Place.Of(model, head, row, columns);
                var (x1, y1, x2, y2) = Box(model, outputs, head, head.First + row, place);
                into.Add(new Candidate(x1, y1, x2, y2, score, classId, anchor));
            }
        }
    }

    /// <summary>A coordinate of a landmark, in pixels of the input: x of the first, y of the first, x of the second …</summary>
    public static float Point(ModelMetadata model, in ModelOutputs outputs, int anchor, int index)
    {
        foreach (var head in model.Heads)
        {
            var columns = AnchorGrid.Along(model.Input.Width, head.Stride, partial: true);
            var rows = head.PerCell * columns * AnchorGrid.Along(model.Input.Height, head.Stride, partial: true);
            if (anchor >= rows)
            {
                anchor -= rows;
                continue;
            }
            var place = Place.Of(model, head, anchor, columns);
            var number = outputs[head.Points][((head.First + anchor) * model.Extras) + index];
            var from = index % 2 == 0 ? place.X : place.Y;
            return from + (number * (model.HeadKind == HeadKind.Priors ? Shift * place.Size : head.Stride));
        }
        throw new ArgumentOutOfRangeException(nameof(anchor));
    }

    private static (int ClassId, float Score) Score(ModelMetadata model, in ModelOutputs outputs, Head head, int row)
    {
        var scores = outputs[head.Scores];
        switch (model.HeadKind)
        {
            case HeadKind.Priors:
                // No face and a face.
                return (0, model.Activation == Activation.Softmax ? BoxReader.Activate(scores[(2 * row) + 1] - scores[2 * row], Activation.Sigmoid) : scores[(2 * row) + 1]);
            case HeadKind.Centres:
                // As OpenCV's FaceDetectorYN has it.
                return (0, MathF.Sqrt(Math.Clamp(scores[row], 0, 1) * Math.Clamp(outputs[head.Objectness][row], 0, 1)));
            default:
                var (classId, best) = BoxReader.Best(scores.Slice(row * model.Classes, model.Classes));
                return (classId, BoxReader.Activate(best, model.Activation));
        }
    }

    private static (float X1, float Y1, float X2, float Y2) Box(ModelMetadata model, in ModelOutputs outputs, Head head, int row, in Place place)
    {
        var bins = model.HeadKind == HeadKind.Distributions ? model.Extras / 4 : 1;
        var numbers = outputs[head.Boxes].Slice(row * 4 * bins, 4 * bins);
        float stride = head.Stride;
        switch (model.HeadKind)
        {
            case HeadKind.Distributions:
                return (
                    Math.Max(0, place.X - (BoxReader.Mean(numbers[..bins]) * stride)),
                    Math.Max(0, place.Y - (BoxReader.Mean(numbers[bins..(2 * bins)]) * stride)),
                    Math.Min(model.Input.Width, place.X + (BoxReader.Mean(numbers[(2 * bins)..(3 * bins)]) * stride)),
                    Math.Min(model.Input.Height, place.Y + (BoxReader.Mean(numbers[(3 * bins)..]) * stride)));
            case HeadKind.Distances:
                return (place.X - (numbers[0] * stride), place.Y - (numbers[1] * stride), place.X + (numbers[2] * stride), place.Y + (numbers[3] * stride));
            default:
                var (shift, growth, unit) = model.HeadKind == HeadKind.Priors ? (Shift * place.Size, Growth, place.Size) : (stride, 1, stride);
                float x = place.X + (numbers[0] * shift), y = place.Y + (numbers[1] * shift);
                float width = unit * MathF.Exp(numbers[2] * growth), height = unit * MathF.Exp(numbers[3] * growth);
                return (x - (width / 2), y - (height / 2), x + (width / 2), y + (height / 2));
        }
    }

    /// <summary>The point that a box counts from, and the edge of the prepared box there, in pixels of the input.</summary>
    private readonly record struct Place(float X, float Y, float Size)
    {
        public static Place Of(ModelMetadata model, Head head, int row, int columns)
        {
            var (cell, which) = (row / head.PerCell, row % head.PerCell);
            var priors = model.HeadKind == HeadKind.Priors;
            var offset = priors ? 0.5f : model.CellOffset;
            return new(((cell % columns) + offset) * head.Stride, ((cell / columns) + offset) * head.Stride, priors ? HeadRules.FacePriors[head.Stride][which] : 0);
        }
    }
}
