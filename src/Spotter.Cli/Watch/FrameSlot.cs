using System.Threading.Channels;

namespace Spotter.Cli.Watch;

/// <summary>
/// Room for one picture between a source and what sends it. Where only the newest counts, it takes the place of the one that
/// waits; else the source has to wait.
/// </summary>
internal sealed class FrameSlot
{
    private readonly Channel<Frame> channel;
    private long dropped;

    /// <param name="keepsNewest">True when a newer picture replaces the one that waits.</param>
    public FrameSlot(bool keepsNewest) => channel = Channel.CreateBounded<Frame>(
        new BoundedChannelOptions(1) { FullMode = keepsNewest ? BoundedChannelFullMode.DropOldest : BoundedChannelFullMode.Wait, SingleReader = true, SingleWriter = true },
        _ => Interlocked.Increment(ref dropped));

    /// <summary>Pictures that were replaced before anybody looked at them.</summary>
    public long Dropped => Interlocked.Read(ref dropped);

    /// <summary>Puts a picture in.</summary>
    public ValueTask PutAsync(Frame frame, CancellationToken cancel) => channel.Writer.WriteAsync(frame, cancel);

    /// <summary>Says that no more come.</summary>
    public void Close() => channel.Writer.TryComplete();

    /// <summary>Waits for the next picture; null when no more come.</summary>
    public async ValueTask<Frame?> TakeAsync(CancellationToken cancel)
    {
        while (await channel.Reader.WaitToReadAsync(cancel))
        {
            if (channel.Reader.TryRead(out var frame))
                return frame;
        }
        return null;
    }

    /// <summary>A picture that waits in the place of <paramref name="old"/>, which then counts as replaced; <paramref name="old"/> if none does.</summary>
    public Frame NewerThan(Frame old)
    {
        if (!channel.Reader.TryRead(out var newer))
            return old;
        Interlocked.Increment(ref dropped);
        return newer;
    }
}
