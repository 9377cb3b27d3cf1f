using System.Diagnostics;
using Spotter.Benchmarks.Results;
using Spotter.Core.Images;
using Spotter.Vision;
using Spotter.Vision.Annotation;
using Spotter.Vision.Inference;

namespace Spotter.Benchmarks;

/// <summary>Medians of the parts of a job in milliseconds, each alone, on one core and on two at once.</summary>
/// <param name="PlainSum">Sum without annotation by number of threads.</param>
/// <param name="AnnotatedSum">Sum with annotation by number of threads.</param>
internal sealed record Report(IReadOnlyDictionary<int, double> PlainSum, IReadOnlyDictionary<int, double> AnnotatedSum);

/// <summary>Times decode with letterbox, model, boxes, and annotation with encoding, each alone.</summary>
internal static class PartTimes
{
    public static Report Run(BenchmarkOptions options)
    {
        using var model = VisionModel.Load(options.Model, new VisionModelOptions());
        ReadOnlyMemory<byte> picture = File.ReadAllBytes(options.Image);
        var result = model.Run(picture, new VisionParameters()).Result;
        if (result.Detections is not { Count: > 0 })
            throw new BenchmarkFailedException("The model finds nothing on the picture, so there are no boxes to find and to draw.");
        var plain = new Dictionary<int, double>();
        var annotated = new Dictionary<int, double>();
        Console.WriteLine();
        Console.WriteLine("parts alone, median ms                1 thread  2 threads");
        var rows = new Dictionary<string, double[]>(StringComparer.Ordinal);
        foreach (var threads in (int[])[1, 2])
        {
            var decode = Median(threads, options.Seconds, () => new LaneScope(model), s => s.Decode(picture));
            var infer = Median(threads, options.Seconds, () => new LaneScope(model, picture), s => s.Infer());
            var boxes = Median(threads, options.Seconds, () => new LaneScope(model, picture), s => s.Boxes());
            var draw = Median(threads, options.Seconds, () => new LaneScope(model), _ => Annotator.Draw(picture, result, new ImageLimits()).Dispose());
            var whole = Median(threads, options.Seconds, () => new LaneScope(model), _ => model.Run(picture, new VisionParameters()));
            var wholeDrawn = Median(threads, options.Seconds, () => new LaneScope(model), _ => model.Run(picture, new VisionParameters { Annotate = true }).Dispose());
            plain[threads] = decode + infer + boxes;
            annotated[threads] = decode + infer + boxes + draw;
            void Row(string figure, string name, double value)
            {
                FigureRecorder.Note("parts", $"{figure}.{threads}", value);
                if (!rows.TryGetValue(name, out var row))
                    rows[name] = row = new double[3];
                row[threads] = value;
            }
            Row("decode", "decode + letterbox", decode);
            Row("model", "model", infer);
            Row("boxes", "boxes", boxes);
            Row("plain", "sum without annotation", plain[threads]);
            Row("plainWhole", "  measured as one", whole);
            Row("annotate", "decode + annotate + encode", draw);
            Row("annotated", "sum with annotation", annotated[threads]);
            Row("annotatedWhole", "  measured as one (decodes once)", wholeDrawn);
        }
        foreach (var (name, values) in rows)
            Console.WriteLine($"{name,-36}{values[1],10:0.00}{values[2],11:0.00}");
        return new Report(plain, annotated);
    }

    private static double Median(int threads, double seconds, Func<LaneScope> scope, Action<LaneScope> part)
    {
        var all = new List<double>();
        var gate = new Lock();
        using var start = new Barrier(threads);
        var running = Enumerable.Range(0, threads).Select(_ => new Thread(() =>
        {
            using var lane = scope();
            for (var i = 0; i < 5; i++)
                part(lane);
            start.SignalAndWait();
            var times = new List<double>();
            var begun = Stopwatch.GetTimestamp();
            while (Stopwatch.GetElapsedTime(begun).TotalSeconds < seconds)
            {
                var at = Stopwatch.GetTimestamp();
                part(lane);
                times.Add(Stopwatch.GetElapsedTime(at).TotalMilliseconds);
            }
            lock (gate)
                all.AddRange(times);
        })).ToList();
        running.ForEach(t => t.Start());
        running.ForEach(t => t.Join());
        all.Sort();
        return all[all.Count / 2];
    }

    /// <summary>One lane's memory, and the steps of a job on it.</summary>
    private sealed class LaneScope : IDisposable
    {
        private readonly VisionModel model;
        private readonly VisionModel.Lane lane;
        private readonly Vision.OnnxRuntime.OrtOutputs? answer;
        private readonly Vision.Boxes.Letterbox letterbox;
        private readonly (int Width, int Height) size;

        public LaneScope(VisionModel model)
        {
            this.model = model;
            lane = model.Rent();
        }

        public LaneScope(VisionModel model, ReadOnlyMemory<byte> picture)
            : this(model)
        {
            letterbox = model.Prepare(picture, lane, out size);
            answer = model.Infer(lane);
        }

        public void Decode(ReadOnlyMemory<byte> picture) => model.Prepare(picture, lane, out _);

        public void Infer() => model.Infer(lane).Dispose();

        public void Boxes() => model.Read(new Vision.Boxes.ModelOutputs(answer!.All, 0, 1), letterbox, size, new VisionParameters(), lane);

        public void Dispose()
        {
            answer?.Dispose();
            model.Return(lane);
        }
    }
}
