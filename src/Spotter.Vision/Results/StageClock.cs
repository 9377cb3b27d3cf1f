using System.Diagnostics;
using Spotter.Core;

namespace Spotter.Vision.Results;

/// <summary>Adds up how long each stage of a job took; a stage may come more than once.</summary>
internal sealed class StageClock(long started)
{
    private long last = started;
    private long decode;
    private long infer;
    private long post;
    private long encode;

    public void Decoded() => Add(ref decode);

    public void Inferred() => Add(ref infer);

    public void Found() => Add(ref post);

    public void Encoded() => Add(ref encode);

    /// <summary>What went by since the last stage belongs to none of this job's.</summary>
    public void Skip() => last = Stopwatch.GetTimestamp();

    public JobTimings Read(bool encoded) => new()
    {
        DecodeMs = Milliseconds(decode),
        InferMs = Milliseconds(infer),
        PostMs = Milliseconds(post),
        EncodeMs = encoded ? Milliseconds(encode) : 0,
    };

    private static double Milliseconds(long ticks) => Math.Round(Stopwatch.GetElapsedTime(0, ticks).TotalMilliseconds, 3);

    private void Add(ref long stage)
    {
        var now = Stopwatch.GetTimestamp();
        stage += now - last;
        last = now;
    }
}
