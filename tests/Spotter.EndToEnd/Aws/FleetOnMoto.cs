using System.Net;
using System.Text.Json;

namespace Spotter.EndToEnd.Aws;

/// <summary>Gateways on moto, and workers that join them as the machines do that they launch there.</summary>
internal sealed class FleetOnMoto : IAsyncDisposable
{
    /// <summary>For what takes as long as jobs and the boots of twenty processes do, beside whatever else the machine has to do.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private const string Token = "0123456789abcdef0123456789abcdef";

    private readonly TemporaryFolder folder = new();
    private string model = "";

    private FleetOnMoto(MotoServer moto) => Moto = moto;

    public MotoServer Moto { get; }

    /// <summary>Starts moto, with a bucket.</summary>
    public static async Task<FleetOnMoto> StartAsync()
    {
        var fleet = new FleetOnMoto(await MotoServer.StartAsync());
        await fleet.Moto.MakeBucketAsync("pictures");
        fleet.Work(20);
        return fleet;
    }

    /// <summary>What the model of those started from now on has to do for each picture.</summary>
    public void Work(int work) => model = PatchModel.Write(folder.File($"work{work}.onnx"), work);

    /// <summary>Starts a gateway.</summary>
    /// <param name="command">Its command.</param>
    /// <param name="settings">What it is set to.</param>
    /// <param name="data">The name of its data folder.</param>
    /// <param name="port">Where it listens; 0 for any free port.</param>
    public Task<SpotterProcess> StartAsync(string command, Dictionary<string, string> settings, string data = "data", int port = 0)
    {
        settings["SPOTTER__WORKER__TOKEN"] = Token;
        settings["AWS_REGION"] = MotoQuery.Region;
        settings["AWS_ENDPOINT_URL"] = Moto.Address.ToString();
        foreach (var (name, value) in MotoServer.Credentials)
            settings[name] = value;
        return SpotterProcess.StartAsync(
            folder.File(data), model, ["--backend", "aws", "--aws-create", "--aws-endpoint", Moto.Address.ToString(), "--blobs", "s3://pictures", "--s3-endpoint", Moto.Address.ToString()],
            settings, port, command);
    }

    /// <summary>Starts the worker of an instance.</summary>
    public SpotterProcess StartWorker(Uri server, string instance, Uri? metadata = null)
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["SPOTTER__WORKER__TOKEN"] = Token,
            ["SPOTTER__WORKER__NAME"] = instance,
            ["SPOTTER__MODELS"] = model,
        };
        if (metadata is not null)
            (settings["SPOTTER__WORKER__MACHINE"], settings["AWS_EC2_METADATA_SERVICE_ENDPOINT"]) = ("ec2", metadata.ToString());
        return SpotterProcess.StartWorker(server, folder.File(instance), settings);
    }

    /// <summary>Submits jobs, each with another picture; their ids.</summary>
    public static async Task<IReadOnlyList<string>> SubmitAsync(SpotterApi api, int count, int firstLevel = 50)
    {
        var ids = new List<string>();
        foreach (var levels in Enumerable.Range(firstLevel, count).Chunk(8))
        {
            foreach (var answer in await Task.WhenAll(levels.Select(level => api.SubmitAsync(Pictures.Png((byte)level)))))
            {
                answer.Status.ShouldBe(HttpStatusCode.Accepted, answer.Text);
                ids.Add(SpotterApi.IdOf(answer.Json));
            }
        }
        return ids;
    }

    /// <summary>Waits until all have succeeded, each in its first attempt.</summary>
    public static async Task<IReadOnlyList<JsonElement>> EndInOneAttemptAsync(SpotterApi api, IEnumerable<string> ids)
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

    public async ValueTask DisposeAsync()
    {
        await Moto.DisposeAsync();
        folder.Dispose();
    }
}
