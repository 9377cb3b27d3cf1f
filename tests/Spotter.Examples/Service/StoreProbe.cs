using System.Reflection;
using Spotter.Jobs;

namespace Spotter.Examples.Service;

/// <summary>A store whose takes are written down, and can be held up. The rest goes through as it is.</summary>
public class StoreProbe : DispatchProxy
{
    private readonly Lock gate = new();
    private readonly List<TakeRequest> done = [];
    private IJobStore inner = null!;

    /// <summary>Awaited before each take.</summary>
    internal Func<TakeRequest, Task> BeforeTake { get; set; } = _ => Task.CompletedTask;

    /// <summary>How many takes are under way at a time.</summary>
    internal int TakesAtOnce { get; set; } = 1;

    /// <summary>Changes what a take says.</summary>
    internal Func<TakenJobs, TakenJobs> AfterTake { get; set; } = taken => taken;

    /// <summary>The takes that have ended.</summary>
    internal IReadOnlyList<TakeRequest> Takes
    {
        get
        {
            lock (gate)
                return [.. done];
        }
    }

    internal static (IJobStore Store, StoreProbe Probe) Around(IJobStore inner)
    {
        var store = Create<IJobStore, StoreProbe>();
        var probe = (StoreProbe)(object)store;
        probe.inner = inner;
        return (store, probe);
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
        targetMethod!.Name switch
        {
            $"get_{nameof(IJobStore.TakesAtOnce)}" => TakesAtOnce,
            nameof(IJobStore.TakeAsync) => TakeAsync((TakeRequest)args![0]!),
            nameof(IJobStore.TakeInTurnAsync) => TakeInTurnAsync((IReadOnlyList<TakeRequest>)args![0]!),
            _ => targetMethod.Invoke(inner, args),
        };

    private async Task<IReadOnlyList<TakenJobs>> TakeInTurnAsync(IReadOnlyList<TakeRequest> requests)
    {
        var taken = new List<TakenJobs>();
        foreach (var request in requests)
        {
            taken.Add(await TakeAsync(request));
            if (taken[^1].Jobs.Count < request.Workers.Count)
                break;
        }
        return taken;
    }

    private async Task<TakenJobs> TakeAsync(TakeRequest request)
    {
        await BeforeTake(request);
        var taken = AfterTake(await inner.TakeAsync(request, CancellationToken.None));
        lock (gate)
            done.Add(request);
        return taken;
    }
}
