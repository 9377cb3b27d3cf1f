using System.Net;
using System.Text.Json;
using Spotter.Tests.Http;
using Spotter.Tests.Worker;
using Xunit.Abstractions;

namespace Spotter.EndToEnd.Aws;

/// <summary>A service that scales an Auto Scaling group, whose instances are worker processes here.</summary>
public sealed class AutoScalingTests(ITestOutputHelper output) : IAsyncLifetime
{
    private const int Jobs = 60;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    private readonly TemporaryFolder folder = new();
    private MotoServer moto = null!;
    private MotoGroup group = null!;
    private string model = "";

    public async Task InitializeAsync()
    {
        if (MotoServer.Missing is not null)
            return;
        moto = await MotoServer.StartAsync();
        await moto.MakeBucketAsync("pictures");
        group = new MotoGroup(moto);
        await group.MakeAsync(max: 2);
        model = PatchModel.Write(folder.File("patches.onnx"), work: 20);
    }

    public async Task DisposeAsync()
    {
        if (MotoServer.Missing is null)
        {
            group.Dispose();
            await moto.DisposeAsync();
        }
        folder.Dispose();
    }

    [MotoFact]
    public async Task A_burst_brings_instances_up_from_zero_and_they_go_when_it_is_over_without_cutting_a_job_off()
    {
        await using var service = await StartAsync("serve", Scaling());
        await using var machines = new GroupMachines(group, instance => StartWorker(service.Address, instance));
        try
        {
            using var api = new SpotterApi(service.Address);

            await EndInOneAttemptAsync(api, await SubmitAsync(api, Jobs));

            machines.Most.ShouldBeGreaterThan(0);
            await EndEmptyAsync(machines);
            (await service.TerminateAsync()).ShouldBe(0);
        }
        finally
        {
            output.WriteLine(service.Log);
            output.WriteLine(machines.Log);
        }
    }

    [MotoFact]
    public async Task A_spot_instance_that_is_taken_back_gives_its_job_back_at_no_cost()
    {
        // Each takes some seconds, so that one runs when the notice comes.
        model = PatchModel.Write(folder.File("slow.onnx"), work: 1000);
        await using var metadata = await MetadataService.StartAsync();
        await using var service = await StartAsync("serve", Scaling(max: 1));
        string? spot = null;
        await using var machines = new GroupMachines(group, instance => StartWorker(service.Address, instance, (spot ??= instance) == instance ? metadata.Address : null));
        try
        {
            using var api = new SpotterApi(service.Address);
            var ids = await SubmitAsync(api, 4);
            await Eventually.SeeAsync("its worker runs one", () => api.ListAsync("&state=running"), running => running.Count > 0, Patience);

            // No time is left to finish anything.
            metadata.Interrupt(TimeProvider.System.GetUtcNow().AddSeconds(15));

            (await machines.All[spot!].ExitAsync()).ShouldBe(0);
            var jobs = await EndInOneAttemptAsync(api, ids);
            jobs.Count(j => j.GetProperty("history").GetRawText().Contains("machine was taken away", StringComparison.Ordinal)).ShouldBeInRange(1, 2, "the one that ran, and perhaps the next");
            machines.All.Count.ShouldBeGreaterThan(1, "another took its place");
            await EndEmptyAsync(machines);
        }
        finally
        {
            output.WriteLine(service.Log);
            output.WriteLine(machines.Log);
        }
    }

    [MotoFact]
    public async Task When_the_gateway_that_scales_is_killed_its_workers_go_on_with_another()
    {
        model = PatchModel.Write(folder.File("slow.onnx"), work: 400);
        await using var first = await StartAsync("serve", Scaling(), "first");
        await using var second = await StartAsync("serve", Scaling(), "second");
        SpotterProcess[] gateways = [first, second];
        await using var balancer = await StickyBalancer.StartAsync(first.Address, second.Address);
        await using var machines = new GroupMachines(group, instance => StartWorker(balancer.Address, instance));
        try
        {
            using var api = new SpotterApi(first.Address);
            using var other = new SpotterApi(second.Address);
            var ids = await SubmitAsync(api, 20);
            string? beat = null;
            await Eventually.BeAsync("a worker has joined", () => (beat = balancer.Seen.FirstOrDefault(s => s.EndsWith("/heartbeat 200", StringComparison.Ordinal))) is not null, Patience);
            var (active, left) = beat![0] == '0' ? (first, other) : (second, api);

            await active.KillAsync();

            foreach (var id in ids)
                SpotterApi.StateOf(await left.EndOfAsync(id, Patience)).ShouldBe("succeeded");
            await EndEmptyAsync(machines);
            machines.All.Count.ShouldBeLessThanOrEqualTo(2, "none was replaced");
        }
        finally
        {
            output.WriteLine(string.Join("\n\n", gateways.Select(g => g.Log)));
            output.WriteLine(machines.Log);
        }
    }

    [MotoFact]
    public async Task A_group_that_scales_itself_finds_the_backlog_in_cloudwatch()
    {
        const int Queued = 7;
        await using var service = await StartAsync("gateway", new(StringComparer.Ordinal)
        {
            ["SPOTTER__PUBLISH__TO"] = "cloudwatch",
            ["SPOTTER__PUBLISH__NAMESPACE"] = "Spotter",
            ["SPOTTER__PUBLISH__DIMENSIONS"] = $"AutoScalingGroupName={MotoGroup.Name}",
            ["SPOTTER__PUBLISH__GROUP"] = MotoGroup.Name,
            ["SPOTTER__PUBLISH__INTERVALSECONDS"] = "1",
        });
        using var api = new SpotterApi(service.Address);
        await SubmitAsync(api, Queued);

        await Eventually.SeeAsync("the backlog is published", () => group.MaximumAsync("BacklogPerInstance"), max => max == Queued, Patience);

        (await group.MaximumAsync("QueuedJobs")).ShouldBe(Queued);
        (await group.MaximumAsync("DesiredInstances")).ShouldBe(0);
        (await group.MetricsAsync()).Distinct(StringComparer.Ordinal).ShouldBe(
            "BacklogPerInstance DesiredInstances OldestJobAge QueuedJobs RunningJobs".Split(' ').Select(m => $"Spotter/{m} AutoScalingGroupName={MotoGroup.Name}"));
    }

    private static Dictionary<string, string> Scaling(int max = 2) => new(StringComparer.Ordinal)
    {
        ["SPOTTER__POOLS__WORKERS__LAUNCHER"] = "autoscaling",
        ["SPOTTER__POOLS__WORKERS__GROUP"] = MotoGroup.Name,
        ["SPOTTER__POOLS__WORKERS__MAX"] = $"{max}",
        ["SPOTTER__POOLS__WORKERS__LANES"] = "1",
        ["SPOTTER__SCALING__LINGERSECONDS"] = "1",
    };

    private static async Task<IReadOnlyList<JsonElement>> EndInOneAttemptAsync(SpotterApi api, IEnumerable<string> ids)
    {
        var jobs = new List<JsonElement>();
        foreach (var id in ids)
        {
            var job = await api.EndOfAsync(id, Patience);
            SpotterApi.StateOf(job).ShouldBe("succeeded", job.GetRawText());
            job.GetProperty("attempts").GetInt32().ShouldBe(1, job.GetRawText());
            jobs.Add(job);
        }
        return jobs;
    }

    private async Task EndEmptyAsync(GroupMachines machines)
    {
        await Eventually.SeeAsync("the group is empty", group.DescribeAsync, g => g.Desired == 0 && g.Instances.Count == 0, Patience);
        machines.CutOff.ShouldBeEmpty("each was drained first");
        foreach (var (instance, worker) in machines.All)
            (await worker.ExitAsync()).ShouldBe(0, instance);
    }

    private Task<SpotterProcess> StartAsync(string command, Dictionary<string, string> settings, string data = "data")
    {
        settings["SPOTTER__WORKER__TOKEN"] = "0123456789abcdef0123456789abcdef";
        settings["AWS_REGION"] = MotoGroup.Region;
        settings["AWS_ENDPOINT_URL"] = moto.Address.ToString();
        foreach (var (name, value) in MotoServer.Credentials)
            settings[name] = value;
        return SpotterProcess.StartAsync(
            folder.File(data), model, ["--backend", "aws", "--aws-create", "--aws-endpoint", moto.Address.ToString(), "--blobs", "s3://pictures", "--s3-endpoint", moto.Address.ToString()],
            settings, command: command);
    }

    private SpotterProcess StartWorker(Uri server, string instance, Uri? metadata = null)
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["SPOTTER__WORKER__TOKEN"] = "0123456789abcdef0123456789abcdef",
            ["SPOTTER__WORKER__NAME"] = instance,
            ["SPOTTER__MODELS"] = model,
        };
        if (metadata is not null)
            (settings["SPOTTER__WORKER__MACHINE"], settings["AWS_EC2_METADATA_SERVICE_ENDPOINT"]) = ("ec2", metadata.ToString());
        return SpotterProcess.StartWorker(server, folder.File(instance), settings);
    }

    private static async Task<IReadOnlyList<string>> SubmitAsync(SpotterApi api, int count)
    {
        var ids = new List<string>();
        for (var i = 0; i < count; i++)
        {
            var answer = await api.SubmitAsync(Pictures.Png((byte)(50 + i)));
            answer.Status.ShouldBe(HttpStatusCode.Accepted, answer.Text);
            ids.Add(SpotterApi.IdOf(answer.Json));
        }
        return ids;
    }
}
