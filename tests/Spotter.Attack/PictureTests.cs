using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Text;
using Spotter.Tests.Http;

namespace Spotter.Attack;

/// <summary>Files that are made to hurt whoever opens them.</summary>
public sealed class PictureTests(OpenService service) : IClassFixture<OpenService>
{
    private const long MiB = 1024 * 1024;

    private SpotterApi Api => service.Api;

    [LinuxFact]
    public async Task A_picture_that_says_it_is_huge_costs_nothing()
    {
        var row = new AttackRow("R23", "a PNG that says it is 50,000 by 50,000", "pictures");
        await Api.SubmitAsync(Pictures.PngHeaderOnly(50_000, 50_000));
        var before = Processes.MostMemoryOf(service.Process.Id);
        for (var i = 0; i < 40; i++)
        {
            var answer = await row.TimeAsync(() => Api.SubmitAsync(Pictures.PngHeaderOnly(50_000 + i, 50_000)));
            row.Try(IsProblem(answer, 422, "too_many_pixels"), answer.ToString());
        }
        var grown = Processes.MostMemoryOf(service.Process.Id) - before;
        row.Try(grown < 48 * MiB, $"the gateway grew by {grown / MiB} MiB");
        row.End();
    }

    [Fact]
    public async Task A_picture_that_was_cut_off_is_said_to_be()
    {
        var row = new AttackRow("R24", "a JPEG or PNG cut off anywhere", "pictures");
        foreach (var whole in (byte[][])[Pictures.Jpeg(100, 800, 600), Pictures.Png(100, 800, 600)])
        {
            for (var tenth = 1; tenth <= 9; tenth++)
            {
                var answer = await Api.SubmitAsync(whole[..(whole.Length * tenth / 10)], waitSeconds: 60);
                row.Try(answer.Text.Contains("image_truncated", StringComparison.Ordinal), $"{tenth}/10: {answer}");
            }
        }
        row.End();
    }

    [LinuxFact]
    public async Task What_unpacks_to_a_thousand_times_its_size_takes_no_memory()
    {
        var row = new AttackRow("R25", "a PNG that unpacks to 768 MiB (pixels, profile, texts)", "pictures");
        var bomb = Zeros(768 * MiB);
        byte[] named = [.. "x\0\0"u8, .. bomb];
        await Api.RunAsync(Pictures.Png(100));
        var worker = service.Process.Workers().ShouldHaveSingleItem();
        var before = Processes.MostMemoryOf(worker);
        (string What, byte[] Picture)[] bombs =
        [
            ("IDAT", Pictures.PngWith(bomb)), ("iCCP", Pictures.PngWith(null, ("iCCP", named))), ("zTXt", Pictures.PngWith(null, ("zTXt", named))),
            ("iTXt", Pictures.PngWith(null, ("iTXt", [.. "x\0\u0001\0\0\0"u8, .. bomb]))), ("ten iCCP", Pictures.PngWith(null, [.. Enumerable.Repeat(("iCCP", named), 4)])),
        ];
        foreach (var (what, picture) in bombs)
        {
            var answer = await row.TimeAsync(() => Api.SubmitAsync(picture, waitSeconds: 60));
            row.Try((int)answer.Status is >= 400 and < 500 || SpotterApi.StateOf(answer.Json) is "succeeded" or "failed", $"{what}: {answer}");
        }
        row.Try(Processes.IsAlive(worker), "the worker died");
        var most = Processes.IsAlive(worker) ? Processes.MostMemoryOf(worker) : long.MaxValue;
        row.Try(most < before + (512 * MiB), $"the worker took {most / MiB} MiB, {before / MiB} before");
        row.Try(SpotterApi.StateOf(await Api.RunAsync(Pictures.Png(101))) == "succeeded", "nothing runs any more");
        row.End();
    }

    [Fact]
    public async Task A_picture_is_what_its_bytes_say()
    {
        var row = new AttackRow("R26", "a PNG that is called a JPEG, or HTML", "pictures");
        foreach (var (name, type) in ((string, string)[])[("photo.jpg", "image/jpeg"), ("index.html", "text/html"), ("x.svg", "image/svg+xml")])
        {
            var answer = await Api.SubmitAsync([Part.Image(Pictures.Png(141), name, type)], waitSeconds: 60);
            var original = await Api.GetAsync($"/v1/jobs/{SpotterApi.IdOf(answer.Json)}/original");
            row.Try(original.MediaType == "image/png" && IsContained(original), original.Headers.ToString());
        }
        var empty = await Api.SubmitAsync([Part.Image([])]);
        row.Try(IsProblem(empty, 422, "empty_body"), empty.ToString());
        row.End();
    }

    [StraceFact]
    public async Task What_other_programs_would_follow_is_not_opened()
    {
        using var folder = new TemporaryFolder();
        using var listener = new CountingListener(IPAddress.Loopback);
        var canary = folder.File("canary-4711");
        await File.WriteAllTextAsync(canary, "canary");
        var row = new AttackRow("R28", "SVG, PDF, MVG and HEIC that name files and addresses", "pictures");
        var url = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{listener.Port}/");
        string[] texts =
        [
            $"<?xml version=\"1.0\"?><!DOCTYPE svg [<!ENTITY x SYSTEM \"file://{canary}\">]><svg xmlns=\"http://www.w3.org/2000/svg\"><text>&x;</text></svg>",
            $"<!DOCTYPE svg [<!ENTITY % x SYSTEM \"{url}x.dtd\"> %x;]><svg/>", $"<svg xmlns:xlink=\"http://www.w3.org/1999/xlink\"><image xlink:href=\"{url}\"/><image xlink:href=\"file://{canary}\"/></svg>",
            $"\uFEFF<svg><image href=\"{url}\"/></svg>", "<svg/>", $"<!doctype html><img src={url}><script>alert(1)</script>", $"<html><iframe src=file://{canary}>",
            $"%PDF-1.7\n1 0 obj<</URI({url})/F({canary})>>endobj", $"%!PS-Adobe-3.0\n({canary})(r)file", $"push graphic-context\nviewbox 0 0 640 480\nimage over 0,0 0,0 '{url}'\nimage over 0,0 0,0 '{canary}'\npop graphic-context",
            $"<?xml version=\"1.0\"?><image><read filename=\"{canary}\"/><get url=\"{url}\"/></image>", $"#EXTM3U\n{url}\nfile://{canary}", $"ephemeral:{canary}", $"@{canary}", $"text:{canary}", $"caption:@{canary}",
            "II*\0 a TIFF", "MM\0* a TIFF", "BM a bitmap", "P6\n1 1\n255\nabc", "Pf\n1 1\n-1\n", "#?RADIANCE\n", "SIMPLE  =                    T", "\u00ff\u000a a JXL", "8BPS", "gimp xcf ", "\u0000\u0000\u0001\u0000 an icon", "v/1\u0001 OpenEXR", "MATLAB 5.0 MAT-file", "n+1\0", "x",
        ];
        var heic = ((string[])["heic", "heix", "hevc", "mif1", "msf1", "avif", "avis"]).Select(brand => (byte[])[0, 0, 0, 24, .. "ftyp"u8, .. Encoding.ASCII.GetBytes(brand), 0, 0, 0, 0, .. "mif1heic"u8]);
        await using (var strace = await Strace.AttachAsync(service.Process.Id, folder.File("trace"), "-e", "trace=open,openat,connect"))
        {
            foreach (var bytes in texts.Select(Encoding.UTF8.GetBytes).Concat(texts.Select(Encoding.Latin1.GetBytes)).Concat(heic))
            {
                foreach (var (name, type) in ((string, string)[])[("photo.jpg", "image/jpeg"), ("x.svg", "image/svg+xml"), ("x", "application/octet-stream")])
                {
                    var answer = await Api.SubmitAsync([Part.Image(bytes, name, type)]);
                    row.Try((int)answer.Status == 415 && answer.Json.GetProperty("code").GetString() is "unsupported_image" or "heic_disabled", answer.ToString());
                }
            }
            foreach (var line in await strace.DetachAsync())
            {
                if (line.Contains("canary-4711", StringComparison.Ordinal) || (line.Contains("connect(", StringComparison.Ordinal) && line.Contains("sin", StringComparison.Ordinal)))
                    row.Try(false, line);
            }
        }
        row.Try(listener.Connects == 0, $"{listener.Connects} connects");
        row.End(atLeast: 150);
    }

    [Fact]
    public async Task Of_an_endless_animation_one_frame_is_looked_at()
    {
        var row = new AttackRow("R30", "a GIF of 10,000 frames", "pictures");
        var shades = new byte[10_000];
        Array.Fill(shades, (byte)40);
        shades[0] = 200;
        var answer = await row.TimeAsync(() => Api.SubmitAsync(Pictures.Gif(8, 8, shades), waitSeconds: 60));
        row.Try((int)answer.Status is >= 400 and < 500 || SpotterApi.StateOf(answer.Json) is "succeeded" or "failed", answer.ToString());
        row.Try(SpotterApi.StateOf(await Api.RunAsync(Pictures.Gif(64, 64, 200, 40))) == "succeeded", "a short one is not read either");
        row.End();
    }

    [Fact]
    public async Task What_a_picture_carries_besides_comes_back_to_nobody()
    {
        var polyglot = new AttackRow("R31", "a JPEG that is a web page as well", "pictures");
        var exif = new AttackRow("R37", "pictures with EXIF, all ways round, maker and place", "pictures");
        var job = await Api.RunAsync([.. Pictures.Jpeg(140, exif: [.. "Exif\0\0<script>alert(1)</script>"u8]), .. "<!doctype html><script>alert(1)</script>"u8], Part.Field("annotate", "true"));
        var image = await Api.GetAsync($"/v1/jobs/{SpotterApi.IdOf(job)}/image");
        polyglot.Try(image.Status == HttpStatusCode.OK && image.Bytes.AsSpan().IndexOf("<script"u8) < 0 && IsContained(image), image.Headers.ToString());
        var original = await Api.GetAsync($"/v1/jobs/{SpotterApi.IdOf(job)}/original");
        polyglot.Try(original.MediaType == "image/jpeg" && IsContained(original), original.Headers.ToString());
        polyglot.End();

        for (var orientation = 1; orientation <= 8; orientation++)
        {
            var turned = await Api.RunAsync(Pictures.Jpeg(140, 96, 64, exif: Pictures.Exif(orientation, "SecretMaker")), Part.Field("annotate", "true"));
            var drawn = await Api.GetAsync($"/v1/jobs/{SpotterApi.IdOf(turned)}/image");
            exif.Try(drawn.Status == HttpStatusCode.OK && drawn.Bytes.AsSpan().IndexOf("Exif"u8) < 0 && drawn.Bytes.AsSpan().IndexOf("SecretMaker"u8) < 0, $"{orientation} is still in the picture");
            exif.Try(!turned.GetRawText().Contains("SecretMaker", StringComparison.Ordinal), turned.GetRawText());
            exif.Try(turned.GetProperty("result").GetProperty("width").GetInt32() == (orientation < 5 ? 96 : 64), turned.GetRawText());
        }
        exif.Try(!service.Process.Log.Contains("SecretMaker", StringComparison.Ordinal), "it is in the log");
        exif.End();
    }

    private static bool IsProblem(Answer answer, int status, string code) =>
        (int)answer.Status == status && answer.MediaType == "application/problem+json" && answer.Json.GetProperty("code").GetString() == code;

    private static bool IsContained(Answer answer) =>
        Header(answer, "X-Content-Type-Options") == "nosniff" && Header(answer, "Content-Security-Policy") == "default-src 'none'; sandbox" && Header(answer, "Cache-Control").Contains("no-store", StringComparison.Ordinal);

    private static string Header(Answer answer, string name) => answer.Headers.TryGetValues(name, out var values) ? string.Join(',', values) : "";

    /// <summary>So many zeros, packed.</summary>
    private static byte[] Zeros(long count)
    {
        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            var piece = new byte[MiB];
            for (var written = 0L; written < count; written += piece.Length)
                zlib.Write(piece);
        }
        return packed.ToArray();
    }
}
