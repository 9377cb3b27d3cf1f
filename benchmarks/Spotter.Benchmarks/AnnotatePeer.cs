using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Spotter.Benchmarks.Results;
using Spotter.Core.Images;
using Spotter.Vision;
using Spotter.Vision.Annotation;
using Spotter.Vision.Inference;

namespace Spotter.Benchmarks;

/// <summary>Times drawing and encoding a picture beside the same in Node with sharp, one after the other in one run.</summary>
internal static class AnnotatePeer
{
    public static void Run(BenchmarkOptions options)
    {
        using var model = VisionModel.Load(options.Model, new VisionModelOptions());
        ReadOnlyMemory<byte> picture = File.ReadAllBytes(options.Image);
        var result = model.Run(picture, new VisionParameters()).Result;
        var ours = Median(options.Seconds, () => Annotator.Draw(picture, result, new ImageLimits()).Dispose());

        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, JsonSerializer.Serialize(result, VisionJson.Default.VisionResult));
            var theirs = double.Parse(
                Peers.Run("annotate.mjs", Path.GetFullPath(options.Image), file, options.Seconds.ToString(CultureInfo.InvariantCulture)), CultureInfo.InvariantCulture);
            FigureRecorder.Note("peers", "sharpMs", theirs);
            FigureRecorder.Note("peers", "times", theirs / ours);
            Console.WriteLine();
            Console.WriteLine($"decode, annotate, encode: {ours:0.00} ms, sharp {theirs:0.00} ms (medians, one thread): {theirs / ours:0.00} times as fast");
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static double Median(double seconds, Action step)
    {
        for (var i = 0; i < 3; i++)
            step();
        var times = new List<double>();
        var begun = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(begun).TotalSeconds < seconds)
        {
            var at = Stopwatch.GetTimestamp();
            step();
            times.Add(Stopwatch.GetElapsedTime(at).TotalMilliseconds);
        }
        times.Sort();
        return times[times.Count / 2];
    }
}
