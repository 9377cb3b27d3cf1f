using System.Buffers;
using System.Buffers.Text;
using System.IO.Pipelines;
using Spotter.Core;

namespace Spotter.Gateway.Intake;

/// <summary>The bytes of a text in Base64, up to the quote that ends it, which is left to be read.</summary>
internal sealed class Base64Stream(PipeReader source) : ForwardStream
{
    private const int TextBytes = 32 * 1024;

    // Decoded in place, so one buffer does: first text, then what is made of it, from its start.
    private readonly byte[] buffer = ArrayPool<byte>.Shared.Rent(TextBytes);
    private int textLength;
    private Range decoded;
    private bool isComplete;
    private bool isDisposed;

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
        if (Base64.DecodeFromUtf8InPlace(buffer.AsSpan(0, textLength), out var length) != OperationStatus.Done)
            throw new SpotterException(ErrorCodes.InvalidRequest, "The field 'image' is not Base64; send the picture's bytes in Base64 with padding, without 'data:' before them.");
        decoded = ..length;
    }

    /// <summary>Some programs write every slash with a backslash before it, which JSON allows.</summary>
    private void Append(ReadOnlySequence<byte> text)
    {
        foreach (var piece in text)
        {
            foreach (var one in piece.Span)
            {
                if (one != '\\')
                    buffer[textLength++] = one;
            }
        }
    }
}
