using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text;
using Spotter.Core;
using Spotter.Core.Images;
using Spotter.Jobs;
using Spotter.Vision;
using Spotter.Vision.Inference;

namespace Spotter.Cli.Detect;

/// <summary>Runs a model over pictures, several at once, and gives the answers in the order of the pictures.</summary>
/// <param name="model">Used by all lanes at once.</param>
/// <param name="options">What is asked of each picture.</param>
/// <param name="limits">How large a picture may be.</param>
/// <param name="pictures">Files.</param>
/// <param name="outputs">Where each annotated picture, or line of text, goes; null for nowhere.</param>
/// <param name="then">The second model; null for none.</param>
internal sealed class DetectRun(
    VisionModel model, VisionParameters options, ImageLimits limits, IReadOnlyList<string> pictures, IReadOnlyList<string>? outputs, VisionModel? then = null)
{
    /// <summary>One line per picture; a picture that fails is a line with its error.</summary>
    /// <param name="lanes">Pictures at once.</param>
    /// <param name="finished">Called whenever a picture is done, from its lane.</param>
    /// <param name="cancel">Takes effect between pictures.</param>
    public async IAsyncEnumerable<DetectLine> RunAsync(
        int lanes, Action finished, [EnumeratorCancellation] CancellationToken cancel)
    {
        using var free = new SemaphoreSlim(lanes);
        var pending = new Queue<Task<DetectLine>>();
        try
        {
            for (var i = 0; i < pictures.Count; i++)
            {
                await free.WaitAsync(cancel);
                while (pending.TryPeek(out var first) && first.IsCompleted)
                    yield return await pending.Dequeue();
                pending.Enqueue(StartAsync(i));
            }
            while (pending.TryPeek(out var first))
            {
                var line = await first.WaitAsync(cancel);
                _ = pending.Dequeue();
                yield return line;
            }
        }
        finally
        {
            // The caller disposes of the model next.
            await Task.WhenAll(pending);
        }

        Task<DetectLine> StartAsync(int index) => Task.Run(
            () =>
            {
                try
                {
                    return Detect(index);
                }
                finally
                {
                    finished();
                    free.Release();
                }
            },
            CancellationToken.None);
    }

    private DetectLine Detect(int index)
    {
        var file = pictures[index];
        try
        {
            var start = Stopwatch.GetTimestamp();
            var bytes = PictureFile.Read(file, limits);
            var fetched = Stopwatch.GetElapsedTime(start);
            using var findings = model.Run(bytes, options, new RunExtras
            {
                OnFile = outputs is null ? null : (name, _, bytes) => Write(FileOf(outputs[index], name), bytes.Span),
                Then = then,
            });
            if (outputs is not null)
                Write(outputs[index], findings.Picture is not null ? findings.Annotated.Span : TextOf(file, findings.Result));
            return new(
                file, model.Model.Id, findings.Result.Width, findings.Result.Height, findings.Result.Detections,
                findings.Result.Labels, findings.Result.Summary, findings.Timings with { FetchMs = Math.Round(fetched.TotalMilliseconds, 2) },
                outputs?[index], Error: null)
            {
                Result = findings.Result,
                Reading = findings.Result.Reading,
                Skeleton = findings.Result.Skeleton,
                Zones = findings.Result.Zones,
                Regions = findings.Result.Regions,
                Map = findings.Result.Map,
                Embedding = findings.Result.Embedding,
                Then = findings.Result.Then,
            };
        }
        catch (SpotterException e)
        {
            return Failed(new(e.Code, e.Message));
        }
        catch (Exception e)
        {
            return Failed(new(ErrorCodes.Internal, $"{e.GetType().Name}: {e.Message}"));
        }

        DetectLine Failed(JobError error) => new(file, model.Model.Id, null, null, null, null, null, null, null, error);
    }

    /// <summary>Where a file of a picture goes, beside what is drawn of it: of boxes that are cut out into a folder, a map as <c>STEM-depth.png</c>.</summary>
    private string FileOf(string output, string name) => options.Crops
        ? Path.Combine(Directory.CreateDirectory($"{Path.ChangeExtension(output, null)}-crops").FullName, name)
        : $"{Path.ChangeExtension(output, null)}-{name}";

    private static byte[] TextOf(string file, VisionResult result) =>
        Encoding.UTF8.GetBytes(OutputLine.Of(Path.GetFileNameWithoutExtension(file), result) ?? "");

    private static void Write(string path, ReadOnlySpan<byte> picture)
    {
        try
        {
            File.WriteAllBytes(path, picture);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SpotterException(
                ErrorCodes.InvalidRequest, $"The output can't be written: {e.Message} Name another folder with --out.", e);
        }
    }
}
