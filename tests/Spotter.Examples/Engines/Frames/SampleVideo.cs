using System.Text;

namespace Spotter.Examples.Engines.Frames;

/// <summary>A video as it is sent: each frame of one brightness, made as it is read, so it may be longer than memory is large.</summary>
internal sealed class SampleVideo(int width, int height, int frames, Func<int, byte> brightness) : Stream
{
    private readonly byte[] head = Encoding.ASCII.GetBytes($"YUV4MPEG2 W{width} H{height} F25:1 Ip A1:1 C420jpeg\n");
    private readonly byte[] frame = [.. "FRAME\n"u8, .. new byte[width * height], .. Enumerable.Repeat((byte)128, 2 * ((width + 1) / 2) * ((height + 1) / 2))];
    private long position;
    private int filled = -1;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => head.Length + ((long)frames * frame.Length);

    public override long Position
    {
        get => position;
        set => throw new NotSupportedException();
    }

    public override int Read(Span<byte> buffer)
    {
        if (position == Length)
            return 0;
        var at = position - head.Length;
        var piece = at < 0 ? head.AsSpan((int)position) : Fill((int)(at / frame.Length)).AsSpan((int)(at % frame.Length));
        var read = Math.Min(piece.Length, buffer.Length);
        piece[..read].CopyTo(buffer);
        position += read;
        return read;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private byte[] Fill(int index)
    {
        if (filled != index)
            frame.AsSpan("FRAME\n".Length, width * height).Fill(brightness(filled = index));
        return frame;
    }
}
