using System.Collections.Concurrent;
using System.Diagnostics;
using Spotter.Core;
using Spotter.Core.Images;
using Spotter.Vision.Annotation;
using Spotter.Vision.Boxes;
using Spotter.Vision.Images;
using Spotter.Vision.Models;
using Spotter.Vision.OnnxRuntime;
using Spotter.Vision.Results;
using OnnxRuntimeException = Microsoft.ML.OnnxRuntime.OnnxRuntimeException;

namespace Spotter.Vision.Inference;

/// <summary>
/// A loaded model. Any number of threads may run it at once; each run is the calling thread's work from the picture's
/// bytes to the result (and of more threads within the model, if <see cref="VisionModelOptions.Threads"/> says so).
/// Dispose of it after the last run has ended.
/// </summary>
public sealed class VisionModel : IDisposable
{
    private readonly OrtSession session;
    private readonly ImageLimits limits;
    private readonly ConcurrentBag<Lane> idle = [];
    private readonly BatchChooser batches;

    private VisionModel(OrtSession session, ModelMetadata card, ImageLimits limits)
    {
        this.session = session;
        this.limits = limits;
        Card = card;
        batches = new BatchChooser(card.Input.Batches && card.Layout != OutputLayout.Batched && card.Map is null && card.Shapes.All(s => s is [1, ..] && !s.Contains(-1)) ? MostAtOnce : 1);
    }

    /// <summary>Most pictures that any model is given at once.</summary>
    public const int MostAtOnce = 8;

    /// <summary>Most boxes of one picture that a second model looks at: the most confident. A job would take too long with all that there may be.</summary>
    public const int MostLooks = 32;

    /// <summary>What it runs on.</summary>
    public Device Device => session.Device;

    /// <summary>That as it is asked for, as <c>tensorrt</c>.</summary>
    public string DeviceName => OrtDevice.NameOf(Device);

    /// <summary>Why it does not run on the device that was asked for; null when it does.</summary>
    public string? NotOnDevice => session.NotOnDevice;

    /// <summary>What it is and what it finds.</summary>
    public ModelInfo Model => Card.Info;

    internal ModelMetadata Card { get; }

    /// <summary>Loads a model and runs it once, so that the first picture is as fast as the others.</summary>
    /// <exception cref="SpotterException">
    /// <see cref="ErrorCodes.ModelNotFound"/>, <see cref="ErrorCodes.ModelInvalid"/>, <see cref="ErrorCodes.ModelUnsupported"/>,
    /// <see cref="ErrorCodes.ModelOutputInvalid"/>, <see cref="ErrorCodes.NativeMissing"/>.
    /// </exception>
    public static VisionModel Load(string modelFile, VisionModelOptions options)
    {
        var (session, file) = ModelInspection.Load(modelFile, options.Threads, optimize: true, options.Device);
        try
        {
            var model = new VisionModel(session, ModelInspection.Inspect(modelFile, session, file, ModelTrial.Judge), options.Limits);
            model.WarmUp();
            return model;
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <summary>Says what is in a picture; draws it too when <see cref="VisionParameters.Annotate"/> says so.</summary>
    /// <exception cref="SpotterException">
    /// <see cref="ErrorCodes.EmptyBody"/>, <see cref="ErrorCodes.UnsupportedImage"/>, <see cref="ErrorCodes.TooManyPixels"/>,
    /// <see cref="ErrorCodes.ImageTruncated"/>, <see cref="ErrorCodes.ImageInvalid"/>, <see cref="ErrorCodes.ImageTooComplex"/>,
    /// <see cref="ErrorCodes.InvalidRequest"/> for a region outside the picture, <see cref="ErrorCodes.ModelOutputInvalid"/>.
    /// </exception>
    /// <exception cref="OperationCanceledException">It was cancelled: between stages, tiles and operators of the model.</exception>
    public InferenceResult Run(ReadOnlyMemory<byte> picture, VisionParameters options, IProgress<double>? progress = null, CancellationToken cancel = default) =>
        Run(picture, options, new RunExtras(), progress, cancel);

    /// <summary>As <see cref="Run(ReadOnlyMemory{byte}, VisionParameters, IProgress{double}, CancellationToken)"/>, with what some options need besides.</summary>
    public InferenceResult Run(ReadOnlyMemory<byte> picture, VisionParameters options, RunExtras extras, IProgress<double>? progress = null, CancellationToken cancel = default)
    {
        var started = Stopwatch.GetTimestamp();
        var lane = Rent();
        Canvas? canvas = null;
        try
        {
            if (Card.Map is not null)
                return new MapRun(this, options, extras).Run(picture, lane, started, cancel);
            var parts = options.Tile is not null || options.Region is not null;
            var letterbox = default(Letterbox);
            (int Width, int Height) size;
            if (options.NeedsPicture || parts)
            {
                canvas = Decode(picture);
                size = (canvas.Width, canvas.Height);
            }
            else
            {
                letterbox = Prepare(picture, lane, out size);
            }
            var timings = new StageClock(started);
            timings.Decoded();
            var result = canvas is null
                ? Look(lane, letterbox, size, options, timings, cancel)
                : LookAtParts(canvas, lane, options, timings, options.Then is null ? progress : null, cancel);
            cancel.ThrowIfCancellationRequested();
            if (options.Then is not null && extras.Then is { } then)
                result = new SecondLook(then, options).At(canvas!, result, timings, progress, cancel);
            var drawing = DrawOptions.Of(options, result);
            if (options.Crops && extras.OnFile is { } onFile)
            {
                Annotator.Redact(canvas!, drawing);
                drawing = drawing with { Redacted = null };
                result = Crops.Cut(canvas!, result, onFile, cancel);
            }
            var annotated = options.Annotate ? Annotator.Draw(canvas!, DrawOptions.Of(options, result).WithoutRedacted(result), drawing) : null;
            timings.Encoded();
            return new InferenceResult(result, timings.Read(encoded: options.Annotate || options.Crops), annotated);
        }
        finally
        {
            canvas?.Dispose();
            idle.Add(lane);
        }
    }

    /// <summary>
    /// Bytes that a picture takes at most at one time, by its header, besides what the model takes of itself; 0 for what is
    /// refused by it anyway. Looked at as a whole, a picture goes through row by row wherever its format lets it.
    /// </summary>
    /// <param name="picture">The encoded picture.</param>
    /// <param name="options">What is asked of it.</param>
    /// <param name="limits">The largest picture that is decoded.</param>
    /// <param name="makesMap">The model's task makes a map (<see cref="VisionTasks.WithMaps"/>).</param>
    public static long MemoryOf(ReadOnlyMemory<byte> picture, VisionParameters options, ImageLimits limits, bool makesMap = false)
    {
        // Two bytes for a number of a map, and as many for its file, in memory that grows by doubling.
        const int bytesPerPixel = 3, mapBytesPerPixel = 6;
        if (makesMap)
            return (mapBytesPerPixel * PictureMemory.Read(picture, limits).Pixels) + (options.Annotate ? Annotator.MemoryOf(picture, limits) : PictureMemory.Read(picture, limits).Decoder);
        if (options.NeedsPicture)
            return Annotator.MemoryOf(picture, limits);
        var read = PictureMemory.Read(picture, limits);
        return read.Decoder + (options.Tile is null && options.Region is null ? 0 : bytesPerPixel * read.Pixels);
    }

    /// <summary>How many of so many waiting pictures are best run at once; 1 unless the model takes several and gains by it.</summary>
    public int AtOnce(int waiting) => batches.Choose(waiting);

    /// <summary>
    /// Says what is in several pictures, which go through the model together. Each has an answer of its own: one that
    /// can't be read takes nothing away from the others.
    /// </summary>
    public IReadOnlyList<BatchAnswer> Run(IReadOnlyList<BatchPicture> pictures)
    {
        var answers = new BatchAnswer[pictures.Count];
        if (pictures.Count == 1 || pictures.Count > batches.Most || Card.Map is not null || pictures.Any(p => p.Options.Tile is not null || p.Options.Region is not null || p.Options.RunsAlone))
        {
            for (var i = 0; i < answers.Length; i++)
                answers[i] = RunAlone(pictures[i]);
            return answers;
        }
        var lane = Rent(MostAtOnce);
        try
        {
            new BatchRun(this, lane, limits).Run(pictures, answers, batches);
        }
        catch (SpotterException refused) when (refused.Code == ErrorCodes.ModelOutputInvalid)
        {
            batches.Failed(pictures.Count);
            for (var i = 0; i < answers.Length; i++)
                answers[i] ??= RunAlone(pictures[i]);
        }
        finally
        {
            idle.Add(lane);
        }
        return answers;
    }

    /// <summary>Runs the model on tensors as they are, with nothing of pictures around it.</summary>
    /// <param name="inputs">A tensor for each of <see cref="ModelTensors.Inputs"/>, in any order.</param>
    /// <param name="outputs">The names of those that are wanted; none for all.</param>
    /// <param name="onOutput">Takes each in the order in which they are wanted: what it is, and its bytes, which it may not keep.</param>
    /// <param name="cancel">Ends the run before its next operator.</param>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidRequest"/> for other tensors than the model takes, <see cref="ErrorCodes.ModelOutputInvalid"/>.</exception>
    public void Run(IReadOnlyList<RawTensor> inputs, IReadOnlyList<string> outputs, RawTensorAction onOutput, CancellationToken cancel) =>
        RawRun.Run(session, Model, inputs, outputs, onOutput, cancel);

    /// <inheritdoc/>
    public void Dispose()
    {
        while (idle.TryTake(out var lane))
            lane.Dispose();
        session.Dispose();
    }

    internal Lane Rent(int capacity = 1)
    {
        if (!idle.TryTake(out var lane))
            lane = new Lane(Card);
        lane.Ensure(capacity);
        return lane;
    }

    internal void Return(Lane lane) => idle.Add(lane);

    /// <summary>From bytes to the model's input, at no more than the size that the model needs.</summary>
    internal Letterbox Prepare(ReadOnlyMemory<byte> encoded, Lane lane, out (int Width, int Height) size, int item = 0)
    {
        using var picture = Picture.Open(encoded, limits);
        size = (picture.Width, picture.Height);
        var input = lane.InputFor(size.Width, size.Height);
        var letterbox = Letterbox.Create(input, size.Width, size.Height);
        picture.ShrinkTo(letterbox.Width, letterbox.Height);
        lane.Writer.Write(picture, letterbox, input, lane.Feed.Picture(item));
        lane.Feed.TellSize(item, size.Width, size.Height);
        return letterbox;
    }

    /// <summary>From a part of a decoded picture to the model's input.</summary>
    internal static Letterbox Prepare(Canvas canvas, Region part, Lane lane, int item = 0)
    {
        var input = lane.InputFor(part.Width, part.Height);
        var letterbox = Letterbox.Create(input, part.Width, part.Height) with { FromX = part.X, FromY = part.Y };
        lane.Writer.Write(canvas, part, letterbox, input, lane.Feed.Picture(item));
        lane.Feed.TellSize(item, part.Width, part.Height);
        return letterbox;
    }

    internal OrtOutputs Infer(Lane lane, int pictures = 1, CancellationToken cancel = default)
    {
        try
        {
            return session.Run(lane.Feed.Tensors(pictures), Card.Outputs, cancel);
        }
        catch (OnnxRuntimeException e)
        {
            throw new SpotterException(
                ErrorCodes.ModelOutputInvalid, $"{Model.Id} can't be run: {LoadFailure.Reason(e)}.", e);
        }
    }

    /// <summary>From the model's outputs to what is said about the upright picture.</summary>
    internal VisionResult Read(in ModelOutputs outputs, in Letterbox letterbox, (int Width, int Height) size, VisionParameters options, Lane lane)
    {
        outputs.Check(Card);
        return Card.Layout switch
        {
            OutputLayout.Classes => new() { Width = size.Width, Height = size.Height, Labels = LabelReader.Read(Card, outputs[0], options) },
            OutputLayout.Steps => new() { Width = size.Width, Height = size.Height, Reading = CtcReader.Read(outputs[0], Card.Characters!, Card.Activation) },
            OutputLayout.Vector => new() { Width = size.Width, Height = size.Height, Embedding = VectorReader.Read(Card, outputs[0]) },
            _ => ResultOf(size, Find(outputs, letterbox, size, options, lane), options),
        };
    }

    private BatchAnswer RunAlone(BatchPicture picture)
    {
        try
        {
            return new BatchAnswer(Run(picture.Picture, picture.Options), null);
        }
        catch (SpotterException refusal)
        {
            return new BatchAnswer(null, refusal);
        }
    }

    /// <summary>A picture with a result drawn on it.</summary>
    internal EncodedPicture Draw(ReadOnlyMemory<byte> picture, VisionResult result) => Annotator.Draw(picture, result, limits);

    private Canvas Decode(ReadOnlyMemory<byte> encoded)
    {
        using var picture = Picture.Open(encoded, limits);
        return Canvas.Decode(picture);
    }

    private VisionResult Look(Lane lane, in Letterbox letterbox, (int Width, int Height) size, VisionParameters options, StageClock timings, CancellationToken cancel)
    {
        Failpoint.At("worker-inferring");
        var begun = Stopwatch.GetTimestamp();
        using var run = Infer(lane, cancel: cancel);
        batches.Ran(1, Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
        timings.Inferred();
        var result = Read(new ModelOutputs(run.All, 0, 1), letterbox, size, options, lane);
        timings.Found();
        return result;
    }

    /// <summary>Looks at a picture that is decoded whole: at all of it, at a region, or tile by tile.</summary>
    private VisionResult LookAtParts(
        Canvas canvas, Lane lane, VisionParameters options, StageClock timings, IProgress<double>? progress, CancellationToken cancel)
    {
        var size = (canvas.Width, canvas.Height);
        var region = Tiling.Region(options.Region, canvas.Width, canvas.Height);
        var tiles = options.Tile is { } edge && Card.Layout is not (OutputLayout.Classes or OutputLayout.Steps or OutputLayout.Vector) ? Tiling.Tiles(region, edge, options.Overlap) : [region];
        if (tiles.Count == 1)
        {
            var letterbox = Prepare(canvas, tiles[0], lane);
            timings.Decoded();
            return Look(lane, letterbox, size, options, timings, cancel);
        }

        var (merge, seen) = (new TileMerge(region), 0);
        // Things larger than a tile are only seen as a whole from further away.
        foreach (var part in tiles.Prepend(region))
        {
            var letterbox = Prepare(canvas, part, lane);
            timings.Decoded();
            using var run = Infer(lane, cancel: cancel);
            timings.Inferred();
            var outputs = new ModelOutputs(run.All, 0, 1);
            outputs.Check(Card);
            merge.Add(part, Find(outputs, letterbox, size, options, lane, merge.Least));
            timings.Found();
            progress?.Report((double)++seen / (tiles.Count + 1));
        }
        var result = ResultOf(size, merge.Merge(options.Iou, options.Agnostic), options);
        timings.Found();
        return result;
    }

    // Finds that are no more confident than moreThan are left out before anything is made of them.
    private List<Detection> Find(
        in ModelOutputs outputs, in Letterbox letterbox, (int Width, int Height) size, VisionParameters options, Lane lane, double? moreThan = null)
    {
        var candidates = lane.Candidates;
        BoxReader.Read(Card, outputs, letterbox, (float)options.LeastConfidence, candidates);
        if (options.Thresholds is { } thresholds)
            candidates.RemoveBelow(thresholds, options.Confidence, Card);
        if (options.Labels is { } labels)
            candidates.RemoveOtherThan(labels, Card);
        // A model that gives no duplicates may still give one object under two labels.
        if (Card.NoDuplicates && !options.Agnostic)
            NonMaxSuppression.Rank(candidates);
        else
            NonMaxSuppression.Apply(candidates, options.Iou, turned: Model.Engine == VisionTasks.Obb, options.Agnostic);
        if (moreThan is { } least)
            candidates.KeepAbove(least);
        return DetectionBuilder.Build(Card, outputs, letterbox, size, candidates);
    }

    private VisionResult ResultOf((int Width, int Height) size, List<Detection> detections, VisionParameters options)
    {
        var result = new VisionResult
        {
            Width = size.Width,
            Height = size.Height,
            Detections = detections,
            Summary = VisionResult.Summarize(detections),
            Skeleton = Card.Keypoints?.Skeleton,
        };
        return options.Zones is { } zones ? ZoneCount.Count(result, zones) : result;
    }

    private void WarmUp()
    {
        var lane = Rent();
        var size = (Card.Input.Width, Card.Input.Height);
        lane.Feed.TellSize(0, size.Width, size.Height);
        using var run = Infer(lane);
        if (Card.Map is not null)
            new ModelOutputs(run.All, 0, 1).Check(Card);
        else
            Read(new ModelOutputs(run.All, 0, 1), Letterbox.Create(Card.Input, size.Width, size.Height), size, new VisionParameters(), lane);
        Return(lane);
    }

    /// <summary>The memory of one run at a time.</summary>
    internal sealed class Lane(ModelMetadata card) : IDisposable
    {
        private InputSpec input = card.Input;

        public InputTensors Feed { get; private set; } = new(card.Input, card.Size, card.Fixed, capacity: 1);

        public InputWriter Writer { get; } = new();

        public Candidates Candidates { get; } = new();

        /// <summary>Makes room for so many pictures at once.</summary>
        public void Ensure(int capacity)
        {
            if (Feed.Capacity >= capacity)
                return;
            Feed.Dispose();
            Feed = new InputTensors(input, card.Size, card.Fixed, capacity);
        }

        /// <summary>The input for a picture of a size, and makes room for it if it is another than that of the last picture.</summary>
        public InputSpec InputFor(int width, int height)
        {
            var wanted = card.Input.For(width, height);
            if ((wanted.Width, wanted.Height) == (input.Width, input.Height))
                return input;
            var capacity = Feed.Capacity;
            Feed.Dispose();
            (input, Feed) = (wanted, new InputTensors(wanted, card.Size, card.Fixed, capacity));
            return input;
        }

        public void Dispose()
        {
            Feed.Dispose();
            Writer.Dispose();
        }
    }
}
