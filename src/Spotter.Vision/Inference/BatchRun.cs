using System.Diagnostics;
using Spotter.Core;
using Spotter.Core.Images;
using Spotter.Vision.Annotation;
using Spotter.Vision.Boxes;
using Spotter.Vision.Images;
using Spotter.Vision.Results;

namespace Spotter.Vision.Inference;

/// <summary>One of several pictures that are run at once.</summary>
/// <param name="Picture">The encoded picture.</param>
/// <param name="Options">What is asked of it.</param>
public sealed record BatchPicture(ReadOnlyMemory<byte> Picture, VisionParameters Options);

/// <summary>The answer about one of several pictures: one of the two.</summary>
/// <param name="InferenceResult">What was found.</param>
/// <param name="Refusal">Why nothing could be.</param>
public sealed record BatchAnswer(InferenceResult? InferenceResult, SpotterException? Refusal);

/// <summary>Takes several pictures through a model together.</summary>
internal sealed class BatchRun(VisionModel model, VisionModel.Lane lane, ImageLimits limits)
{
    private readonly List<Prepared> ready = [];

    /// <summary>Fills in the answers; those that are there already stay.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.ModelOutputInvalid"/>: the model could not be run on so many.</exception>
    public void Run(IReadOnlyList<BatchPicture> pictures, BatchAnswer[] answers, BatchChooser chooser)
    {
        try
        {
            for (var i = 0; i < pictures.Count; i++)
                Prepare(i, pictures[i], answers);
            if (ready.Count == 0)
                return;
            var begun = Stopwatch.GetTimestamp();
            using var run = model.Infer(lane, ready.Count);
            var took = Stopwatch.GetElapsedTime(begun).TotalMilliseconds;
            chooser.Ran(ready.Count, took);
            for (var item = 0; item < ready.Count; item++)
                answers[ready[item].Index] = Answer(ready[item], new ModelOutputs(run.All, item, ready.Count), took / ready.Count);
        }
        finally
        {
            foreach (var prepared in ready)
                prepared.Canvas?.Dispose();
        }
    }

    private void Prepare(int index, BatchPicture picture, BatchAnswer[] answers)
    {
        var clock = new StageClock(Stopwatch.GetTimestamp());
        Canvas? canvas = null;
        try
        {
            Letterbox letterbox;
            (int Width, int Height) size;
            if (picture.Options.Annotate)
            {
                using var opened = Picture.Open(picture.Picture, limits);
                canvas = Canvas.Decode(opened);
                size = (canvas.Width, canvas.Height);
                letterbox = VisionModel.Prepare(canvas, new Region(0, 0, size.Width, size.Height), lane, ready.Count);
            }
            else
            {
                letterbox = model.Prepare(picture.Picture, lane, out size, ready.Count);
            }
            clock.Decoded();
            ready.Add(new Prepared(index, letterbox, size, picture.Options, canvas, clock));
        }
        catch (SpotterException refusal)
        {
            canvas?.Dispose();
            answers[index] = new BatchAnswer(null, refusal);
        }
    }

    private BatchAnswer Answer(Prepared prepared, in ModelOutputs outputs, double inferMs)
    {
        try
        {
            prepared.Clock.Skip();
            var result = model.Read(outputs, prepared.Letterbox, prepared.Size, prepared.Options, lane);
            prepared.Clock.Found();
            var drawn = prepared.Canvas is null ? null : Annotator.Draw(prepared.Canvas, result, DrawOptions.Of(prepared.Options, result));
            prepared.Clock.Encoded();
            return new BatchAnswer(new InferenceResult(result, prepared.Clock.Read(encoded: drawn is not null) with { InferMs = Math.Round(inferMs, 3) }, drawn), null);
        }
        catch (SpotterException refusal)
        {
            return new BatchAnswer(null, refusal);
        }
    }

    private sealed record Prepared(
        int Index, Letterbox Letterbox, (int Width, int Height) Size, VisionParameters Options, Canvas? Canvas, StageClock Clock);
}
