using Google.Protobuf.Reflection;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.Extensions.Logging.Abstractions;
using Spotter.Core;
using Spotter.Gateway;
using Spotter.Gateway.Keda;
using Spotter.Gateway.Keda.Protocol;
using Spotter.Jobs;
using Spotter.Scaling;
using Spotter.Tests.Fleets;

namespace Spotter.Tests.Gateway.Keda;

/// <summary>KEDA's external scaler, asked by a client of gRPC as KEDA's operator does.</summary>
public sealed class KedaServerTests : IAsyncLifetime
{
    private static readonly TimeSpan Safety = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Rejoin = TimeSpan.FromSeconds(15);

    private readonly ManualClock clock = new();
    private readonly WorkerRoster roster;
    private readonly ObservedFleet fast;
    private readonly ObservedFleet usual;
    private readonly FleetController own;
    private readonly List<GrpcChannel> channels = [];
    private KedaServer server = null!;

    public KedaServerTests()
    {
        roster = new WorkerRoster(clock);
        (fast, usual) = (new ObservedFleet(roster, Rejoin, clock), new ObservedFleet(roster, Rejoin, clock));
        own = new FleetController(new MemoryLauncher(clock), roster, _ => Task.FromResult(default(LostLeases)), clock, NullLogger<FleetController>.Instance);
    }

    public async Task InitializeAsync()
    {
        server = await StartAsync(Observed("default", usual), Observed("fast", fast), new WorkerPool("own", 1, own));
        foreach (var fleet in (ObservedFleet[])[fast, usual])
        {
            await fleet.TendAsync(default);
            clock.Advance(Rejoin);
            await fleet.TendAsync(default);
        }
    }

    public async Task DisposeAsync()
    {
        channels.ForEach(c => c.Dispose());
        await StopAsync(server);
    }

    [Fact]
    public async Task The_metric_is_what_the_pool_wants_with_a_target_of_one()
    {
        await usual.LaunchAsync(7, default);
        var keda = Client();

        var spec = (await keda.GetMetricSpecAsync(Asked())).MetricSpecs.ShouldHaveSingleItem();
        (spec.MetricName, spec.TargetSize, spec.TargetSizeFloat).ShouldBe(("desired-workers", 1, 1.0));
        var value = (await keda.GetMetricsAsync(new GetMetricsRequest { ScaledObjectRef = Asked(), MetricName = spec.MetricName })).MetricValues.ShouldHaveSingleItem();
        (value.MetricName, value.MetricValue_, value.MetricValueFloat).ShouldBe(("desired-workers", 7, 7.0));
        Math.Ceiling(value.MetricValueFloat / spec.TargetSizeFloat).ShouldBe(7);
        (await keda.IsActiveAsync(Asked())).Result.ShouldBeTrue();

        (await keda.IsActiveAsync(Asked("fast"))).Result.ShouldBeFalse();
        (await keda.GetMetricsAsync(new GetMetricsRequest { ScaledObjectRef = Asked("fast") })).MetricValues.Single().MetricValue_.ShouldBe(0);
    }

    [Theory]
    [InlineData("nobody", StatusCode.NotFound, "There is no pool 'nobody' here; there is default, fast, own.")]
    [InlineData(" ", StatusCode.InvalidArgument, "The trigger's metadata have an empty pool; name one of default, fast, own, or leave it out.")]
    [InlineData("own", StatusCode.FailedPrecondition, "Spotter starts the workers of the pool 'own' itself; give it launcher=keda to have KEDA start them.")]
    public async Task A_mistake_in_the_metadata_is_told_in_a_sentence_by_every_call(string pool, StatusCode code, string sentence)
    {
        var keda = Client();

        foreach (var call in (Func<Task>[])
        [
            async () => await keda.IsActiveAsync(Asked(pool)),
            async () => await keda.GetMetricSpecAsync(Asked(pool)),
            async () => await keda.GetMetricsAsync(new GetMetricsRequest { ScaledObjectRef = Asked(pool) }),
            async () => await keda.StreamIsActive(Asked(pool)).ResponseStream.MoveNext(),
        ])
        {
            var refused = await Should.ThrowAsync<RpcException>(call);
            (refused.StatusCode, refused.Status.Detail).ShouldBe((code, sentence));
        }
    }

    [Fact]
    public async Task Other_metrics_and_no_reference_are_refused()
    {
        var keda = Client();

        (await Should.ThrowAsync<RpcException>(async () => await keda.GetMetricsAsync(new GetMetricsRequest { ScaledObjectRef = Asked(), MetricName = "s0-cpu" })))
            .Status.ShouldBe(new Status(StatusCode.NotFound, "There is no metric 's0-cpu' here; there is desired-workers."));
        (await Should.ThrowAsync<RpcException>(async () => await keda.GetMetricsAsync(new GetMetricsRequest()))).StatusCode.ShouldBe(StatusCode.InvalidArgument);
    }

    [Fact]
    public async Task The_only_pool_needs_no_name_and_of_several_one_has_to_be_named()
    {
        var one = await StartAsync(Observed("fast", fast));
        var two = await StartAsync(Observed("fast", fast), Observed("slow", usual));
        try
        {
            (await Client(one).IsActiveAsync(Asked())).Result.ShouldBeFalse();
            (await Should.ThrowAsync<RpcException>(async () => await Client(two).IsActiveAsync(Asked())))
                .Status.ShouldBe(new Status(StatusCode.InvalidArgument, "The trigger's metadata name no pool, and there are several; name one of fast, slow."));
        }
        finally
        {
            await StopAsync(one);
            await StopAsync(two);
        }
    }

    [Fact]
    public async Task A_stream_tells_at_once_that_there_is_to_be_a_worker_and_when_there_is_to_be_none()
    {
        using var stream = Client().StreamIsActive(Asked());
        (await NextAsync(stream)).ShouldBe(false);

        var next = NextAsync(stream);
        await usual.LaunchAsync(2, default);
        (await next).ShouldBe(true);

        next = NextAsync(stream);
        foreach (var worker in usual.List())
            await usual.DrainAsync(worker.Id, default);
        (await next).ShouldBe(false);

        next = NextAsync(stream);
        await usual.LaunchAsync(1, default);
        (await next).ShouldBe(true);
    }

    [Fact]
    public async Task What_is_unknown_is_told_as_such_and_never_as_zero()
    {
        await usual.LaunchAsync(2, default);
        await usual.TendAsync(default, ControllerRole.Unknown);
        var keda = Client();

        var unknown = await Should.ThrowAsync<RpcException>(async () => await keda.GetMetricsAsync(new GetMetricsRequest { ScaledObjectRef = Asked() }));
        (unknown.StatusCode, unknown.Status.Detail).ShouldBe((StatusCode.Unavailable, "The store does not say which gateway scales this pool; ask again in some seconds."));
        (await Should.ThrowAsync<RpcException>(async () => await keda.IsActiveAsync(Asked()))).StatusCode.ShouldBe(StatusCode.Unavailable);

        using var stream = keda.StreamIsActive(Asked());
        var next = NextAsync(stream);
        await usual.TendAsync(default);
        await usual.LaunchAsync(1, default);
        (await next).ShouldBe(true, "where something waits there is to be a worker, however many there are");
        (await Should.ThrowAsync<RpcException>(async () => await keda.GetMetricsAsync(new GetMetricsRequest { ScaledObjectRef = Asked() }))).Status.Detail.ShouldContain("waits for its workers to join");
    }

    [Fact]
    public async Task A_gateway_that_stands_by_ends_the_stream_and_the_connection()
    {
        using var handler = new SocketsHttpHandler();
        var connections = 0;
        handler.PlaintextStreamFilter = (context, _) =>
        {
            Interlocked.Increment(ref connections);
            return ValueTask.FromResult(context.PlaintextStream);
        };
        var channel = GrpcChannel.ForAddress(server.Address!, new GrpcChannelOptions { HttpHandler = handler });
        channels.Add(channel);
        var keda = new ExternalScaler.ExternalScalerClient(channel);
        using var stream = keda.StreamIsActive(Asked());
        (await NextAsync(stream)).ShouldBe(false);
        connections.ShouldBe(1);

        await usual.TendAsync(default, ControllerRole.Standby);

        (await NextAsync(stream)).ShouldBeNull("KEDA asks again soon after a stream that ended well");
        var refused = await Should.ThrowAsync<RpcException>(async () => await keda.GetMetricsAsync(new GetMetricsRequest { ScaledObjectRef = Asked() }));
        (refused.StatusCode, refused.Status.Detail).ShouldBe((StatusCode.Unavailable, "Another gateway scales this pool; ask again over a new connection, until that one answers."));
        (await keda.IsActiveAsync(Asked("fast"))).Result.ShouldBeFalse();
        connections.ShouldBeGreaterThan(1, "a load balancer may give the next one to the gateway that scales");
    }

    [Fact]
    public async Task Streams_keep_the_service_from_nothing_when_it_ends()
    {
        using var stream = Client().StreamIsActive(Asked());
        (await NextAsync(stream)).ShouldBe(false);

        await server.StopAsync(default).WaitAsync(TimeSpan.FromSeconds(20));

        (await NextAsync(stream)).ShouldBeNull();
    }

    [Fact]
    public async Task Nothing_else_is_behind_the_port_and_without_one_there_is_none()
    {
        using var http = new HttpClient { BaseAddress = server.Address, DefaultRequestVersion = new Version(2, 0), DefaultVersionPolicy = System.Net.Http.HttpVersionPolicy.RequestVersionExact };
        foreach (var path in (string[])["/", "/v1/jobs", "/v1/stats", "/metrics", "/healthz"])
            (await http.GetAsync(new Uri(path, UriKind.Relative))).StatusCode.ShouldBe(System.Net.HttpStatusCode.NotFound);

        await using var none = new KedaServer(new GatewaySettings { WorkerToken = "" }, () => throw new InvalidOperationException(), NullLoggerFactory.Instance);
        await none.StartAsync(default);
        none.Address.ShouldBeNull();
    }

    [Fact]
    public async Task A_port_that_is_taken_is_named()
    {
        await using var second = new KedaServer(Settings(server.Address!.Port), () => new WorkerPools([], roster), NullLoggerFactory.Instance);

        var refused = await Should.ThrowAsync<SpotterException>(() => second.StartAsync(default));

        (refused.Code, refused.Message).ShouldBe(
            (ErrorCodes.InvalidSettings, $"Port {server.Address!.Port} on 127.0.0.1 is in use; end what listens there, or choose another port with --keda-port."));
    }

    /// <summary>What KEDA sends and reads, by number: whoever changes one of these talks to nobody.</summary>
    [Fact]
    public void The_numbers_are_KEDAs()
    {
        var file = ExternalscalerReflection.Descriptor;
        file.Package.ShouldBe("externalscaler");
        file.Services.ShouldHaveSingleItem().Methods.Select(m => $"{m.Name}({m.InputType.Name}) {(m.IsServerStreaming ? "stream " : "")}{m.OutputType.Name}").ShouldBe(
        [
            "IsActive(ScaledObjectRef) IsActiveResponse", "StreamIsActive(ScaledObjectRef) stream IsActiveResponse",
            "GetMetricSpec(ScaledObjectRef) GetMetricSpecResponse", "GetMetrics(GetMetricsRequest) GetMetricsResponse",
        ]);
        file.MessageTypes.SelectMany(m => m.Fields.InFieldNumberOrder().Select(f => $"{m.Name} {f.FieldNumber} {(f.IsMap ? "map" : f.IsRepeated ? "repeated" : "one")} {f.FieldType} {f.Name}")).ShouldBe(
        [
            "ScaledObjectRef 1 one String name", "ScaledObjectRef 2 one String namespace", "ScaledObjectRef 3 map Message scalerMetadata",
            "IsActiveResponse 1 one Bool result", "GetMetricSpecResponse 1 repeated Message metricSpecs",
            "MetricSpec 1 one String metricName", "MetricSpec 2 one Int64 targetSize", "MetricSpec 3 one Double targetSizeFloat",
            "GetMetricsRequest 1 one Message scaledObjectRef", "GetMetricsRequest 2 one String metricName", "GetMetricsResponse 1 repeated Message metricValues",
            "MetricValue 1 one String metricName", "MetricValue 2 one Int64 metricValue", "MetricValue 3 one Double metricValueFloat",
        ]);
        file.FindTypeByName<MessageDescriptor>("ScaledObjectRef").FindFieldByNumber(3).MessageType.Fields.InFieldNumberOrder().ShouldAllBe(f => f.FieldType == FieldType.String);
    }

    private static WorkerPool Observed(string name, ObservedFleet fleet) => new(name, 10, fleet) { Desired = fleet.Desired };

    private static GatewaySettings Settings(int port) => new() { WorkerToken = "", KedaPort = port };

    private async Task<KedaServer> StartAsync(params WorkerPool[] pools)
    {
        var started = new KedaServer(Settings(0), () => new WorkerPools(pools, roster), NullLoggerFactory.Instance);
        await started.StartAsync(default);
        return started;
    }

    private static async Task StopAsync(KedaServer started)
    {
        await started.StopAsync(default);
        await started.DisposeAsync();
    }

    private ExternalScaler.ExternalScalerClient Client(KedaServer? of = null)
    {
        var channel = GrpcChannel.ForAddress((of ?? server).Address!);
        channels.Add(channel);
        return new ExternalScaler.ExternalScalerClient(channel);
    }

    private static ScaledObjectRef Asked(string? pool = null)
    {
        var asked = new ScaledObjectRef { Name = "workers", Namespace = "spotter", ScalerMetadata = { ["scalerAddress"] = "gateway:9090" } };
        if (pool is not null)
            asked.ScalerMetadata["pool"] = pool;
        return asked;
    }

    /// <summary>What is told next; null when the stream ends well.</summary>
    private static async Task<bool?> NextAsync(AsyncServerStreamingCall<IsActiveResponse> stream) =>
        await stream.ResponseStream.MoveNext(default).WaitAsync(Safety) ? stream.ResponseStream.Current.Result : null;
}
