using Spotter.Vision.Boxes;
using Spotter.Vision.Models;

namespace Spotter.Vision.Results;

/// <summary>From boxes in input pixels to detections in pixels of the upright picture, with what belongs to the task.</summary>
internal static class DetectionBuilder
{
    /// <param name="model">Whose outputs they are.</param>
    /// <param name="outputs">The outputs of the picture.</param>
    /// <param name="letterbox">Where the picture, or a part of it, lies in the input.</param>
    /// <param name="size">Size of the whole upright picture.</param>
    /// <param name="candidates">The boxes, the most confident first, without doubles.</param>
    public static List<Detection> Build(
        ModelMetadata model, in ModelOutputs outputs, in Letterbox letterbox, (int Width, int Height) size, Candidates candidates)
    {
        var detections = new List<Detection>(candidates.Count);
        foreach (ref readonly var found in candidates.Span)
        {
            var oriented = model.Info.Engine == VisionTasks.Obb ? OrientedBoxes.Of(found, letterbox) : null;
            var box = oriented is null ? letterbox.ToPicture(found.X1, found.Y1, found.X2, found.Y2) : OrientedBoxes.Around(oriented);
            var clipped = new Box(Clip(box.X1, size.Width), Clip(box.Y1, size.Height), Clip(box.X2, size.Width), Clip(box.Y2, size.Height));
            // Put so that a box of which a number is none is left out as well.
            if (!(clipped.X2 > clipped.X1 && clipped.Y2 > clipped.Y1))
                continue;
            detections.Add(new Detection(model.Label(found.ClassId), found.ClassId, Math.Round(Math.Clamp(found.Score, 0, 1), 4), clipped)
            {
                Oriented = oriented,
                Keypoints = model.Keypoints is { } keypoints ? Keypoints(model, keypoints, outputs, letterbox, size, found) : null,
                Mask = model.Info.Engine == VisionTasks.Segment ? MaskReader.Read(model, outputs, letterbox, size, found) : null,
            });
        }
        return detections;
    }

    private static List<Keypoint> Keypoints(
        ModelMetadata model, KeypointSpec spec, in ModelOutputs outputs, in Letterbox letterbox, (int Width, int Height) size, in Candidate found)
    {
        var points = new List<Keypoint>(spec.Count);
        var (width, height) = BoxReader.Unit(model);
        for (var i = 0; i < spec.Count; i++)
        {
            var at = i * spec.Numbers;
            var point = letterbox.ToPicture(
                BoxReader.Extra(model, outputs, found.Anchor, at) * width, BoxReader.Extra(model, outputs, found.Anchor, at + 1) * height);
            double? sure = spec.Numbers == 3 ? Math.Round(Math.Clamp(BoxReader.Extra(model, outputs, found.Anchor, at + 2), 0, 1), 4) : null;
            var name = spec.Names is { } names && i < names.Count ? names[i] : null;
            points.Add(new Keypoint(name, Clip(point.X, size.Width), Clip(point.Y, size.Height), sure));
        }
        return points;
    }

    private static double Clip(double value, int edge) => Math.Round(Math.Clamp(value, 0, edge), 1);
}
