using System.Numerics.Tensors;
using Spotter.Core;
using Spotter.Vision.Annotation;
using Spotter.Vision.Boxes;
using Spotter.Vision.Images;
using Spotter.Vision.Models;
using Spotter.Vision.Results;

namespace Spotter.Vision.Inference;

/// <summary>Takes a picture through a model that makes a map of it.</summary>
internal sealed class MapRun(VisionModel model, VisionParameters options, RunExtras extras)
{
    /// <summary>The file of a map.</summary>
    public static string FileOf(string task) => task == VisionTasks.Semantic ? "labels.png" : $"{task}.png";

    /// <summary>From a picture to what is said about it; its map goes to <see cref="RunExtras.OnFile"/>.</summary>
    /// <param name="picture">The encoded picture.</param>
    /// <param name="lane">The memory of the run.</param>
    /// <param name="started">When the job began.</param>
    /// <param name="cancel">Takes effect between stages, and operators of the model.</param>
    public InferenceResult Run(ReadOnlyMemory<byte> picture, VisionModel.Lane lane, long started, CancellationToken cancel)
    {
        var timings = new StageClock(started);
        var letterbox = model.Prepare(picture, lane, out var size);
        timings.Decoded();
        Failpoint.At("worker-inferring");
        using var run = model.Infer(lane, cancel: cancel);
        timings.Inferred();
        var outputs = new ModelOutputs(run.All, 0, 1);
        outputs.Check(model.Card);
        using var map = new GreyMap(size.Width, size.Height);
        var result = model.Card.Layout == OutputLayout.ClassMap ? OfClasses(outputs, letterbox, map, cancel) : OfValues(outputs, letterbox, map);
        timings.Found();
        cancel.ThrowIfCancellationRequested();
        if (extras.OnFile is { } onFile)
        {
            using var encoded = Encoder.EncodeGrey(map, result.Map!.Bits);
            onFile(result.Map.File, "image/png", encoded.Bytes);
        }
        cancel.ThrowIfCancellationRequested();
        // Nobody could draw values later: they are not in the result.
        var drawn = model.Card.Layout == OutputLayout.ValueMap ? Encoder.Encode(map, result.Map!.Bits) : options.Annotate ? model.Draw(picture, result) : null;
        timings.Encoded();
        return new InferenceResult(result, timings.Read(encoded: true), drawn);
    }

    private VisionResult OfClasses(in ModelOutputs outputs, in Letterbox letterbox, GreyMap map, CancellationToken cancel)
    {
        LabelMapReader.Read(model.Card, outputs, letterbox, map, cancel);
        var highest = 0;
        for (var y = 0; y < map.Height; y++)
            highest = Math.Max(highest, TensorPrimitives.Max<ushort>(map.Row(y)));
        return new()
        {
            Width = map.Width,
            Height = map.Height,
            Regions = RegionBuilder.Build(model.Card, map, letterbox, options.Labels, cancel),
            Map = new PictureMap(FileOf(model.Model.Engine), highest <= byte.MaxValue ? 8 : 16),
        };
    }

    private VisionResult OfValues(in ModelOutputs outputs, in Letterbox letterbox, GreyMap map)
    {
        var (least, greatest) = ValueMapReader.Read(model.Card, outputs, letterbox, map);
        return new()
        {
            Width = map.Width,
            Height = map.Height,
            Map = new PictureMap(FileOf(model.Model.Engine), model.Model.Engine == VisionTasks.Saliency ? 8 : 16) { Least = least, Greatest = greatest },
        };
    }
}
