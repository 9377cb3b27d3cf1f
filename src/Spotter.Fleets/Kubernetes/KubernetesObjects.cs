using System.Text.Json;
using System.Text.Json.Serialization;

namespace Spotter.Fleets.Kubernetes;

// What is read of Kubernetes' objects: only what is needed of them.

/// <summary>What an object is called, and since when it is there.</summary>
internal sealed record ObjectMetadata(
    string Name, DateTimeOffset? CreationTimestamp = null, DateTimeOffset? DeletionTimestamp = null, IReadOnlyDictionary<string, string>? Annotations = null);

/// <summary>One thing that is true, or not, of an object.</summary>
internal sealed record ObjectCondition(string Type, string Status, string? Reason = null, string? Message = null)
{
    /// <summary>True when it is so.</summary>
    [JsonIgnore]
    public bool IsTrue => Status == "True";
}

/// <summary>A Deployment.</summary>
internal sealed record DeploymentObject(DeploymentSpec Spec, DeploymentStatus? Status = null);

/// <summary>How many pods it is to have, and which are its own.</summary>
internal sealed record DeploymentSpec(LabelSelector Selector, int? Replicas = null);

/// <summary>How it stands.</summary>
internal sealed record DeploymentStatus(IReadOnlyList<ObjectCondition>? Conditions = null);

/// <summary>Which pods belong to a Deployment.</summary>
internal sealed record LabelSelector(IReadOnlyDictionary<string, string>? MatchLabels = null, IReadOnlyList<LabelExpression>? MatchExpressions = null)
{
    /// <summary>As a query takes it.</summary>
    public string ToQuery() => string.Join(',', [.. (MatchLabels ?? new Dictionary<string, string>(StringComparer.Ordinal)).Select(l => $"{l.Key}={l.Value}"), .. (MatchExpressions ?? []).Select(e => e.ToQuery())]);
}

/// <summary>One condition of a selector.</summary>
internal sealed record LabelExpression(string Key, string Operator, IReadOnlyList<string>? Values = null)
{
    /// <summary>As a query takes it.</summary>
    public string ToQuery() => Operator switch
    {
        "In" => $"{Key} in ({string.Join(',', Values ?? [])})",
        "NotIn" => $"{Key} notin ({string.Join(',', Values ?? [])})",
        "DoesNotExist" => $"!{Key}",
        _ => Key,
    };
}

/// <summary>A page of pods.</summary>
internal sealed record PodList(IReadOnlyList<PodObject> Items, ListMetadata? Metadata = null);

/// <summary>Where the next page begins.</summary>
internal sealed record ListMetadata(string? Continue = null);

/// <summary>A pod.</summary>
internal sealed record PodObject(ObjectMetadata Metadata, PodSpec? Spec = null, PodStatus? Status = null);

/// <summary>Where it runs.</summary>
internal sealed record PodSpec(string? NodeName = null);

/// <summary>How it stands.</summary>
internal sealed record PodStatus(string? Phase = null, IReadOnlyList<ObjectCondition>? Conditions = null, IReadOnlyList<ContainerStatus>? InitContainerStatuses = null, IReadOnlyList<ContainerStatus>? ContainerStatuses = null);

/// <summary>How one of its containers stands.</summary>
internal sealed record ContainerStatus(string Name, ContainerState? State = null);

/// <summary>What a container does.</summary>
internal sealed record ContainerState(ContainerWaiting? Waiting = null);

/// <summary>Why a container does not run.</summary>
internal sealed record ContainerWaiting(string? Reason = null, string? Message = null);

/// <summary>How many pods a Deployment is to have, as a change.</summary>
internal sealed record ScalePatch(ScalePatchSpec Spec);

/// <summary>That number.</summary>
internal sealed record ScalePatchSpec(int Replicas);

/// <summary>What is to be noted of a pod, as a change; null takes a note away.</summary>
internal sealed record AnnotationPatch(AnnotationPatchMetadata Metadata);

/// <summary>Those notes.</summary>
internal sealed record AnnotationPatchMetadata(IReadOnlyDictionary<string, string?> Annotations);

/// <summary>How they are read and written.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(DeploymentObject))]
[JsonSerializable(typeof(PodList))]
[JsonSerializable(typeof(ScalePatch))]
[JsonSerializable(typeof(AnnotationPatch))]
[JsonSerializable(typeof(ExecCredential))]
internal sealed partial class KubernetesJson : JsonSerializerContext;
