namespace Spotter.Fleets.Kubernetes;

/// <summary>How a pod is ended and no other: by making it the one that a ReplicaSet ends when it is to have one less.</summary>
/// <param name="Reset">Pods that were marked before and are to stay; their mark goes first.</param>
/// <param name="WaitsFor">A pod that would be ended instead, whatever the marks say: it is waited for. Null when there is none.</param>
internal sealed record ScaleIn(IReadOnlyList<string> Reset, string? WaitsFor)
{
    /// <summary>The deletion cost of one that is to end; any other's is 0 or what somebody else has set.</summary>
    public const int Marked = -1000;

    /// <summary>
    /// How to end <paramref name="victim"/>. A ReplicaSet ends pods without a node first, then those that don't run, then those that
    /// aren't ready, and only among equals looks at costs. So one that works is ended only while all others are ready too; one
    /// that isn't ready has no job, and if another one like it ends in its place, that is as good.
    /// </summary>
    public static ScaleIn Of(IReadOnlyList<WorkerPod> pods, WorkerPod victim)
    {
        var others = pods.Where(p => p.IsUp && p.Name != victim.Name).ToList();
        var reset = others.Where(p => p.Cost <= Marked).Select(p => p.Name).ToList();
        return new ScaleIn(reset, IsFirst(victim) ? null : others.FirstOrDefault(IsFirst)?.Name);
    }

    private static bool IsFirst(WorkerPod pod) => !pod.IsAssigned || !pod.IsRunning || !pod.IsReady;
}
