using Spotter.Vision.Boxes;
using Spotter.Vision.Images;
using Spotter.Vision.Models;
using Spotter.Vision.Results;

namespace Spotter.Vision.Inference;

/// <summary>Shows what was found to a second model, box by box, cut out of the picture as it was sent.</summary>
/// <param name="model">The second model.</param>
/// <param name="options">What was asked of the first.</param>
internal sealed class SecondLook(VisionModel model, VisionParameters options)
{
    /// <summary>What is shown around a box on each side, as a share of its edge: boxes cut off a little of what they are about.</summary>
    public const double Margin = 0.1;

    // Labels, zones and drawing are the first model's; what is left says how sure an answer has to be.
    private readonly VisionParameters asked = new() { Confidence = options.Confidence, Iou = options.Iou, Agnostic = options.Agnostic, Top = options.Top };

    /// <summary>The result with the second model's answers.</summary>
    /// <exception cref="Core.SpotterException"><see cref="Core.ErrorCodes.ModelOutputInvalid"/>.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled: between boxes, and between operators of the model.</exception>
    public VisionResult At(Canvas canvas, VisionResult result, StageClock timings, IProgress<double>? progress, CancellationToken cancel)
    {
        var detections = (result.Detections ?? []).ToList();
        List<int> wanted = [.. Enumerable.Range(0, detections.Count).Where(i => options.ThenLabels?.Contains(detections[i].Label, StringComparer.Ordinal) != false)];
        // Reading a line takes a fraction of what finding things does, and half a page is of no use.
        var looked = Math.Min(wanted.Count, model.Card.Layout == OutputLayout.Steps ? int.MaxValue : VisionModel.MostLooks);
        var lane = model.Rent();
        try
        {
            for (var done = 0; done < looked; done++)
            {
                cancel.ThrowIfCancellationRequested();
                var found = detections[wanted[done]];
                var answer = model.Card.Layout == OutputLayout.Steps
                    ? Straight(canvas, found, lane, timings, cancel)
                    : Look(canvas, Region.Around(found.Box, Margin, canvas.Width, canvas.Height), lane, timings, cancel);
                detections[wanted[done]] = found with
                {
                    Then = new ThenResult(model.Model.Id)
                    {
                        Labels = answer.Labels, Detections = answer.Detections, Reading = answer.Reading, Embedding = answer.Embedding, Skeleton = answer.Skeleton,
                    },
                };
                progress?.Report((done + 1.0) / looked);
            }
        }
        finally
        {
            model.Return(lane);
        }
        return result with { Detections = detections, Then = new ThenSummary(model.Model.Id, looked, wanted.Count - looked) };
    }

    /// <summary>Text is read along its box, which is cut off nowhere: what finds text leaves room around it.</summary>
    private VisionResult Straight(Canvas canvas, Detection found, VisionModel.Lane lane, StageClock timings, CancellationToken cancel)
    {
        using var crop = StraightCrop.Of(canvas, found.Box, found.Oriented);
        return Look(crop, new Region(0, 0, crop.Width, crop.Height), lane, timings, cancel);
    }

    private VisionResult Look(Canvas canvas, Region part, VisionModel.Lane lane, StageClock timings, CancellationToken cancel)
    {
        var letterbox = VisionModel.Prepare(canvas, part, lane);
        timings.Decoded();
        using var run = model.Infer(lane, cancel: cancel);
        timings.Inferred();
        var answer = model.Read(new ModelOutputs(run.All, 0, 1), letterbox, (canvas.Width, canvas.Height), asked, lane);
        timings.Found();
        return answer;
    }
}
