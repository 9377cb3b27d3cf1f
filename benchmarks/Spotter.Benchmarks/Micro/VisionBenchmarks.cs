using System.Runtime.InteropServices;
using BenchmarkDotNet.Attributes;
using Spotter.Core.Images;
using Spotter.Vision;
using Spotter.Vision.Annotation;
using Spotter.Vision.Boxes;
using Spotter.Vision.Images;
using Spotter.Vision.Inference;
using Spotter.Vision.LibVips;
using Spotter.Vision.Models;
using Spotter.Vision.OnnxRuntime;
using Image = NetVips.Image;

namespace Spotter.Benchmarks.Micro;

/// <summary>The parts of a job, each alone, on one thread.</summary>
[MemoryDiagnoser]
#pragma warning disable CA1001 // BenchmarkDotNet derives from it and calls the cleanup itself.
public unsafe class VisionBenchmarks
#pragma warning restore CA1001
{
    private const int Edge = 640;
    private const int Anchors = 8400;
    private const int Classes = 80;

    private readonly InputSpec input = new() { Index = 0, Type = OrtPort.Float32, Width = Edge, Height = Edge };
    private readonly float[] tensor = new float[3 * Edge * Edge];
    private readonly float[] columns = new float[(4 + Classes) * Anchors];
    private readonly Candidate[] boxes = new Candidate[1000];
    private readonly Candidates candidates = new();
    private readonly ImageLimits limits = new();
    private byte[] picture = [];
    private InputWriter writer = null!;
    private Canvas square = null!;
    private VisionModel model = null!;
    private VisionResult result = null!;
    private byte[] thumbnail = [];

    /// <summary>The options of this run; BenchmarkDotNet creates the class itself.</summary>
    internal static BenchmarkOptions Options { get; set; } = null!;

    [GlobalSetup]
    public void Prepare()
    {
        picture = File.ReadAllBytes(Options.Image);
        writer = new InputWriter();
        square = new Canvas(Edge, Edge);
        thumbnail = new byte[3 * Edge * Edge];
        var random = new Random(1);
        random.NextBytes(new Span<byte>(square.Pixels, Edge * square.Stride));
        FillColumns(random);
        for (var i = 0; i < boxes.Length; i++)
        {
            float x = random.NextSingle() * 600, y = random.NextSingle() * 600, w = 10 + (random.NextSingle() * 100), h = 10 + (random.NextSingle() * 100);
            boxes[i] = new Candidate(x, y, x + w, y + h, random.NextSingle(), random.Next(3), i);
        }
        model = VisionModel.Load(Options.Model, new VisionModelOptions());
        result = model.Run(picture, new VisionParameters()).Result;
    }

    [GlobalCleanup]
    public void CleanUp()
    {
        writer.Dispose();
        square.Dispose();
        model.Dispose();
    }

    /// <summary>libvips' own way to a picture of this size, to 8-bit pixels in memory.</summary>
    [Benchmark]
    public int Thumbnail()
    {
        Vips.Start();
        using var image = Image.ThumbnailBuffer(picture, Edge, height: Edge);
        using var rows = new VipsRows(image);
        var height = image.Height;
        for (var top = 0; top < height; top += 16)
        {
            var count = Math.Min(16, height - top);
            using var strip = rows.Read(top, count);
            for (var i = 0; i < count; i++)
                strip.Row(i).CopyTo(thumbnail.AsSpan((top + i) * image.Width * 3));
        }
        return height;
    }

    /// <summary>The same picture decoded, letterboxed and normalised into a model's input.</summary>
    [Benchmark]
    public float DecodeToTensor()
    {
        using var opened = Picture.Open(picture, limits);
        var letterbox = Letterbox.Create(input, opened.Width, opened.Height);
        opened.ShrinkTo(letterbox.Width, letterbox.Height);
        writer.Write(opened, letterbox, input, MemoryMarshal.AsBytes(tensor.AsSpan()));
        return tensor[^1];
    }

    /// <summary>640 x 640 pixels that need no scaling, to 4.9 MB of floats.</summary>
    [Benchmark]
    public float FillTensor()
    {
        writer.Write(square, new Region(0, 0, Edge, Edge), Letterbox.Create(input, Edge, Edge), input, MemoryMarshal.AsBytes(tensor.AsSpan()));
        return tensor[^1];
    }

    /// <summary>Boxes from <c>[1,84,8400]</c>.</summary>
    [Benchmark]
    public int ReadColumns()
    {
        candidates.Clear();
        BoxReader.Columns(columns, Anchors, Classes, 0.25f, candidates);
        return candidates.Count;
    }

    /// <summary>Doubles out of 1,000 boxes of three classes.</summary>
    [Benchmark]
    public int Suppress()
    {
        candidates.Clear();
        foreach (var box in boxes)
            candidates.Add(box);
        NonMaxSuppression.Apply(candidates, 0.45);
        return candidates.Count;
    }

    /// <summary>Boxes drawn on the decoded picture, and that encoded.</summary>
    [Benchmark]
    public int Annotate()
    {
        using var drawn = Annotator.Draw(picture, result, limits);
        return drawn.Bytes.Length;
    }

    /// <summary>The model alone.</summary>
    [Benchmark]
    public void ModelOnly()
    {
        var lane = model.Rent();
        model.Infer(lane).Dispose();
        model.Return(lane);
    }

    /// <summary>A whole job.</summary>
    [Benchmark]
    public int Job() => model.Run(picture, new VisionParameters()).Result.Detections!.Count;

    /// <summary>As a model sees a busy street: nearly every box is sure of nothing.</summary>
    private void FillColumns(Random random)
    {
        for (var anchor = 0; anchor < Anchors; anchor++)
        {
            for (var q = 0; q < 4; q++)
                columns[(q * Anchors) + anchor] = 20 + (random.NextSingle() * 500);
            for (var c = 0; c < Classes; c++)
                columns[((4 + c) * Anchors) + anchor] = random.NextSingle() * 0.01f;
        }
        for (var i = 0; i < 100; i++)
            columns[((4 + random.Next(Classes)) * Anchors) + random.Next(Anchors)] = 0.3f + (random.NextSingle() * 0.6f);
    }
}
