using System.Globalization;
using Spotter.Core;

namespace Spotter.Fleets.Kubernetes;

/// <summary>How a Deployment stands.</summary>
/// <param name="Replicas">Pods that it is to have.</param>
/// <param name="Selector">Which pods are its own, as a query.</param>
/// <param name="Failure">Why it can't have all of them, as when a quota is used up; null when it can.</param>
internal sealed record DeploymentState(int Replicas, string Selector, string? Failure);

/// <summary>The calls for the Deployment whose pods are a pool's workers. Each throws a <see cref="SpotterException"/> that says in one sentence why it failed.</summary>
/// <param name="client">The API server's.</param>
/// <param name="space">The namespace.</param>
/// <param name="name">The Deployment's name.</param>
internal sealed class WorkerDeployment(ClusterClient client, string space, string name) : IDisposable
{
    private const int PageSize = 500;

    // It can't be changed once the Deployment is there.
    private string? selector;

    /// <summary>Its name.</summary>
    public string Name => name;

    /// <summary>How it stands.</summary>
    public async Task<DeploymentState> DescribeAsync(CancellationToken cancel)
    {
        var found = await client.GetAsync(Call("get", "deployments", $"apis/apps/v1/namespaces/{space}/deployments/{name}"), KubernetesJson.Default.DeploymentObject, cancel);
        selector = found.Spec.Selector.ToQuery();
        var failure = found.Status?.Conditions?.FirstOrDefault(c => c is { Type: "ReplicaFailure", IsTrue: true });
        return new DeploymentState(found.Spec.Replicas ?? 1, selector, failure is null ? null : failure.Message ?? failure.Reason ?? "it does not say why");
    }

    /// <summary>Its pods, those that are about to end included.</summary>
    public async Task<IReadOnlyList<WorkerPod>> PodsAsync(CancellationToken cancel)
    {
        selector ??= (await DescribeAsync(cancel)).Selector;
        var pods = new List<WorkerPod>();
        string? next = null;
        do
        {
            var query = string.Create(CultureInfo.InvariantCulture, $"limit={PageSize}&labelSelector={Uri.EscapeDataString(selector)}{(next is null ? "" : $"&continue={Uri.EscapeDataString(next)}")}");
            var page = await client.GetAsync(Call("list", "pods", $"api/v1/namespaces/{space}/pods?{query}"), KubernetesJson.Default.PodList, cancel);
            pods.AddRange(page.Items.Select(WorkerPod.Of));
            next = page.Metadata?.Continue;
        }
        while (next is { Length: > 0 });
        return pods;
    }

    /// <summary>Has it have so many pods.</summary>
    public Task ScaleAsync(int replicas, CancellationToken cancel) => client.PatchAsync(
        Call("patch", "deployments/scale", $"apis/apps/v1/namespaces/{space}/deployments/{name}/scale"), new ScalePatch(new(replicas)), KubernetesJson.Default.ScalePatch, cancel);

    /// <summary>Sets the deletion cost of a pod, or takes it away.</summary>
    public Task SetCostAsync(string pod, int? cost, CancellationToken cancel) => client.PatchAsync(
        Call("patch", "pods", $"api/v1/namespaces/{space}/pods/{pod}") with { Missing = $"The pod '{pod}' is gone." },
        new AnnotationPatch(new(new Dictionary<string, string?>(StringComparer.Ordinal) { [WorkerPod.CostAnnotation] = cost?.ToString(CultureInfo.InvariantCulture) })),
        KubernetesJson.Default.AnnotationPatch, cancel);

    /// <inheritdoc/>
    public void Dispose() => client.Dispose();

    private ClusterCall Call(string verb, string resource, string path) =>
        new(verb, resource, space, path, $"There is no Deployment '{name}' in the namespace '{space}'; make it, or correct deployment= or namespace= of the pool.");
}
