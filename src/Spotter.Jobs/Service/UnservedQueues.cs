using System.Globalization;

namespace Spotter.Jobs;

/// <summary>
/// Says for which queues there is nobody: their jobs stay accepted and wait, for a model's file may come back, and a
/// worker with the model may join.
/// </summary>
public sealed class UnservedQueues(ModelCatalogue catalogue, WorkerRoster roster)
{
    /// <summary>True for a queue whose jobs some worker takes, or would once it is started.</summary>
    public bool MayBeServed(string queue) => catalogue.Serves(queue) || roster.HasModels(QueueNames.ModelsOf(queue));

    /// <summary>Why the jobs of a queue wait; null when somebody takes them, or will once there is a worker.</summary>
    public string? ReasonFor(string queue)
    {
        var models = QueueNames.ModelsOf(queue);
        if (IsOfGateways(queue))
            return null;
        if (models.Count == 0 || roster.HasModels(models) || models.All(catalogue.IsElsewhere))
            return null;
        if (catalogue.HasEngine(models[0]))
            return $"No worker runs the engine '{models[0]}' now; the job waits until one joins that does, or until it is cancelled.";
        if (Missing(queue) is not { } model)
        {
            // A worker has come since it was looked for.
            if (models.Count == 1)
                return null;
            return catalogue.Serves(queue)
                ? $"No worker has both models, '{models[0]}' and '{models[1]}', yet; the job waits until one has."
                : $"No worker has both models, '{models[0]}' and '{models[1]}'; the job waits until one has, or until it is cancelled. Where there are pools, put both into one.";
        }
        if (catalogue.ErrorOf(model) is { } error)
            return $"The file of the model '{model}' can't be loaded, and no worker has an earlier version; the job waits until the file is replaced, or until it is cancelled. {error.Detail}";
        if (roster.LoadingOf(model).Workers > 0)
            return null;
        if (!catalogue.Serves(queue) && catalogue.Knows(model))
            return $"No worker has the model '{model}' now; the job waits until one joins that has, or until it is cancelled.";
        if (!catalogue.Serves(queue))
            return $"The model '{model}' is not here any more; the job waits until it is back, or until it is cancelled.";
        return roster.IsEmpty ? null : $"No worker has the model '{model}' yet; the job waits until one has.";
    }

    /// <summary>What the workers that will take the jobs of a queue do before; null when they can take them now, or nobody can (<see cref="ReasonFor"/>).</summary>
    public string? DelayOf(string queue)
    {
        if (Missing(queue) is not { } model || roster.LoadingOf(model) is not { Workers: > 0 and var workers } loading)
            return null;
        var who = workers == 1 ? "A worker loads" : string.Create(CultureInfo.InvariantCulture, $"{workers} workers load");
        var before = roster.Loads.Of(model) is { } took ? string.Create(CultureInfo.InvariantCulture, $"; the last time it took {took.TotalSeconds:0.#} s") : "";
        return string.Create(CultureInfo.InvariantCulture, $"{who} the model '{model}', for {loading.Longest.TotalSeconds:0} s now{before}.");
    }

    /// <summary>Of the models that the jobs of a queue need, the first that no worker has; null when each is had.</summary>
    private string? Missing(string queue) => QueueNames.ModelsOf(queue).FirstOrDefault(model => !roster.HasModel(model));

    /// <summary>True when no number of workers makes the jobs of a queue begin sooner: nobody has the model, or not yet; or gateways run them.</summary>
    public bool IsHeldUp(string queue) => IsOfGateways(queue) || ReasonFor(queue) is not null || DelayOf(queue) is not null;

    private static bool IsOfGateways(string queue) => QueueNames.EngineOf(queue) == QueueNames.WorkflowEngine;

    /// <summary>The queues in which jobs wait for nobody, with how many of the users' jobs do, and why.</summary>
    public IReadOnlyList<(string Queue, long Count, string Reason)> In(StoreCounts counts) =>
    [
        .. counts.Backlogs.Where(b => b.Queued > 0).GroupBy(b => b.Queue, StringComparer.Ordinal)
            .Select(q => (Queue: q.Key, Count: q.Sum(b => b.Queued), Reason: ReasonFor(q.Key)))
            .Where(q => q.Reason is not null).Select(q => (q.Queue, q.Count, q.Reason!)),
    ];

    /// <summary>How many of the users' jobs wait in such queues.</summary>
    public long CountIn(StoreCounts counts) => In(counts).Sum(q => q.Count);
}
