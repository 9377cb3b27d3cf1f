namespace Spotter.Cli.Watch;

/// <summary>Where pictures come from. It says itself when it goes away and comes back, and tries again until then.</summary>
internal interface IFrameSource : IDisposable
{
    /// <summary>True when a new picture makes one that still waits worthless; false when all of them count.</summary>
    bool IsLive { get; }

    /// <summary>The pictures, until there are no more.</summary>
    /// <exception cref="Core.SpotterException">It can't work as it was asked to.</exception>
    IAsyncEnumerable<Frame> FramesAsync(CancellationToken cancel);
}
