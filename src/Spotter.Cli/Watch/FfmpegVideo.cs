using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using Spotter.Cli.Serve;
using Spotter.Core;

namespace Spotter.Cli.Watch;

/// <summary>A stream or a video file, of which ffmpeg, as a child, writes single pictures. A stream that ends is begun again.</summary>
/// <param name="address">What it reads.</param>
/// <param name="every">The time between two pictures, in the time of the video.</param>
/// <param name="name">What its pictures are called.</param>
/// <param name="connection">How it stands.</param>
/// <param name="time">The clock.</param>
internal sealed class FfmpegVideo(SourceAddress address, TimeSpan every, string name, Connection connection, TimeProvider time) : IFrameSource
{
    private const string Program = "ffmpeg";
    private const int MostBytes = 20 << 20;

    private static readonly TimeSpan LeastPatience = TimeSpan.FromSeconds(30);

    public bool IsLive => address.Kind == SourceKind.Stream;

    public async IAsyncEnumerable<Frame> FramesAsync([EnumeratorCancellation] CancellationToken cancel)
    {
        while (true)
        {
            await using var ffmpeg = new Child(Start(), cancel);
            var pictures = 0;
            await foreach (var picture in ffmpeg.PicturesAsync(StallLimit))
            {
                pictures++;
                connection.Works();
                var now = time.GetUtcNow();
                yield return new Frame(string.Create(CultureInfo.InvariantCulture, $"{name}-{now:yyyyMMdd-HHmmss}.jpg"), picture, now);
            }
            cancel.ThrowIfCancellationRequested();
            var (status, said) = await ffmpeg.EndAsync();
            var why = ffmpeg.HasStalled ? "no picture came in time" : said.Length > 0 ? address.Hide(said) : $"ffmpeg ended with status {status}";
            if (!IsLive)
            {
                if (status == 0 && pictures > 0)
                    yield break;
                throw new SpotterException(ErrorCodes.InvalidRequest, $"ffmpeg can't read {connection.Name} ({why}); name another file.");
            }
            if (!connection.HasWorked && said.Contains("401 Unauthorized", StringComparison.OrdinalIgnoreCase))
                throw new SpotterException(ErrorCodes.InvalidRequest, $"{connection.Name} asks for a user and password, or refuses these; correct them.");
            await connection.FailedAsync(status == 0 && pictures > 0 ? "the stream has ended" : why, cancel);
        }
    }

    public void Dispose()
    {
        // Each ffmpeg ends with the wait for its pictures.
    }

    /// <summary>What ffmpeg is told: the first video track, one picture for each interval, as JPEG files one after the other.</summary>
    internal static IReadOnlyList<string> Arguments(SourceAddress address, TimeSpan every) =>
    [
        "-nostdin", "-hide_banner", "-loglevel", "error",
        // Over UDP, which is ffmpeg's default, pictures break up as soon as a packet is lost.
        .. address.Location.StartsWith("rtsp", StringComparison.Ordinal) ? ["-rtsp_transport", "tcp"] : Array.Empty<string>(),
        "-i", address.WithCredentials(), "-map", "0:v:0",
        // Rounded up, the newest picture of each interval is written, and the first one at once.
        "-vf", string.Create(CultureInfo.InvariantCulture, $"fps=fps=1/{every.TotalSeconds}:round=up"),
        "-c:v", "mjpeg", "-q:v", "3", "-f", "image2pipe", "pipe:1",
    ];

    // Not shorter than what a camera takes to send its next whole picture after it was asked.
    private TimeSpan StallLimit => every * 3 > LeastPatience ? every * 3 : LeastPatience;

    private Process Start()
    {
        var start = new ProcessStartInfo(Program, Arguments(address, every))
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // It reads what strangers may have made, and needs no keys and passwords for that.
        start.Environment.Clear();
        foreach (var (variable, value) in ChildEnvironment.Create(scratch: null))
            start.Environment[variable] = value;
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception missing)
        {
            throw new SpotterException(ErrorCodes.NativeMissing, $"ffmpeg, which reads {connection.Name}, can't be started ({missing.Message.TrimEnd('.')}); install it, as with `apt install ffmpeg`.", missing);
        }
    }

    /// <summary>A running ffmpeg. Whatever ends the wait for its pictures ends it too, with all that it started.</summary>
    private sealed class Child : IAsyncDisposable
    {
        private readonly Process process;
        private readonly CancellationTokenRegistration onCancel;
        private string lastLine = "";

        public Child(Process process, CancellationToken cancel)
        {
            this.process = process;
            process.ErrorDataReceived += (_, line) =>
            {
                if (line.Data?.Trim() is { Length: > 0 } text)
                    Volatile.Write(ref lastLine, text);
            };
            process.BeginErrorReadLine();
            onCancel = cancel.Register(Kill);
        }

        /// <summary>True when it was ended because nothing came from it.</summary>
        public bool HasStalled { get; private set; }

        public async IAsyncEnumerable<byte[]> PicturesAsync(TimeSpan patience)
        {
            var splitter = new JpegSplitter(MostBytes);
            var piece = new byte[1 << 16];
            var output = process.StandardOutput.BaseStream;
            while (true)
            {
                int read;
                // Reading from a pipe ends when who writes into it does.
                using (var stall = new CancellationTokenSource(patience))
                await using (stall.Token.Register(() =>
                {
                    HasStalled = true;
                    Kill();
                }))
                {
                    read = await output.ReadAsync(piece, CancellationToken.None);
                }
                if (read == 0)
                    yield break;
                foreach (var picture in splitter.Add(piece.AsSpan(0, read)))
                    yield return picture;
            }
        }

        /// <summary>Waits for its end: its status, and the last line that it said.</summary>
        public async Task<(int Status, string Said)> EndAsync()
        {
            await process.WaitForExitAsync(CancellationToken.None);
            return (process.ExitCode, Volatile.Read(ref lastLine));
        }

        public async ValueTask DisposeAsync()
        {
            await onCancel.DisposeAsync();
            Kill();
            await process.WaitForExitAsync(CancellationToken.None);
            process.Dispose();
        }

        private void Kill()
        {
            try
            {
                process.Kill(entireProcessTree: true);
            }
            catch (Exception ended) when (ended is InvalidOperationException or Win32Exception)
            {
                // It has ended by itself.
            }
        }
    }
}
