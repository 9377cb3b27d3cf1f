using System.Buffers;
using System.Buffers.Text;
using System.IO.Pipelines;
using Spotter.Core;

namespace Spotter.Gateway.Intake;

/// <summary>The bytes of a text in Base64, up to the quote that ends it, which is left to be read.</summary>
internal sealed class Base64Stream(PipeReader source) : ForwardStream
{
    private const int TextBytes = 32 * 1024;

    // What no text in Base64 has, so that decoding it fails.
    private const byte NotBase64 = (byte)'\\';
    private const int OutOfRange = 0x10000;

    // Decoded in place, so one buffer does: first text, then what is made of it, from its start.
    private readonly byte[] buffer = ArrayPool<byte>.Shared.Rent(TextBytes);
    private int textLength;
    private Range decoded;
    private bool isComplete;
    private bool isDisposed;
    private Escape escape;
    private int code;

    public override async ValueTask<int> ReadAsync(Memory<byte> target, CancellationToken cancellationToken = default)
    {
        while (decoded.Start.Value == decoded.End.Value)
        {
            if (isComplete)
                return 0;
            await FillAsync(cancellationToken);
        }
        var some = buffer.AsSpan(decoded);
        some = some[..Math.Min(some.Length, target.Length)];
        some.CopyTo(target.Span);
        decoded = (decoded.Start.Value + some.Length)..decoded.End;
        return some.Length;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && !isDisposed)
            ArrayPool<byte>.Shared.Return(buffer);
        isDisposed = true;
        base.Dispose(disposing);
    }

    /// <summary>Reads text until the buffer is full or the text ends, and decodes all of it.</summary>
    private async Task FillAsync(CancellationToken cancel)
    {
        textLength = 0;
        while (!isComplete && textLength < TextBytes)
        {
            var read = await source.ReadAsync(cancel);
            var bytes = read.Buffer.Length > TextBytes - textLength ? read.Buffer.Slice(0, TextBytes - textLength) : read.Buffer;
            var quote = bytes.PositionOf((byte)'"');
            var text = quote is { } end ? bytes.Slice(0, end) : bytes;
            Append(text);
            isComplete = quote is not null;
            source.AdvanceTo(text.End);
            if (read.IsCompleted && !isComplete && bytes.Length == read.Buffer.Length)
                throw new SpotterException(ErrorCodes.InvalidRequest, "The JSON body ends within the field 'image'; send it again, whole.");
        }
        if (escape != Escape.None && isComplete)
            buffer[textLength > 0 ? textLength - 1 : textLength++] = NotBase64;
        if (Base64.DecodeFromUtf8InPlace(buffer.AsSpan(0, textLength), out var length) != OperationStatus.Done)
            throw new SpotterException(ErrorCodes.InvalidRequest, "The field 'image' is not Base64; send the picture's bytes in Base64 with padding, without 'data:' before them.");
        decoded = ..length;
    }

    /// <summary>
    /// JSON allows any character to be escaped: some programs write every slash with a backslash before it, others <c>\u002B</c> for a plus
    /// or <c>\u003d</c> for the padding, and lines of Base64 end with <c>\n</c>.
    /// </summary>
    private void Append(ReadOnlySequence<byte> text)
    {
        foreach (var piece in text)
        {
            foreach (var one in piece.Span)
            {
                if (escape == Escape.None && one != '\\')
                    buffer[textLength++] = one;
                else if (Unescape(one) is { } character)
                    buffer[textLength++] = character;
            }
        }
    }

    /// <summary>The character that an escape stands for, with its last byte; null before that, and for the end of a line.</summary>
    private byte? Unescape(byte one)
    {
        switch (escape)
        {
            case Escape.None:
                escape = Escape.Begun;
                return null;
            case Escape.Begun when one == 'u':
                (escape, code) = (Escape.FourDigits, 0);
                return null;
            case Escape.Begun:
                escape = Escape.None;
                return one switch
                {
                    (byte)'/' => one,
                    (byte)'n' or (byte)'r' or (byte)'t' => null,
                    _ => NotBase64,
                };
            default:
                code = (code << 4) + (!char.IsAsciiHexDigit((char)one) ? OutOfRange : one <= '9' ? one - '0' : (one | 0x20) - 'a' + 10);
                if (--escape > Escape.Begun)
                    return null;
                escape = Escape.None;
                return code < 0x80 ? (byte)code : NotBase64;
        }
    }

    /// <summary>How far an escape has been read; above <see cref="Begun"/>, how many digits are missing.</summary>
    private enum Escape
    {
        None,
        Begun,
        FourDigits = Begun + 4,
    }
}
