using System.Globalization;

namespace Spotter.Fleets.Kubernetes;

/// <summary>A pod of a pool, as far as it matters who ends first and what keeps it from working.</summary>
internal sealed record WorkerPod
{
    /// <summary>The annotation by which a ReplicaSet chooses whom to end: the lowest first, 0 where there is none.</summary>
    public const string CostAnnotation = "controller.kubernetes.io/pod-deletion-cost";

    // What kubelet says while it still works on it, and nothing is wrong.
    private static readonly HashSet<string> Usual = new(StringComparer.Ordinal) { "ContainerCreating", "PodInitializing" };

    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>When it was made, by the cluster's clock.</summary>
    public DateTimeOffset? CreatedAt { get; init; }

    /// <summary>True until it has ended.</summary>
    public required bool IsThere { get; init; }

    /// <summary>True once somebody has told it to end: until it has, its worker finishes what it runs.</summary>
    public bool IsEnding { get; init; }

    /// <summary>True while it boots or works: it has not ended, and nobody has told it to.</summary>
    public bool IsUp => IsThere && !IsEnding;

    /// <summary>True once it has a node.</summary>
    public bool IsAssigned { get; init; }

    /// <summary>True once its containers run.</summary>
    public bool IsRunning { get; init; }

    /// <summary>True while it is ready.</summary>
    public bool IsReady { get; init; }

    /// <summary>Its deletion cost.</summary>
    public int Cost { get; init; }

    /// <summary>What keeps it from working; null when nothing does.</summary>
    public string? Trouble { get; init; }

    /// <summary>Reads it.</summary>
    public static WorkerPod Of(PodObject pod)
    {
        var status = pod.Status ?? new PodStatus();
        var conditions = status.Conditions ?? [];
        return new WorkerPod
        {
            Name = pod.Metadata.Name,
            CreatedAt = pod.Metadata.CreationTimestamp,
            IsThere = status.Phase is not ("Succeeded" or "Failed"),
            IsEnding = pod.Metadata.DeletionTimestamp is not null,
            IsAssigned = !string.IsNullOrEmpty(pod.Spec?.NodeName),
            IsRunning = status.Phase == "Running",
            IsReady = conditions.Any(c => c is { Type: "Ready", IsTrue: true }),
            Cost = pod.Metadata.Annotations?.TryGetValue(CostAnnotation, out var text) == true && int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var cost) ? cost : 0,
            Trouble = TroubleOf(status, conditions),
        };
    }

    private static string? TroubleOf(PodStatus status, IReadOnlyList<ObjectCondition> conditions)
    {
        if (conditions.FirstOrDefault(c => c is { Type: "PodScheduled", Status: "False" }) is { } unscheduled)
            return Words(unscheduled.Reason, unscheduled.Message);
        var waiting = (status.InitContainerStatuses ?? []).Concat(status.ContainerStatuses ?? []).FirstOrDefault(c => c.State?.Waiting?.Reason is { } reason && !Usual.Contains(reason));
        return waiting is null ? null : Words($"{waiting.State!.Waiting!.Reason} of the container {waiting.Name}", waiting.State.Waiting.Message);
    }

    private static string Words(string? reason, string? message) => string.Join(": ", new[] { reason ?? "it has no node", message?.Trim().TrimEnd('.') }.Where(w => !string.IsNullOrEmpty(w)));
}
