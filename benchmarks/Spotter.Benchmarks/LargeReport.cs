using System.Globalization;
using Spotter.Benchmarks.Results;
using Spotter.Benchmarks.Services;
using Image = NetVips.Image;

namespace Spotter.Benchmarks;

/// <summary>What memory a worker and the gateway take while photos of so many megapixels are annotated, one after the other: after the first few, and after many.</summary>
internal static class LargeReport
{
    private const int First = 5;
    private const int Rest = 35;

    // Of the picture that is named: bus.jpg has 0.87 megapixels.
    private static readonly (int Across, int Down)[] Sizes = [(4, 3), (9, 6)];

    public static async Task RunAsync(BenchmarkOptions options)
    {
        Console.WriteLine();
        Console.WriteLine($"{First + Rest} large photos, annotated one after the other, one worker of one lane");
        var source = await File.ReadAllBytesAsync(options.Image);
        foreach (var (across, down) in Sizes)
        {
            var (picture, megapixels) = Tile(source, across, down);
            await using var service = await SpotterService.StartAsync(options.Model, workers: 1);
            var sender = new PictureSender(service.Client, service.AddressFor(annotate: true), picture);
            var before = (await sender.TimedAsync(clients: 1, First)).Sent.Jobs;
            var (gateway, worker) = service.PeakMemory();
            var (sent, ms) = await sender.TimedAsync(clients: 1, Rest);
            var (gatewayAfter, workerAfter) = service.PeakMemory();
            await service.CheckAsync([.. before, .. sent.Jobs], picture, annotate: true);
            var name = megapixels.ToString("0", CultureInfo.InvariantCulture);
            foreach (var (figure, value) in ((string, double)[])[("bytes", picture.Length), ("median", ms[ms.Count / 2]), ("workerFirstMB", worker / 1e6), ("workerMB", workerAfter / 1e6), ("gatewayFirstMB", gateway / 1e6), ("gatewayMB", gatewayAfter / 1e6)])
                FigureRecorder.Note("large", $"{name}.{figure}", value);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"  {megapixels:0} megapixels, {picture.Length / 1e6:0.0} MB: {ms[ms.Count / 2]:0} ms (median); peak memory of the worker after {First} {worker / 1e6:0} MB, after {First + Rest} {workerAfter / 1e6:0} MB; of the gateway {gateway / 1e6:0} and {gatewayAfter / 1e6:0} MB"));
        }
    }

    /// <summary>A photo made of another, so many times beside and below itself.</summary>
    private static (byte[] Jpeg, double Megapixels) Tile(byte[] source, int across, int down)
    {
        using var one = Image.NewFromBuffer(source);
        using var all = one.Replicate(across, down);
        return (all.JpegsaveBuffer(q: 80), all.Width * (double)all.Height / 1e6);
    }
}
