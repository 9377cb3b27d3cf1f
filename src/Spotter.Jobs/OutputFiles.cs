using Spotter.Core;

namespace Spotter.Jobs;

/// <summary>A file that an engine has made.</summary>
/// <param name="Name">See <see cref="OutputRef.Name"/>.</param>
/// <param name="MediaType">What it is.</param>
/// <param name="Path">Where it lies on this machine until it has been handed in.</param>
public sealed record OutputFile(string Name, string MediaType, string Path);

/// <summary>
/// Where an engine writes the files that a job makes: any number within bounds, of any size within the engine's limit
/// (<see cref="EngineLimits.OutputBytes"/>). They are handed in when it returns, and deleted with the job's folder.
/// </summary>
/// <param name="newFile">The path of a file that is not there yet.</param>
/// <param name="mostBytes">Most bytes of all files together.</param>
public sealed class OutputFiles(Func<string> newFile, long mostBytes)
{
    private readonly List<OutputFile> made = [];
    private long bytes;

    /// <summary>For engines that make no files, where there is no room for any.</summary>
    public static OutputFiles None => new(static () => throw new InvalidOperationException("There is no folder for files here."), 0);

    /// <summary>The files so far, in the order of their making.</summary>
    public IReadOnlyList<OutputFile> Made => made;

    /// <summary>Begins a file. Dispose of the stream when it is whole, before the engine returns.</summary>
    /// <param name="name">Its name in the API (<see cref="OutputRef.IsName"/>), unlike that of any other file of the job.</param>
    /// <param name="mediaType">What it is, as <c>application/json</c>.</param>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.OutputTooLarge"/>: there are too many; also while it is written, when they are too large.</exception>
    public Stream Create(string name, string mediaType)
    {
        if (!OutputRef.IsName(name) || !OutputRef.IsMediaType(mediaType))
            throw new ArgumentException($"'{name}' of type '{mediaType}' can't be the name and the media type of a file.", nameof(name));
        if (made.Exists(file => file.Name == name))
            throw new ArgumentException($"There is a file '{name}' already.", nameof(name));
        if (made.Count == OutputRef.Most)
            throw new SpotterException(ErrorCodes.OutputTooLarge, $"The job makes more than {OutputRef.Most} files, which is the limit.");
        var path = newFile();
        var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read);
        made.Add(new OutputFile(name, mediaType, path));
        return new CountedStream(file, this);
    }

    private void Count(int more)
    {
        if (bytes + more > mostBytes)
            throw new SpotterException(ErrorCodes.OutputTooLarge, $"The files of the job take more than {mostBytes} bytes, which is the engine's limit; ask for less.");
        bytes += more;
    }

    /// <summary>Writes no more than there is room for.</summary>
    private sealed class CountedStream(FileStream file, OutputFiles owner) : Stream
    {
        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => file.Length;

        public override long Position
        {
            get => file.Position;
            set => throw new NotSupportedException();
        }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            owner.Count(buffer.Length);
            file.Write(buffer);
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            owner.Count(buffer.Length);
            return file.WriteAsync(buffer, cancellationToken);
        }

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override void Flush() => file.Flush();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                file.Dispose();
            base.Dispose(disposing);
        }
    }
}
