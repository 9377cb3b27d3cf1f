namespace Spotter.Jobs;

/// <summary>
/// The names of the queues: one per engine and model, so that a worker is only given jobs whose model it has, and
/// <c>detect/yolox_nano</c> waits for nobody who has only <c>detect/starter</c>.
/// </summary>
public static class QueueNames
{
    private const char Separator = '/';

    /// <summary>The queue of the jobs of an engine for a model; null when the engine needs none.</summary>
    public static string Of(string engine, string? model) => model is null ? engine : $"{engine}{Separator}{model}";

    /// <summary>The engine whose jobs a queue holds.</summary>
    public static string EngineOf(string queue) => queue.IndexOf(Separator, StringComparison.Ordinal) is > 0 and var end ? queue[..end] : queue;

    /// <summary>The model whose jobs a queue holds; null when they need none.</summary>
    public static string? ModelOf(string queue) => queue.IndexOf(Separator, StringComparison.Ordinal) is > 0 and var end ? queue[(end + 1)..] : null;
}
