using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Spotter.Tests.Webhooks;

namespace Spotter.EndToEnd.Faults;

/// <summary>What code in a picture or a model could do, were it to take over the process that reads it.</summary>
public sealed class SandboxTests
{
    private const string Secret = "a-secret-that-nobody-may-see-0123456789";

    private static readonly Dictionary<string, string> Secrets = new(StringComparer.Ordinal)
    {
        ["SPOTTER__WORKER__TOKEN"] = Secret + "-token",
        ["AWS_SECRET_ACCESS_KEY"] = Secret + "-aws",
        ["PGPASSWORD"] = Secret + "-postgres",
        ["SPOTTER_KEY"] = Secret + "-key",
        ["SPOTTER__WEBHOOKS__SECRET"] = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
    };

    [LinuxFact]
    public async Task A_model_that_workers_may_not_read_has_others_started_that_may()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder.File("data/models"));
        Directory.CreateDirectory(folder.File("elsewhere"));
        PatchModel.Write(folder.File("data/models/first.onnx"));
        await using var service = await SpotterProcess.StartAsync(folder.File("data"), model: null, ["--min-workers", "1", "--max-workers", "1"], new Dictionary<string, string>(StringComparer.Ordinal) { ["SPOTTER_STARTER"] = "" });
        using var api = new SpotterApi(service.Address);
        SpotterApi.StateOf(await api.RunAsync(Pictures.Png(90), Part.Field("model", "first"))).ShouldBe("succeeded");

        File.CreateSymbolicLink(folder.File("data/models/linked.onnx"), PatchModel.Write(folder.File("elsewhere/linked.onnx")));

        await Eventually.SeeAsync("it is found", async () => (await api.GetAsync("/v1/models")).Json.GetRawText(), models => models.Contains("\"linked\"", StringComparison.Ordinal));
        SpotterApi.StateOf(await api.RunAsync(Pictures.Png(91), Part.Field("model", "linked"))).ShouldBe("succeeded");
        SpotterApi.StateOf(await api.RunAsync(Pictures.Png(92), Part.Field("model", "first"))).ShouldBe("succeeded");
    }

    [LinuxFact]
    public async Task A_worker_reaches_nothing_but_its_gateway_and_its_scratch_folder()
    {
        using var folder = new TemporaryFolder();
        using var foreign = new TcpListener(IPAddress.Loopback, 0);
        foreign.Start();
        var port = ((IPEndPoint)foreign.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture);
        var data = folder.File("data");
        var written = folder.File("escaped");
        var home = Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), $".spotter-test-{Path.GetFileName(folder.Path)}");
        string[] attempts =
        [
            "exec /bin/true", $"write {written}", $"write {home}", $"write {Path.Combine(data, "keys.json")}", $"read {Path.Combine(data, "spotter.db")}",
            $"read {Path.Combine(data, "webhook.key")}", "read /etc/shadow", $"get http://127.0.0.1:{port}/",
        ];
        var model = PatchModel.Write(folder.File("patches.onnx"));
        await using var endpoint = await WebhookEndpoint.StartAsync();
        await using var service = await SpotterProcess.StartAsync(
            data, model, ["--min-workers", "1", "--max-workers", "1", "--callback-allow", "127.0.0.1"],
            new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["SPOTTER_FAILPOINT"] = "model-loading=escape@1",
                ["SPOTTER_FAILPOINT_ESCAPE"] = string.Join('|', [.. attempts, $"write {Path.Combine(data, "scratch", "own")}", $"read {model}"]),
            });
        using var api = new SpotterApi(service.Address);

        await Eventually.BeAsync("the attempts were made", () => service.Log.Contains("escape: end", StringComparison.Ordinal));

        foreach (var attempt in attempts)
            service.Log.ShouldContain($"escape: {attempt}: refused (");
        service.Log.ShouldContain("own: done");
        service.Log.ShouldContain($"escape: read {model}: done");
        File.Exists(written).ShouldBeFalse();
        File.Exists(home).ShouldBeFalse();
        foreign.Pending().ShouldBeFalse("the worker connected elsewhere");
        // And does its work all the same, while the gateway reaches whom it has to.
        var answer = await api.SubmitAsync([Part.Image(Pictures.Png(90)), Part.Field("annotate", "true"), Part.Field("callback", endpoint.Url)]);
        await Eventually.SeeAsync("the picture was worked on", () => api.JobAsync(SpotterApi.IdOf(answer.Json)), j => SpotterApi.StateOf(j) == "succeeded");
        await endpoint.NextAsync();
    }

    [LinuxFact]
    public async Task A_worker_has_no_secret_in_its_environment_and_the_rights_that_it_gave_up_stay_gone()
    {
        using var folder = new TemporaryFolder();
        await using var service = await SpotterProcess.StartAsync(folder.File("data"), PatchModel.Write(folder.File("patches.onnx")), ["--min-workers", "1", "--max-workers", "1"], Secrets);
        using var api = new SpotterApi(service.Address);
        SpotterApi.StateOf(await api.RunAsync(Pictures.Png(90))).ShouldBe("succeeded");
        var worker = service.Workers().ShouldHaveSingleItem();

        var environment = await File.ReadAllTextAsync($"/proc/{worker}/environ");
        var hidden = Secrets.Values.Where(secret => environment.Contains(secret, StringComparison.Ordinal)).Count();
        var shown = string.Join(' ', Processes.ArgumentsOf(worker));

        hidden.ShouldBe(0, "a secret is in a worker's environment");
        shown.ShouldNotContain(Secret);
        foreach (var task in Directory.GetDirectories($"/proc/{worker}/task"))
        {
            var status = await File.ReadAllTextAsync(Path.Combine(task, "status"));
            status.ShouldContain("NoNewPrivs:\t1");
            status.ShouldContain("Seccomp:\t2");
            // Of what root may do, reading files whatever their mode, at most.
            status.ShouldMatch(@"CapPrm:\t0{15}[0246]\nCapEff:\t0{15}[0246]\n");
        }
    }

    [LinuxFact]
    public async Task Without_the_sandbox_the_same_attempts_succeed_and_the_log_says_that_there_is_none()
    {
        using var folder = new TemporaryFolder();
        var written = folder.File("escaped");
        await using var service = await SpotterProcess.StartAsync(
            folder.File("data"), PatchModel.Write(folder.File("patches.onnx")), ["--min-workers", "1", "--max-workers", "1", "--no-sandbox"],
            new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["SPOTTER_FAILPOINT"] = "model-loading=escape@1",
                ["SPOTTER_FAILPOINT_ESCAPE"] = $"exec /bin/true|write {written}",
            });

        await Eventually.BeAsync("the attempts were made", () => service.Log.Contains("escape: end", StringComparison.Ordinal));

        service.Log.ShouldContain("escape: exec /bin/true: done");
        File.Exists(written).ShouldBeTrue();
        service.Log.ShouldContain("Workers run without a sandbox");
    }
}
