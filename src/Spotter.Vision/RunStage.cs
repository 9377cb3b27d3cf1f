using System.Diagnostics;
using System.IO.MemoryMappedFiles;

namespace Spotter.Vision;

/// <summary>
/// What a thread that runs jobs is doing right now: for whoever watches that it doesn't take too long, and for whoever
/// finds its process dead. The second reads it from a file (<see cref="BoardVariable"/>), which outlives the process.
/// </summary>
public sealed class RunStage
{
    /// <summary>Names a file of <see cref="BoardBytes"/> bytes, one for each thread, that says what they do.</summary>
    public const string BoardVariable = "SPOTTER_STAGE_BOARD";

    /// <summary>The length of that file.</summary>
    public const int BoardBytes = 1024;

    /// <summary>The byte of a thread that decodes a picture.</summary>
    public const byte Decoding = 1;

    private const byte Elsewhere = 0;
    private static readonly MemoryMappedViewAccessor? Board = OpenBoard();
    private static int threads;

    [ThreadStatic]
    private static RunStage? current;

    private readonly int place = Interlocked.Increment(ref threads) % BoardBytes;
    private long since;

    private RunStage()
    {
    }

    /// <summary>That of the calling thread.</summary>
    public static RunStage OfThisThread => current ??= new RunStage();

    /// <summary>How long it has been decoding a picture; zero when it isn't.</summary>
    public TimeSpan DecodingFor => Volatile.Read(ref since) is var begun and not 0 ? Stopwatch.GetElapsedTime(begun) : TimeSpan.Zero;

    /// <summary>The calling thread begins to decode a picture.</summary>
    internal static void BeginDecoding() => OfThisThread.Set(Decoding);

    /// <summary>The calling thread has decoded it, or given up.</summary>
    internal static void EndDecoding() => OfThisThread.Set(Elsewhere);

    private void Set(byte stage)
    {
        Volatile.Write(ref since, stage == Decoding ? Stopwatch.GetTimestamp() : 0);
        Board?.Write(place, stage);
    }

    private static MemoryMappedViewAccessor? OpenBoard()
    {
        if (Environment.GetEnvironmentVariable(BoardVariable) is not { Length: > 0 } path)
            return null;
        try
        {
            // Kept until the process ends: whatever it does last is to be seen.
            return MemoryMappedFile.CreateFromFile(path, FileMode.Open, mapName: null, BoardBytes).CreateViewAccessor();
        }
        catch (Exception missing) when (missing is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
