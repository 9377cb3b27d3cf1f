using System.Buffers.Binary;
using System.Globalization;

namespace Spotter.EndToEnd.Faults;

/// <summary>Small files that would take much memory take none: a worker knows beforehand what a picture takes.</summary>
public sealed class MemoryTests
{
    // A worker with a model, libvips and the .NET runtime, and some pictures of ordinary size.
    private const long AtRest = 300L << 20;

    private const int BudgetMiB = 256;

    /// <summary>Each of these takes from half a gigabyte to more than one to decode; none has more than 4 KiB.</summary>
    private static readonly (string What, byte[] Bytes)[] Hostile =
    [
        ("a WebP of one colour", WebPOfOneColour(16_383, 6_100)),
        ("an interlaced PNG", Pictures.PngHeaderOnly(16_000, 6_200, interlaced: true)),
        ("a progressive JPEG", ProgressiveHeader(16_000, 6_200)),
        ("a GIF", Large(Pictures.Gif(16, 16, 100), 16_000, 6_200)),
    ];

    [LinuxFact]
    public async Task A_worker_stays_within_its_memory_whatever_small_files_say()
    {
        using var folder = new TemporaryFolder();
        await using var service = await SpotterProcess.StartAsync(
            folder.File("data"), PatchModel.Write(folder.File("patches.onnx")), ["--max-workers", "1", "--lanes", "2", "--min-workers", "1"],
            new Dictionary<string, string>(StringComparer.Ordinal) { ["SPOTTER__WORKER__MEMORYMIB"] = BudgetMiB.ToString(CultureInfo.InvariantCulture) });
        using var api = new SpotterApi(service.Address);
        SpotterApi.StateOf(await api.RunAsync(Pictures.Png(180))).ShouldBe("succeeded");
        var worker = service.Workers().ShouldHaveSingleItem();

        Part[][] jobs = [[], [Part.Field("annotate", "true")], [Part.Field("tile", "8192")], [Part.Field("filter", "salt-and-pepper"), Part.Field("amount", "1")], [Part.Field("filter", "rotate")]];
        foreach (var (what, bytes) in Hostile)
        {
            bytes.Length.ShouldBeLessThan(4096);
            foreach (var fields in jobs)
                Error(await api.RunAsync(bytes, fields)).ShouldBe("image_too_complex", what);
        }
        // Three that are not too large each, and are together.
        var twelve = WebPOfOneColour(4000, 3000);
        Part[] three = [Part.Field("filter", "concat"), .. Enumerable.Repeat(Part.Image(twelve), 3)];
        Error((await api.SubmitAsync(three, waitSeconds: 60)).Json).ShouldBe("image_too_complex");

        // What fits alone but not twice runs one after the other.
        var both = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => api.RunAsync(twelve, Part.Field("filter", "rotate"))));
        both.ShouldAllBe(job => SpotterApi.StateOf(job) == "succeeded");

        service.Workers().ShouldBe([worker]);
        Peak(worker).ShouldBeLessThan(AtRest + ((long)BudgetMiB << 20));
    }

    private static string? Error(System.Text.Json.JsonElement job) => job.GetProperty("error") is { ValueKind: System.Text.Json.JsonValueKind.Object } error ? error.GetProperty("code").GetString() : job.GetRawText();

    private static long Peak(int process) => long.Parse(
        File.ReadLines($"/proc/{process}/status").Single(line => line.StartsWith("VmHWM:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2],
        CultureInfo.InvariantCulture) << 10;

    /// <summary>Five tables of one symbol each, so that no pixel takes a bit.</summary>
    private static byte[] WebPOfOneColour(int width, int height)
    {
        // From the lowest bit on: no transform, no colour cache, one group, and five times "simple, one symbol, of one bit, 0".
        const uint tables = 0b0001_0001_0001_0001_0001_000;
        byte[] bits = [0x2F, .. BitConverter.GetBytes((uint)((width - 1) | ((height - 1) << 14))), .. BitConverter.GetBytes(tables), 0, 0, 0];
        byte[] webp = [.. "RIFF"u8, 0, 0, 0, 0, .. "WEBPVP8L"u8, .. BitConverter.GetBytes(bits.Length), .. bits];
        BinaryPrimitives.WriteInt32LittleEndian(webp.AsSpan(4), webp.Length - 8);
        return webp;
    }

    /// <summary>A JPEG that says that it is progressive, and of this size; its decoder makes room for all coefficients first.</summary>
    private static byte[] ProgressiveHeader(int width, int height)
    {
        var jpeg = Pictures.Jpeg(100, components: 3);
        var frame = jpeg.AsSpan().IndexOf([(byte)0xFF, (byte)0xC0]);
        jpeg[frame + 1] = 0xC2;
        BinaryPrimitives.WriteUInt16BigEndian(jpeg.AsSpan(frame + 5), (ushort)height);
        BinaryPrimitives.WriteUInt16BigEndian(jpeg.AsSpan(frame + 7), (ushort)width);
        return jpeg;
    }

    private static byte[] Large(byte[] gif, int width, int height)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(gif.AsSpan(6), (ushort)width);
        BinaryPrimitives.WriteUInt16LittleEndian(gif.AsSpan(8), (ushort)height);
        return gif;
    }
}
