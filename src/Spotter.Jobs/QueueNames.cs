namespace Spotter.Jobs;

/// <summary>
/// The names of the queues: one per engine and model, so that a worker is only given jobs whose model it has, and
/// <c>detect/yolox_nano</c> waits for nobody who has only <c>detect/starter</c>. Jobs for two models have one for the two,
/// <c>detect/yolox_nano/resnet</c>.
/// </summary>
public static class QueueNames
{
    /// <summary>The engine of jobs that are made of other jobs. The gateways run them themselves, so no worker is started for them.</summary>
    public const string WorkflowEngine = "workflow";

    /// <summary>What such jobs have in the place of a model, so that nobody takes them for jobs that any worker runs.</summary>
    public const string WorkflowModel = "gateway";

    private const char Separator = '/';

    /// <summary>The queue of the jobs of an engine for a model; null when the engine needs none. And of those that need a second model besides.</summary>
    public static string Of(string engine, string? model, string? then = null) =>
        string.Join(Separator, ((IEnumerable<string?>)[engine, model, then]).OfType<string>());

    /// <summary>The engine whose jobs a queue holds.</summary>
    public static string EngineOf(string queue) => queue.Split(Separator)[0];

    /// <summary>The model whose jobs a queue holds; null when they need none.</summary>
    public static string? ModelOf(string queue) => queue.Split(Separator) is [_, var model, ..] ? model : null;

    /// <summary>The second model that the jobs of a queue need; null when they need none.</summary>
    public static string? ThenOf(string queue) => queue.Split(Separator) is [_, _, var then, ..] ? then : null;

    /// <summary>All models that the jobs of a queue need.</summary>
    public static IReadOnlyList<string> ModelsOf(string queue) => queue.Split(Separator)[1..];
}
