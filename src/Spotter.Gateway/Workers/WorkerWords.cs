using Spotter.Core;
using Spotter.Engines.Joined;
using Spotter.Jobs;

namespace Spotter.Gateway.Workers;

/// <summary>
/// Checks what workers say before anything is made of it. A worker runs native code on pictures of strangers: it may be somebody
/// else's by now. What a good worker may have to say is bounded where it comes from: files of models are refused for their names
/// and labels before a worker loads them, since here one would be refused with all its models.
/// </summary>
internal static class WorkerWords
{
    private const int MostModels = 1000;
    // Each model has one for pictures and one for tensors.
    private const int MostQueues = 2100;
    private const int MostLeases = 4096;
    // The name of a queue has up to two ids of models in it.
    private const int LongestName = 300;
    private const int LongestCode = 64;
    private const int LongestText = 64 * 1024;

    // A year.
    private const double LongestMs = 366.0 * 24 * 3600 * 1000;

    /// <summary>Checks an introduction.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidRequest"/>, as in all of these.</exception>
    public static void Check(WorkerJoin join) => Check(join.Models);

    /// <summary>Checks what is asked for.</summary>
    public static void Check(WorkerTake take)
    {
        // Numbers may stand in quotes, and so may NaN.
        if (!double.IsFinite(take.WaitSeconds))
            throw Odd("a wait that can't be");
        if (take.Queues.Count > MostQueues || take.Queues.Any(q => !IsName(q)))
            throw Odd("queues that can't be");
        if (take.Most is < 1 or > WorkerExchange.MostTaken)
            throw Odd($"a number of jobs that can't be: it is 1 to {WorkerExchange.MostTaken}");
    }

    /// <summary>Checks a call that hands in and takes; each outcome is checked by itself, so that the others count.</summary>
    public static void Check(WorkerExchange exchange)
    {
        if (exchange.Finished.Count > WorkerExchange.MostFinished || exchange.Finished.Any(finish => finish is null))
            throw Odd($"outcomes that can't be: it is {WorkerExchange.MostFinished} at most, and none of them null");
        if (exchange.Take is { } take)
            Check(take);
    }

    /// <summary>Checks a sign of life.</summary>
    public static void Check(string worker, WorkerHeartbeat heartbeat)
    {
        if (heartbeat.Leases.Count > MostLeases)
            throw Odd("more leases than a worker has");
        if (heartbeat.CpuSeconds is { } used && !double.IsFinite(used))
            throw Odd("a processor time that can't be");
        foreach (var lease in heartbeat.Leases)
            Check(worker, lease);
        if (heartbeat.Models is { } models)
            Check(models);
    }

    /// <summary>Checks how an attempt ended.</summary>
    public static void Check(string worker, WorkerFinish finish)
    {
        Check(worker, finish.Lease);
        switch (finish.Outcome)
        {
            case JobOutcome.Done done:
                var t = done.Timings;
                double[] times = [t.QueuedMs, t.FetchMs, t.DecodeMs, t.InferMs, t.PostMs, t.EncodeMs];
                if (times.Any(ms => !(ms is >= 0 and <= LongestMs)))
                    throw Odd("times that can't be");
                if (done.ModelVersion is { } version && !IsName(version))
                    throw Odd("a model's version that can't be");
                // It is passed on within the answers about its job.
                if (!ResultCheck.IsObject(done.Result.Utf8.Span))
                    throw Odd($"a result that can't be: it is one JSON object, at most {ResultCheck.Deepest} deep, of sound UTF-8");
                if (done.Outputs.Any(static o => o is null || o.Name is null || o.MediaType is null || o.Key is null))
                    throw Odd("a file without name, type or key");
                break;
            case JobOutcome.Retry { Error: var error }:
                Check(error);
                break;
            case JobOutcome.Reject { Error: var error }:
                Check(error);
                break;
        }
    }

    /// <summary>Checks what is to be handed in.</summary>
    public static void Check(string worker, WorkerOutputAsk ask, long most)
    {
        Check(worker, ask.Lease);
        if (ask.Bytes < 0 || ask.Bytes > most)
            throw Odd("an output of a length that can't be");
    }

    private static void Check(string worker, Lease? lease)
    {
        if (lease is null)
            throw Odd("a lease that is null");
        if (lease.Worker != worker)
            throw new SpotterException(ErrorCodes.LeaseLost, $"The lease belongs to the worker '{lease.Worker}'.");
        if (!IsName(lease.Queue) || lease.Progress is { } progress && !double.IsFinite(progress) || lease.Trace is { } trace && !IsName(trace.Parent))
            throw Odd("a lease that can't be");
    }

    private static void Check(IReadOnlyList<WorkerModel> models)
    {
        if (models.Count > MostModels)
            throw Odd("more models than a worker has");
        foreach (var model in models)
        {
            if (model is null || !ModelInfo.IsId(model.Id) || model.Version is { } version && !IsName(version) || model.Device is { } device && !IsName(device))
                throw Odd("a model that can't be");
            if (model.Error is { } error)
                Check(error);
            if (model.Info is { } info && (info.Labels is null || info.Labels.Count > ModelInfo.MostLabels || info.Labels.Any(l => l is null || l.Length > ModelInfo.LongestLabel)
                || info.Declared is not null || info.Tensors is { IsSound: false } || info.Engine is null || info.Family is not { Length: <= LongestName }))
            {
                throw Odd($"of the model '{model.Id}' what can't be");
            }
        }
    }

    private static void Check(JobError error)
    {
        if (error.Code.Length is 0 or > LongestCode || !error.Code.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '_') || error.Detail.Length > LongestText)
            throw Odd("an error that can't be");
    }

    private static bool IsName(string? name) => name is { Length: > 0 and <= LongestName } && !name.Any(char.IsControl);

    private static SpotterException Odd(string what) => new(ErrorCodes.InvalidRequest, $"The worker names {what}.");
}
