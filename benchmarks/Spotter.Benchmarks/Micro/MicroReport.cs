using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Spotter.Benchmarks.Results;

namespace Spotter.Benchmarks.Micro;

/// <summary>Runs <see cref="VisionBenchmarks"/> and prints what came of each against its target.</summary>
internal static class MicroReport
{
    private const double TensorBytes = 3.0 * 640 * 640 * sizeof(float);

    public static void Run(BenchmarkOptions options)
    {
        VisionBenchmarks.Options = options;
        // In this process: it has the native libraries and the files already, and no second build has to agree with ours.
        var config = ManualConfig.CreateEmpty()
            .AddJob(BenchmarkDotNet.Jobs.Job.Default.WithToolchain(InProcessEmitToolchain.Instance).WithWarmupCount(3).WithIterationCount(12))
            .AddColumnProvider(BenchmarkDotNet.Columns.DefaultColumnProviders.Instance)
            .AddDiagnoser(BenchmarkDotNet.Diagnosers.MemoryDiagnoser.Default)
            .AddLogger(Environment.GetEnvironmentVariable("SPOTTER_BENCHMARK_LOG") is null ? NullLogger.Instance : ConsoleLogger.Default)
            .WithOptions(ConfigOptions.DisableOptimizationsValidator)
            .WithArtifactsPath(Path.Combine(Path.GetTempPath(), "spotter-benchmarks"));
        var summary = BenchmarkRunner.Run<VisionBenchmarks>(config);
        var reports = summary.Reports.ToDictionary(r => r.BenchmarkCase.Descriptor.WorkloadMethod.Name, StringComparer.Ordinal);
        double Median(string name) => reports[name].ResultStatistics?.Median / 1e6 ?? double.NaN;

        Console.WriteLine();
        Console.WriteLine("part (one thread)                         median ms   allocated B");
        foreach (var (name, figure, text) in new (string, string, string)[]
        {
            (nameof(VisionBenchmarks.Thumbnail), "thumbnail", "libvips thumbnail to pixels"),
            (nameof(VisionBenchmarks.DecodeToTensor), "decode", "decode, letterbox, tensor"),
            (nameof(VisionBenchmarks.FillTensor), "fill", "tensor fill, 640 x 640"),
            (nameof(VisionBenchmarks.ReadColumns), "boxes", "boxes from [1,84,8400]"),
            (nameof(VisionBenchmarks.Suppress), "suppress", "suppression of 1,000 boxes"),
            (nameof(VisionBenchmarks.Annotate), "annotate", "decode, annotate, encode"),
            (nameof(VisionBenchmarks.ModelOnly), "model", "model alone"),
            (nameof(VisionBenchmarks.Job), "job", "whole job"),
        })
        {
            FigureRecorder.Note("micro", $"{figure}Ms", Median(name));
            FigureRecorder.Note("micro", $"{figure}Bytes", Allocated(reports[name]));
            Console.WriteLine($"{text,-40}{Median(name),11:0.000}{Allocated(reports[name]),14:N0}");
        }
        Console.WriteLine();
        FigureRecorder.Note("micro", "decodeOfThumbnail", Median(nameof(VisionBenchmarks.DecodeToTensor)) / Median(nameof(VisionBenchmarks.Thumbnail)));
        FigureRecorder.Note("micro", "fillGBPerSecond", TensorBytes / Median(nameof(VisionBenchmarks.FillTensor)) / 1e6);
        FigureRecorder.Note("micro", "modelShare", Median(nameof(VisionBenchmarks.ModelOnly)) / Median(nameof(VisionBenchmarks.Job)));
        Target("decode to tensor against libvips' thumbnail", Median(nameof(VisionBenchmarks.DecodeToTensor)) / Median(nameof(VisionBenchmarks.Thumbnail)), "x", 1.15, atMost: true);
        Target("tensor fill", TensorBytes / Median(nameof(VisionBenchmarks.FillTensor)) / 1e6, "GB/s", 4, atMost: false);
        Target("boxes from [1,84,8400]", Median(nameof(VisionBenchmarks.ReadColumns)), "ms", 0.5, atMost: true);
        Target("suppression of 1,000 boxes", Median(nameof(VisionBenchmarks.Suppress)), "ms", 1, atMost: true);
        Target("allocated by a job", Allocated(reports[nameof(VisionBenchmarks.Job)]) / 1024.0, "KB", 64, atMost: true);
        Target("decode, annotate, encode", Median(nameof(VisionBenchmarks.Annotate)), "ms", 21, atMost: true);
        Console.WriteLine($"model alone is {Median(nameof(VisionBenchmarks.ModelOnly)) / Median(nameof(VisionBenchmarks.Job)):0.00} of a whole job");
    }

    private static double Allocated(BenchmarkReport report) => report.GcStats.GetBytesAllocatedPerOperation(report.BenchmarkCase) ?? 0;

    private static void Target(string what, double value, string unit, double target, bool atMost) => Console.WriteLine(
        $"{what}: {value:0.000} {unit}, target {(atMost ? "at most" : "at least")} {target} {unit}{((atMost ? value <= target : value >= target) ? "" : ": MISSED")}");
}
