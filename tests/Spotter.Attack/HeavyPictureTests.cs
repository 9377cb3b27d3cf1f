using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Text.Json;

namespace Spotter.Attack;

/// <summary>Small files and short requests that make much work.</summary>
public sealed class HeavyPictureTests
{
    // A worker with a model, libvips and the .NET runtime, and some pictures of ordinary size.
    private const long AtRest = 300L << 20;
    private const int BudgetMiB = 256;

    [LinuxFact]
    public async Task Scans_count_wherever_they_stand()
    {
        var row = new AttackRow("A13", "JPEGs of thousands of scans, before, behind and between comments", "pictures");
        using var folder = new TemporaryFolder();
        await using var service = await StartAsync(folder);
        using var api = new SpotterApi(service.Address);
        // With few scans it is a picture like any other: the row is about their number.
        row.Try(SpotterApi.StateOf(await api.RunAsync(Scans(64, 64, 3))) == "succeeded", "three scans are too many");
        row.Try(SpotterApi.StateOf(await api.RunAsync(Behind(Scans(64, 64, 3), 20))) == "succeeded", "three scans behind comments are too many");
        var worker = service.Workers().ShouldHaveSingleItem();
        var before = Processes.ProcessorTimeOf(worker);
        foreach (var scans in (byte[][])[Scans(64, 64, 5_000), Scans(2048, 2048, 900), Scans(8, 8, 20_000), Scans(4096, 4096, 400)])
        {
            byte[][] hidden = [scans, Behind(scans, 1), Behind(scans, 20), Replace(scans, [0xFF, 0xDA], [0xFF, 0xFF, 0xFF, 0xDA]), Replace(scans, [0xFF, 0xDA], [0xFF, 0xFE, 0, 4, 1, 2, 0xFF, 0xDA]), Behind(Replace(scans, [0xFF, 0xDA], [0xFF, 0xFE, 0, 4, 1, 2, 0xFF, 0xFF, 0xDA]), 20)];
            foreach (var picture in hidden)
            {
                var answer = await row.TimeAsync(() => api.SubmitAsync(picture, waitSeconds: 60));
                row.Try(CodeOf(answer) == "image_too_complex" && (!answer.Json.TryGetProperty("attempts", out var attempts) || attempts.GetInt32() == 1), answer.ToString());
            }
        }
        row.Try(service.Workers().SequenceEqual([worker]), "the worker died");
        var took = Processes.ProcessorTimeOf(worker) - before;
        row.Try(took < TimeSpan.FromSeconds(20), $"the worker worked for {took.TotalSeconds:0} s on them");
        row.End(atLeast: 24);
    }

    [LinuxFact]
    public async Task A_small_request_is_little_work_or_none()
    {
        var row = new AttackRow("A14", $"small files that take much memory, in {BudgetMiB} MiB; salt amount=1; concat", "pictures");
        using var folder = new TemporaryFolder();
        await using var service = await StartAsync(folder, ("SPOTTER__WORKER__MEMORYMIB", BudgetMiB.ToString(CultureInfo.InvariantCulture)));
        using var api = new SpotterApi(service.Address);
        SpotterApi.StateOf(await api.RunAsync(Pictures.Png(180))).ShouldBe("succeeded");
        var worker = service.Workers().ShouldHaveSingleItem();
        var webp = WebPOfOneColour(16_383, 6_100);
        (string What, byte[] Bytes)[] hostile = [("a WebP of one colour", webp), ("an interlaced PNG", Pictures.PngHeaderOnly(16_000, 6_200, interlaced: true)), ("a GIF", Large(Pictures.Gif(16, 16, 100), 16_000, 6_200)), ("a progressive JPEG", Progressive(Pictures.Jpeg(100, components: 3), 16_000, 6_200))];
        Part[][] ways = [[], [Part.Field("annotate", "true")], [Part.Field("tile", "64"), Part.Field("overlap", "0.9")], [Part.Field("filter", "salt-and-pepper"), Part.Field("amount", "1")], [Part.Field("filter", "blur"), Part.Field("level", "16384")], [Part.Field("filter", "rotate")]];
        foreach (var (what, bytes) in hostile)
        {
            bytes.Length.ShouldBeLessThan(4096, what);
            foreach (var fields in ways)
            {
                var answer = await row.TimeAsync(() => api.SubmitAsync([.. fields, Part.Image(bytes)], waitSeconds: 60));
                row.Try(CodeOf(answer) == "image_too_complex", $"{what}: {answer}");
            }
        }
        var twelve = WebPOfOneColour(4000, 3000);
        var three = await api.SubmitAsync([Part.Field("filter", "concat"), .. Enumerable.Repeat(Part.Image(twelve), 3)], waitSeconds: 60);
        row.Try(CodeOf(three) == "image_too_complex", $"three together: {three}");
        row.Try(service.Workers().SequenceEqual([worker]), "the worker died");
        var most = Processes.IsAlive(worker) ? Processes.MostMemoryOf(worker) : long.MaxValue;
        row.Try(most < AtRest + ((long)BudgetMiB << 20), $"the worker took {most >> 20} MiB");
        // All pixels drawn are no more work than some: by the worker's processor time.
        var salted = WebPOfOneColour(3000, 2000);
        await SaltAsync("0.05");
        var (few, all) = (await SaltAsync("0.05"), await SaltAsync("1"));
        row.Try(all < TimeSpan.FromSeconds(1) + (8 * few), $"salt on all pixels took {all.TotalSeconds:0.0} s of processor time, on a twentieth {few.TotalSeconds:0.0} s");
        row.End(atLeast: 25);

        async Task<TimeSpan> SaltAsync(string amount)
        {
            var before = Processes.ProcessorTimeOf(worker);
            var job = await api.RunAsync(salted, Part.Field("filter", "salt-and-pepper"), Part.Field("amount", amount), Part.Field("seed", "1"));
            row.Try(SpotterApi.StateOf(job) == "succeeded", job.GetRawText());
            return Processes.ProcessorTimeOf(worker) - before;
        }
    }

    [Fact]
    public async Task A_client_pays_for_the_work_that_it_makes()
    {
        var row = new AttackRow("A14b", "large pictures by the dozen from one key, and another's small one", "submissions");
        using var folder = new TemporaryFolder();
        var data = folder.File("data");
        var greedy = await KeyedService.AddKeyAsync(data, "greedy", "red", "submit,read");
        var modest = await KeyedService.AddKeyAsync(data, "modest", "blue", "submit,read");
        // So slow that hardly anything comes back meanwhile: a key has five submissions at once then.
        await using var service = await SpotterProcess.StartAsync(data, PatchModel.Write(folder.File("patches.onnx")), ["--max-workers", "1", "--client-rate", "1"]);
        using var api = new SpotterApi(service.Address, greedy);
        using var other = new SpotterApi(service.Address, modest);
        var large = WebPOfOneColour(10_000, 9_600);
        var accepted = 0;
        for (var i = 0; i < 30; i++)
        {
            var answer = await api.SubmitAsync([Part.Field("delay", "3600"), Part.Field("tile", i % 2 == 0 ? "64" : "8192"), Part.Image(large)]);
            accepted += answer.Status == HttpStatusCode.Accepted ? 1 : 0;
            row.Try(answer.Status == HttpStatusCode.Accepted || ((int)answer.Status == 429 && CodeOf(answer) == "rate_limited" && answer.Headers.RetryAfter is not null), answer.ToString());
        }
        // 96 megapixels are eight submissions at least, which is all that a key has at once.
        row.Try(accepted is > 0 and <= 4, $"{accepted} pictures of 96 megapixels were taken at once");
        var small = await other.SubmitAsync(Pictures.Png(181), waitSeconds: 60);
        row.Try(small.Status == HttpStatusCode.OK, $"another key: {small}");
        row.End(atLeast: 30);
    }

    private static Task<SpotterProcess> StartAsync(TemporaryFolder folder, params (string Env, string Value)[] settings) => SpotterProcess.StartAsync(
        folder.File("data"), PatchModel.Write(folder.File("patches.onnx")), ["--max-workers", "1", "--lanes", "2", "--min-workers", "1"], settings.ToDictionary(s => s.Env, s => s.Value, StringComparer.Ordinal));

    private static string? CodeOf(Answer answer) =>
        answer.Json.TryGetProperty("code", out var code) ? code.GetString() : answer.Json.TryGetProperty("error", out var error) && error.ValueKind == JsonValueKind.Object ? error.GetProperty("code").GetString() : null;

    /// <summary>A progressive JPEG of one shade, whose last scan comes again and again: as its coefficients are none, all its data are zeros.</summary>
    private static byte[] Scans(int width, int height, int scans)
    {
        var plain = Progressive(Pictures.Jpeg(128, 8, 8), width, height);
        // Its tables: the codes for a difference of no bits, and for an end of block, are zeros.
        var head = plain[..plain.AsSpan().IndexOf([(byte)0xFF, (byte)0xDA])];
        var blocks = ((width + 7) / 8) * ((height + 7) / 8);
        byte[] first = [0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 0, 0, .. new byte[(blocks + 1) / 2]];
        byte[] again = [0xFF, 0xDA, 0, 8, 1, 1, 0, 1, 63, 0, .. new byte[Math.Max(1, (blocks + 7) / 8)]];
        using var jpeg = new MemoryStream();
        jpeg.Write(head);
        jpeg.Write(first);
        for (var i = 0; i < scans && jpeg.Length + again.Length < 19_000_000; i++)
            jpeg.Write(again);
        jpeg.Write([0xFF, 0xD9]);
        return jpeg.ToArray();
    }

    /// <summary>A JPEG that says that it is progressive, and of this size; its decoder makes room for all coefficients first.</summary>
    private static byte[] Progressive(byte[] jpeg, int width, int height)
    {
        var frame = jpeg.AsSpan().IndexOf([(byte)0xFF, (byte)0xC0]);
        jpeg[frame + 1] = 0xC2;
        BinaryPrimitives.WriteUInt16BigEndian(jpeg.AsSpan(frame + 5), (ushort)height);
        BinaryPrimitives.WriteUInt16BigEndian(jpeg.AsSpan(frame + 7), (ushort)width);
        return jpeg;
    }

    /// <summary>Behind so many comments of 64 KiB.</summary>
    private static byte[] Behind(byte[] jpeg, int comments) =>
        [0xFF, 0xD8, .. Enumerable.Repeat((byte[])[0xFF, 0xFE, 0xFF, 0xFF, .. new byte[65_533]], Math.Min(comments, (int)((20_900_000 - jpeg.Length) / 65_537))).SelectMany(b => b), .. jpeg[2..]];

    private static byte[] Replace(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> what, ReadOnlySpan<byte> with)
    {
        using var made = new MemoryStream();
        for (int found; (found = bytes.IndexOf(what)) >= 0; bytes = bytes[(found + what.Length)..])
        {
            made.Write(bytes[..found]);
            made.Write(with);
        }
        made.Write(bytes);
        return made.ToArray();
    }

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

    private static byte[] Large(byte[] gif, int width, int height)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(gif.AsSpan(6), (ushort)width);
        BinaryPrimitives.WriteUInt16LittleEndian(gif.AsSpan(8), (ushort)height);
        return gif;
    }
}
