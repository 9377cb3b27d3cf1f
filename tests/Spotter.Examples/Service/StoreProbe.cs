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
        targetMethod!.Name == nameof(IJobStore.TakeAsync) ? TakeAsync((TakeRequest)args![0]!) : targetMethod.Invoke(inner, args);

    private async Task<TakenJobs> TakeAsync(TakeRequest request)
    {
        await BeforeTake(request);
        var taken = AfterTake(await inner.TakeAsync(request, CancellationToken.None));
        lock (gate)
            done.Add(request);
        return taken;
    }
}
