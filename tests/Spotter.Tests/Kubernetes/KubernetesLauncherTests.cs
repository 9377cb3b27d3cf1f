using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Spotter.Core;
using Spotter.Fleets.Kubernetes;

namespace Spotter.Tests.Kubernetes;

public sealed class KubernetesLauncherTests : IAsyncLifetime
{
    private readonly ManualClock clock = new();
    private readonly Log log = new();
    private FakeCluster cluster = null!;
    private KubernetesLauncher launcher = null!;

    public async Task InitializeAsync()
    {
        cluster = await FakeCluster.StartAsync(clock);
        launcher = cluster.Launcher(log);
    }

    public async Task DisposeAsync()
    {
        await launcher.DisposeAsync();
        await cluster.DisposeAsync();
    }

    [Fact]
    public async Task A_worker_is_a_pod_of_the_Deployments_selector_under_its_name_with_its_age()
    {
        cluster.Scale(2);
        cluster.PageSize = 1;
        clock.Advance(TimeSpan.FromMinutes(3));

        var workers = await launcher.ListAsync(default);

        workers.Select(w => w.Name).ShouldBe(["worker-7f9c-001", "worker-7f9c-002"]);
        workers.ShouldAllBe(w => w.Age == TimeSpan.FromMinutes(3));
        cluster.Tokens.ShouldAllBe(t => t == $"Bearer {FakeCluster.Token}");
        cluster.Count("GET /api/v1/namespaces/spotter/pods").ShouldBe(2, "two pages");
    }

    [Fact]
    public async Task What_the_cluster_has_is_asked_every_two_seconds_at_most()
    {
        for (var i = 0; i < 8; i++)
        {
            await launcher.ListAsync(default);
            clock.Advance(TimeSpan.FromMilliseconds(250));
        }

        cluster.Count("GET /api/v1/namespaces/spotter/pods").ShouldBe(1);
        await launcher.ListAsync(default);
        cluster.Count("GET /api/v1/namespaces/spotter/pods").ShouldBe(2);
    }

    [Fact]
    public async Task It_is_scaled_by_the_scale_subresource()
    {
        (await launcher.StartAsync(3, default)).ShouldBe(3);

        cluster.Replicas.ShouldBe(3);
        cluster.Count("PATCH /apis/apps/v1/namespaces/spotter/deployments/worker/scale").ShouldBe(1);
    }

    [Fact]
    public async Task Pods_that_it_is_to_have_already_are_a_part_of_what_is_asked_for()
    {
        cluster.IsControlled = false;
        cluster.Scale(2);
        cluster.IsControlled = true;
        var starting = launcher.StartAsync(1, default);
        await clock.WaitForTimersAsync();

        cluster.Scale(2);
        clock.Advance(TimeSpan.FromSeconds(1));

        (await starting).ShouldBe(1);
        cluster.Count("PATCH").ShouldBe(0);
    }

    [Fact]
    public async Task The_chosen_pod_ends_and_no_other_whatever_their_age()
    {
        await launcher.StartAsync(3, default);
        var names = cluster.Up.Select(p => p.Name).ToList();

        await launcher.StopAsync(names[0], default);

        cluster.Up.Select(p => p.Name).ShouldBe(names.Skip(1), "a ReplicaSet would have ended the newest");
        cluster.Replicas.ShouldBe(2);
        (await launcher.ListAsync(default)).Select(w => w.Name).ShouldBe(names.Skip(1));
    }

    [Fact]
    public async Task A_pod_that_was_to_end_and_stayed_is_not_ended_in_the_place_of_another()
    {
        await launcher.StartAsync(3, default);
        var (stayed, chosen) = (cluster.Up[2], cluster.Up[0]);
        stayed.Annotations[WorkerPod.CostAnnotation] = "-1000";

        await launcher.StopAsync(chosen.Name, default);

        chosen.DeletedAt.ShouldNotBeNull();
        stayed.DeletedAt.ShouldBeNull();
        stayed.Annotations.ShouldBeEmpty();
    }

    [Fact]
    public async Task One_that_works_is_not_ended_while_another_would_be_ended_instead_and_that_is_said_once()
    {
        await launcher.StartAsync(2, default);
        var (booting, chosen) = (cluster.Up[0], cluster.Up[1]);
        (booting.Phase, booting.IsReady) = ("Pending", false);

        await launcher.StopAsync(chosen.Name, default);
        await launcher.StopAsync(chosen.Name, default);

        cluster.Up.Count.ShouldBe(2);
        cluster.Count("PATCH /api/").ShouldBe(0);
        log.Lines.ShouldHaveSingleItem().ShouldBe($"The pod {chosen.Name} is to end and waits for the pod {booting.Name}, which is not ready and would be ended in its place");

        (booting.Phase, booting.IsReady) = ("Running", true);
        await launcher.StopAsync(chosen.Name, default);
        cluster.Up.ShouldHaveSingleItem().ShouldBe(booting);
    }

    [Fact]
    public async Task One_less_is_asked_for_once_however_slow_the_cluster_is()
    {
        await launcher.StartAsync(3, default);
        cluster.IsControlled = false;
        var chosen = cluster.Up[0].Name;

        await launcher.StopAsync(chosen, default);
        await launcher.StopAsync(chosen, default);

        cluster.Replicas.ShouldBe(2);
    }

    [Fact]
    public async Task What_a_quota_forbids_is_not_tried_for_ever_and_is_told()
    {
        cluster.Quota = 2;

        (await launcher.StartAsync(5, default)).ShouldBe(2);

        cluster.Replicas.ShouldBe(2, "it would have them when nobody needs them any more");
        log.Lines.ShouldHaveSingleItem().ShouldContain("got 2 of 5 pods: pods \"worker-\" is forbidden: exceeded quota");
    }

    [Fact]
    public async Task Where_nothing_makes_pods_it_gives_up_after_a_while()
    {
        cluster.IsControlled = false;
        var starting = launcher.StartAsync(2, default);
        while (!starting.IsCompleted)
        {
            await Task.WhenAny(starting, clock.WaitForTimersAsync());
            clock.Advance(TimeSpan.FromSeconds(1));
        }

        (await starting).ShouldBe(0);
        cluster.Replicas.ShouldBe(0);
    }

    [Theory]
    [InlineData("0/3 nodes are available: 3 Insufficient cpu.", null, "Unschedulable: 0/3 nodes are available: 3 Insufficient cpu")]
    [InlineData(null, "CrashLoopBackOff", "CrashLoopBackOff of the container worker: about CrashLoopBackOff")]
    [InlineData(null, "ImagePullBackOff", "ImagePullBackOff of the container worker: about ImagePullBackOff")]
    public async Task A_pod_that_does_not_start_is_seen_and_said_once(string? unschedulable, string? waiting, string said)
    {
        cluster.Prepare = pod =>
        {
            (pod.Phase, pod.IsReady, pod.Unschedulable, pod.Waiting) = ("Pending", false, unschedulable, waiting);
            pod.Node = unschedulable is null ? "node-1" : null;
        };
        await launcher.StartAsync(1, default);
        for (var i = 0; i < 3; i++)
        {
            clock.Advance(TimeSpan.FromSeconds(5));
            (await launcher.ListAsync(default)).ShouldHaveSingleItem();
        }

        log.Lines.ShouldHaveSingleItem().ShouldBe($"The pod worker-7f9c-001 does not work: {said}");
    }

    [Fact]
    public async Task A_pod_that_has_ended_is_no_worker_and_one_that_somebody_told_to_is_until_it_has()
    {
        await launcher.StartAsync(3, default);
        (cluster.Pods[0].Phase, cluster.Pods[1].DeletedAt) = ("Failed", clock.GetUtcNow());
        var (ending, stays) = (cluster.Pods[1], cluster.Pods[2].Name);
        clock.Advance(TimeSpan.FromSeconds(5));

        (await launcher.ListAsync(default)).Select(w => w.Name).ShouldBe([ending.Name, stays], ignoreOrder: true);

        cluster.End(ending);
        clock.Advance(TimeSpan.FromSeconds(5));
        (await launcher.ListAsync(default)).ShouldHaveSingleItem().Name.ShouldBe(stays);
    }

    [Theory]
    [InlineData("GET /apis", "get", "deployments")]
    [InlineData("GET /api/", "list", "pods")]
    [InlineData("PATCH /apis", "patch", "deployments/scale")]
    [InlineData("PATCH /api/", "patch", "pods")]
    public async Task A_permission_that_lacks_is_named_by_verb_and_resource(string request, string verb, string resource)
    {
        await launcher.StartAsync(2, default);
        var worker = cluster.Up[0].Name;
        cluster.Refuses = r => r.StartsWith(request, StringComparison.Ordinal) ? (403, """{"kind":"Status","message":"forbidden"}""") : null;

        var refused = await Should.ThrowAsync<SpotterException>(() => launcher.StopAsync(worker, default));

        (refused.Code, refused.Message).ShouldBe((
            ErrorCodes.StoreUnavailable,
            $"Kubernetes lets Spotter not {verb} {resource} in the namespace 'spotter'; give its service account a Role with the verb '{verb}' on '{resource}' there (docs/scaling.md)."));
    }

    [Theory]
    [InlineData(401, "{}", "The API server of Kubernetes does not know the token; give the pod a service account, or correct the kubeconfig file.")]
    [InlineData(429, "{}", "The API server of Kubernetes takes no more requests at the moment; it is tried again.")]
    [InlineData(503, "down", "The API server of Kubernetes failed (503); it is tried again.")]
    [InlineData(422, """{"message":"spec.replicas: Invalid value."}""", "The API server of Kubernetes refused to get deployments (422: spec.replicas: Invalid value).")]
    [InlineData(302, "", "The API server of Kubernetes refused to get deployments (302).")]
    public async Task A_refusal_is_told_in_a_sentence(int status, string body, string sentence)
    {
        cluster.Refuses = _ => (status, body);

        (await Should.ThrowAsync<SpotterException>(() => launcher.ListAsync(default))).Message.ShouldBe(sentence);
    }

    [Fact]
    public async Task What_is_no_API_server_and_what_is_not_there_is_named()
    {
        cluster.Refuses = _ => (200, "<html>");
        (await Should.ThrowAsync<SpotterException>(() => launcher.ListAsync(default))).Message
            .ShouldBe($"What answered at {cluster.Address.GetLeftPart(UriPartial.Authority)} is no API server of Kubernetes; correct the address.");
        cluster.Refuses = _ => null;

        await using var wrong = new KubernetesLauncher(cluster.Deployment("nobody"), clock, log);
        (await Should.ThrowAsync<SpotterException>(() => wrong.ListAsync(default))).Message
            .ShouldBe("There is no Deployment 'nobody' in the namespace 'spotter'; make it, or correct deployment= or namespace= of the pool.");

        using var client = new ClusterClient(new ClusterAccess(new Uri("http://127.0.0.1:1"), "spotter", _ => Task.FromResult<string?>(null)));
        (await Should.ThrowAsync<SpotterException>(() => new WorkerDeployment(client, "spotter", "worker").PodsAsync(default))).Message
            .ShouldBe("The API server of Kubernetes at http://127.0.0.1:1 can't be reached (ConnectionRefused); it is tried again.");
    }

    [Fact]
    public async Task A_token_that_is_renewed_is_read_anew()
    {
        var token = "first";
        await using var renewed = new KubernetesLauncher(cluster.Deployment(token: _ => Task.FromResult<string?>(token)), clock, log);
        await renewed.ListAsync(default);
        token = "second";
        clock.Advance(TimeSpan.FromSeconds(5));
        await renewed.ListAsync(default);

        cluster.Tokens.ShouldBe(["Bearer first", "Bearer first", "Bearer second"]);
    }

    private sealed class Log : ILogger<KubernetesLauncher>
    {
        public ConcurrentQueue<string> Lines { get; } = new();

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        void ILogger.Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Lines.Enqueue(formatter(state, exception));
    }
}
