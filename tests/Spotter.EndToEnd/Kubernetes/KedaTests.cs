using System.Globalization;
using System.Net;
using System.Text.Json;
using Grpc.Core;
using Grpc.Net.Client;
using Spotter.Gateway.Keda.Protocol;
using Xunit.Abstractions;

namespace Spotter.EndToEnd.Kubernetes;

/// <summary>A gateway that starts nobody, asked by a client of gRPC in KEDA's place; workers are started as it says.</summary>
public sealed class KedaTests(ITestOutputHelper output) : IAsyncLifetime
{
    private const int Most = 3;
    private const int Jobs = 72;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    private static readonly Dictionary<string, string> Surroundings = new(StringComparer.Ordinal)
    {
        ["SPOTTER__WORKER__TOKEN"] = "0123456789abcdef0123456789abcdef",
        ["SPOTTER__LEASE__HEARTBEATSECONDS"] = "1",
    };

    private readonly TemporaryFolder folder = new();
    private readonly List<SpotterProcess> workers = [];
    private SpotterProcess gateway = null!;
    private SpotterApi api = null!;
    private GrpcChannel channel = null!;
    private ExternalScaler.ExternalScalerClient keda = null!;

    public async Task InitializeAsync()
    {
        // Jobs that take long enough to be stopped in the middle.
        var model = PatchModel.Write(folder.File("patches.onnx"), work: 100);
        string[] arguments = ["--keda-port", "0", "--max-workers", Most.ToString(CultureInfo.InvariantCulture), "--lanes", "1", "--linger", "0", "--target-drain", "1"];
        gateway = await SpotterProcess.StartAsync(folder.File("data"), model, arguments, Surroundings, command: "gateway");
        api = new SpotterApi(gateway.Address);
        channel = GrpcChannel.ForAddress(gateway.Output.Single(line => line.StartsWith("KEDA on ", StringComparison.Ordinal))["KEDA on ".Length..]);
        keda = new ExternalScaler.ExternalScalerClient(channel);
    }

    public async Task DisposeAsync()
    {
        channel.Dispose();
        api.Dispose();
        foreach (var process in workers.Prepend(gateway))
        {
            output.WriteLine(process.Log);
            await process.DisposeAsync();
        }
        folder.Dispose();
    }

    [Fact]
    public async Task It_scales_from_zero_and_back_by_the_policys_decisions_and_loses_nothing()
    {
        using var stream = keda.StreamIsActive(Asked());
        (await NextAsync(stream)).ShouldBeFalse();
        (await DesiredAsync()).ShouldBe(0);

        var active = NextAsync(stream);
        var ids = new List<string>();
        for (var i = 0; i < Jobs; i++)
            ids.Add(SpotterApi.IdOf((await api.SubmitAsync(Pictures.Png((byte)(100 + i)))).Json));
        (await active).ShouldBeTrue();

        // Two workers would take longer than a second for what waits.
        var desired = await Eventually.SeeAsync("KEDA is told what was decided", SeenAsync, seen => seen.Told == Most && seen.Told == seen.Decided && seen.Told == seen.Stats, Patience);
        desired.Reason.ShouldContain("backlog of");

        // As the horizontal pod autoscaler does; and as it does when it then wants fewer, it ends one that is busy.
        StartWorker();
        await Eventually.SeeAsync("the first worker is busy", api.StatsAsync, stats => stats.GetProperty("busy").GetInt32() > 0, Patience);
        for (var i = 1; i < desired.Told; i++)
            StartWorker();
        (await workers[0].TerminateAsync()).ShouldBe(0);
        StartWorker();

        foreach (var id in ids)
        {
            var job = await api.EndOfAsync(id, Patience);
            SpotterApi.StateOf(job).ShouldBe("succeeded", job.GetRawText());
            job.GetProperty("attempts").GetInt32().ShouldBe(1, "an end that was ordered costs no attempt");
        }
        (await NextAsync(stream)).ShouldBeFalse();
        (await DesiredAsync()).ShouldBe(0);
        (await api.StatsAsync()).GetProperty("desiredWorkers").GetInt32().ShouldBe(0);
        foreach (var worker in workers.Skip(1))
            (await worker.TerminateAsync()).ShouldBe(0, "nobody else has told it to end");
    }

    [Fact]
    public async Task A_gateway_that_begins_again_does_not_seem_to_want_nobody_and_mistakes_are_told()
    {
        var unknown = await Should.ThrowAsync<RpcException>(async () => await keda.GetMetricsAsync(new GetMetricsRequest { ScaledObjectRef = Asked() }));
        unknown.StatusCode.ShouldBe(StatusCode.Unavailable);
        var none = await Should.ThrowAsync<RpcException>(async () => await keda.IsActiveAsync(Asked("nobody")));
        (none.StatusCode, none.Status.Detail).ShouldBe((StatusCode.NotFound, "There is no pool 'nobody' here; there is default."));

        using var client = new HttpClient();
        (await client.GetAsync(new Uri(gateway.Address, "/externalscaler.ExternalScaler/IsActive"))).StatusCode.ShouldBe(HttpStatusCode.NotFound, "it is on its own port only");
    }

    private void StartWorker() => workers.Add(SpotterProcess.StartJoining(
        gateway.Address, ["worker", "--data", folder.File("data-of-workers"), "--model", folder.File("patches.onnx"), "--lanes", "1"], Surroundings));

    private static ScaledObjectRef Asked(string pool = "default") => new() { Name = "workers", Namespace = "spotter", ScalerMetadata = { ["pool"] = pool } };

    private static async Task<bool> NextAsync(AsyncServerStreamingCall<IsActiveResponse> stream)
    {
        (await stream.ResponseStream.MoveNext(default).WaitAsync(Patience)).ShouldBeTrue("the stream ended");
        return stream.ResponseStream.Current.Result;
    }

    private async Task<int> DesiredAsync()
    {
        var spec = (await keda.GetMetricSpecAsync(Asked())).MetricSpecs.ShouldHaveSingleItem();
        var value = (await keda.GetMetricsAsync(new GetMetricsRequest { ScaledObjectRef = Asked(), MetricName = spec.MetricName })).MetricValues.ShouldHaveSingleItem();
        return (int)Math.Ceiling(value.MetricValueFloat / spec.TargetSizeFloat);
    }

    private async Task<(int Told, int Decided, int Stats, string Reason)> SeenAsync()
    {
        var decision = (await api.GetAsync("/v1/scaling/decisions?limit=1")).Json.GetProperty("decisions").EnumerateArray().Select(d => d.GetProperty("decision")).FirstOrDefault();
        var decided = decision.ValueKind == JsonValueKind.Object ? decision.GetProperty("target").GetInt32() : -1;
        return (await DesiredAsync(), decided, (await api.StatsAsync()).GetProperty("desiredWorkers").GetInt32(), decided < 0 ? "" : decision.GetProperty("reason").GetString()!);
    }
}
