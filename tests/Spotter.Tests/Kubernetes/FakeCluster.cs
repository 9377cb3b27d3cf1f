using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Spotter.Fleets.Kubernetes;

namespace Spotter.Tests.Kubernetes;

/// <summary>A pod of <see cref="FakeCluster"/>.</summary>
internal sealed class FakePod
{
    public required string Name { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public string Phase { get; set; } = "Running";

    public string? Node { get; set; } = "node-1";

    public bool IsReady { get; set; } = true;

    public DateTimeOffset? DeletedAt { get; set; }

    /// <summary>Why it has no node; null when it has one, or will soon.</summary>
    public string? Unschedulable { get; set; }

    /// <summary>Why its container does not run; null when it does.</summary>
    public string? Waiting { get; set; }

    public Dictionary<string, string> Annotations { get; } = new(StringComparer.Ordinal);

    public int Cost => Annotations.TryGetValue("controller.kubernetes.io/pod-deletion-cost", out var cost) ? int.Parse(cost, CultureInfo.InvariantCulture) : 0;
}

/// <summary>
/// An API server with one Deployment, as far as a pool of workers needs it, and what makes and ends its pods as a ReplicaSet does.
/// A pod that is to end stays, with its time of deletion, until it is told that its worker has ended.
/// </summary>
internal sealed class FakeCluster : IAsyncDisposable
{
    public const string Token = "the token of the pod";

    private readonly WebApplication server;
    private readonly ManualClock clock;
    private readonly Lock gate = new();
    private readonly List<FakePod> pods = [];
    private readonly List<ClusterClient> clients = [];
    private int made;
    private string? failure;

    private FakeCluster(WebApplication server, ManualClock clock) => (this.server, this.clock) = (server, clock);

    /// <summary>Where it listens.</summary>
    public Uri Address => new(server.Urls.First());

    /// <summary>Pods that the Deployment is to have.</summary>
    public int Replicas { get; private set; }

    /// <summary>Those that are there, also those that are about to end, in the order in which they were made.</summary>
    public IReadOnlyList<FakePod> Pods
    {
        get
        {
            lock (gate)
                return [.. pods];
        }
    }

    /// <summary>Those that are not about to end.</summary>
    public IReadOnlyList<FakePod> Up => [.. Pods.Where(p => p.DeletedAt is null)];

    /// <summary>The requests that came, as <c>GET /path?query</c>.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    /// <summary>The tokens that were shown.</summary>
    public ConcurrentQueue<string> Tokens { get; } = new();

    /// <summary>How a new pod is at first.</summary>
    public Action<FakePod> Prepare { get; set; } = _ => { };

    /// <summary>As many pods as the quota allows.</summary>
    public int Quota { get; set; } = int.MaxValue;

    /// <summary>False while nothing makes or ends pods.</summary>
    public bool IsControlled { get; set; } = true;

    /// <summary>The answer to a request instead of what it asks for; null where it is answered.</summary>
    public Func<string, (int Status, string Body)?> Refuses { get; set; } = _ => null;

    /// <summary>Pods on a page.</summary>
    public int PageSize { get; set; } = 500;

    public static async Task<FakeCluster> StartAsync(ManualClock clock)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var web = builder.Build();
        FakeCluster? cluster = null;
        web.Run(http => cluster!.ServeAsync(http));
        await web.StartAsync();
        return cluster = new FakeCluster(web, clock);
    }

    /// <summary>The Deployment's calls, as a gateway makes them.</summary>
    public WorkerDeployment Deployment(string name = "worker", Func<CancellationToken, Task<string?>>? token = null)
    {
        var client = new ClusterClient(new ClusterAccess(Address, "spotter", token ?? (_ => Task.FromResult<string?>(Token))));
        clients.Add(client);
        return new WorkerDeployment(client, "spotter", name);
    }

    /// <summary>A launcher of its pods, as of a gateway that has just been started.</summary>
    public KubernetesLauncher Launcher(ILogger<KubernetesLauncher>? log = null) => new(Deployment(), clock, log ?? NullLogger<KubernetesLauncher>.Instance);

    /// <summary>How often something was asked for.</summary>
    public int Count(string begin) => Requests.Count(r => r.StartsWith(begin, StringComparison.Ordinal));

    /// <summary>Has somebody else scale it, as <c>kubectl scale</c> does.</summary>
    public void Scale(int replicas)
    {
        lock (gate)
        {
            Replicas = replicas;
            Control();
        }
    }

    /// <summary>The worker of a pod that is to end has ended.</summary>
    public void End(FakePod pod)
    {
        lock (gate)
            pods.Remove(pod);
    }

    /// <summary>Somebody tells a pod to end, as <c>kubectl drain</c> does; another one takes its place at once.</summary>
    public void Evict(FakePod pod)
    {
        lock (gate)
        {
            pod.DeletedAt = clock.GetUtcNow();
            Control();
        }
    }

    /// <summary>A pod is gone, as with its node.</summary>
    public void Lose(FakePod pod)
    {
        lock (gate)
        {
            pods.Remove(pod);
            Control();
        }
    }

    public async ValueTask DisposeAsync()
    {
        clients.ForEach(c => c.Dispose());
        await server.DisposeAsync();
    }

    private async Task ServeAsync(HttpContext http)
    {
        var request = $"{http.Request.Method} {http.Request.Path}{http.Request.QueryString}";
        Requests.Enqueue(request);
        Tokens.Enqueue(http.Request.Headers.Authorization.ToString());
        using var reader = new StreamReader(http.Request.Body);
        var body = await reader.ReadToEndAsync();
        (int Status, string Body) answer;
        lock (gate)
            answer = Refuses(request) ?? Answer(http.Request, body);
        http.Response.StatusCode = answer.Status;
        http.Response.ContentType = "application/json";
        await http.Response.WriteAsync(answer.Body);
    }

    private (int Status, string Body) Answer(HttpRequest request, string body)
    {
        if (!(HttpMethods.IsGet(request.Method) || request.ContentType == "application/merge-patch+json"))
            return Status(415, "UnsupportedMediaType");
        var change = body.Length == 0 ? null : JsonNode.Parse(body);
        return (request.Method, request.Path.Value!.Split('/', StringSplitOptions.RemoveEmptyEntries)) switch
        {
            ("GET", ["apis", "apps", "v1", "namespaces", "spotter", "deployments", "worker"]) => (200, Describe().ToJsonString()),
            ("PATCH", ["apis", "apps", "v1", "namespaces", "spotter", "deployments", "worker", "scale"]) => Scale(change!),
            ("GET", ["api", "v1", "namespaces", "spotter", "pods"]) => List(request.Query),
            ("PATCH", ["api", "v1", "namespaces", "spotter", "pods", var name]) => Annotate(name, change!),
            _ => Status(404, "NotFound"),
        };
    }

    private JsonObject Describe() => new()
    {
        ["metadata"] = new JsonObject { ["name"] = "worker", ["namespace"] = "spotter" },
        ["spec"] = new JsonObject
        {
            ["replicas"] = Replicas,
            ["selector"] = new JsonObject
            {
                ["matchLabels"] = new JsonObject { ["app"] = "worker" },
                ["matchExpressions"] = new JsonArray(
                    new JsonObject { ["key"] = "tier", ["operator"] = "In", ["values"] = new JsonArray("cpu", "gpu") }, new JsonObject { ["key"] = "old", ["operator"] = "DoesNotExist" }),
            },
        },
        ["status"] = new JsonObject
        {
            ["conditions"] = failure is null ? new JsonArray() : new JsonArray(new JsonObject { ["type"] = "ReplicaFailure", ["status"] = "True", ["reason"] = "FailedCreate", ["message"] = failure }),
        },
    };

    private (int Status, string Body) Scale(JsonNode change)
    {
        Replicas = change["spec"]!["replicas"]!.GetValue<int>();
        Control();
        return (200, "{}");
    }

    private (int Status, string Body) List(IQueryCollection query)
    {
        if (query["labelSelector"] != "app=worker,tier in (cpu,gpu),!old")
            return Status(400, "BadRequest");
        var begin = query["continue"].ToString() is { Length: > 0 } next ? int.Parse(next, CultureInfo.InvariantCulture) : 0;
        var end = Math.Min(pods.Count, begin + PageSize);
        var list = new JsonObject
        {
            ["metadata"] = new JsonObject { ["continue"] = end < pods.Count ? end.ToString(CultureInfo.InvariantCulture) : "" },
            ["items"] = new JsonArray([.. pods[begin..end].Select(Show)]),
        };
        return (200, list.ToJsonString());
    }

    private static JsonObject Show(FakePod pod) => new()
    {
        ["metadata"] = new JsonObject
        {
            ["name"] = pod.Name,
            ["creationTimestamp"] = Time(pod.CreatedAt),
            ["deletionTimestamp"] = pod.DeletedAt is { } at ? Time(at) : null,
            ["annotations"] = new JsonObject(pod.Annotations.Select(a => KeyValuePair.Create(a.Key, (JsonNode?)a.Value))),
        },
        ["spec"] = new JsonObject { ["nodeName"] = pod.Node },
        ["status"] = new JsonObject
        {
            ["phase"] = pod.Phase,
            ["conditions"] = new JsonArray(
                new JsonObject { ["type"] = "Ready", ["status"] = pod.IsReady ? "True" : "False" },
                pod.Unschedulable is { } why
                    ? new JsonObject { ["type"] = "PodScheduled", ["status"] = "False", ["reason"] = "Unschedulable", ["message"] = why }
                    : new JsonObject { ["type"] = "PodScheduled", ["status"] = "True" }),
            ["containerStatuses"] = new JsonArray(new JsonObject
            {
                ["name"] = "worker",
                ["state"] = pod.Waiting is { } reason ? new JsonObject { ["waiting"] = new JsonObject { ["reason"] = reason, ["message"] = $"about {reason}" } } : new JsonObject(),
            }),
        },
    };

    private static string Time(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);

    private (int Status, string Body) Annotate(string name, JsonNode change)
    {
        if (pods.Find(p => p.Name == name) is not { } pod)
            return Status(404, "NotFound");
        foreach (var (key, value) in change["metadata"]!["annotations"]!.AsObject())
        {
            if (value is null)
                pod.Annotations.Remove(key);
            else
                pod.Annotations[key] = value.GetValue<string>();
        }
        return (200, "{}");
    }

    /// <summary>Makes pods that are missing, and of those too many ends some, as a ReplicaSet ranks them.</summary>
    private void Control()
    {
        if (!IsControlled)
            return;
        while (pods.Count(p => p.DeletedAt is null) < Replicas)
        {
            if (pods.Count >= Quota)
            {
                failure = "pods \"worker-\" is forbidden: exceeded quota";
                return;
            }
            var pod = new FakePod { Name = string.Create(CultureInfo.InvariantCulture, $"worker-7f9c-{++made:000}"), CreatedAt = clock.GetUtcNow() };
            Prepare(pod);
            pods.Add(pod);
        }
        failure = null;
        foreach (var pod in pods.Where(p => p.DeletedAt is null)
            .OrderBy(p => p.Node is not null).ThenBy(p => p.Phase == "Running").ThenBy(p => p.IsReady).ThenBy(p => p.Cost).ThenByDescending(p => p.CreatedAt)
            .Take(pods.Count(p => p.DeletedAt is null) - Replicas).ToList())
        {
            pod.DeletedAt = clock.GetUtcNow();
        }
    }

    private static (int Status, string Body) Status(int code, string reason) => (code, new JsonObject { ["kind"] = "Status", ["reason"] = reason, ["message"] = $"{reason} it is" }.ToJsonString());
}
