using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.RegularExpressions;
using Spotter.Tests.Webhooks;
using Xunit.Abstractions;

namespace Spotter.EndToEnd.Monitoring;

/// <summary>A real Prometheus reads a real service with the configuration, the rules and the queries that come with it.</summary>
public sealed partial class PrometheusTests(ITestOutputHelper output) : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);
    private static readonly string Monitoring = Path.Combine(SharedFiles.Repository, "deploy", "monitoring");

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [PrometheusFact]
    public async Task Rules_are_valid_and_do_what_their_tests_say()
    {
        await PromtoolAsync("check", "config", "--syntax-only", Path.Combine(Monitoring, "prometheus.yaml"));
        await PromtoolAsync("check", "rules", Path.Combine(Monitoring, "rules.yaml"));
        await PromtoolAsync("test", "rules", Path.Combine(Monitoring, "rules.test.yaml"));
    }

    [PrometheusFact]
    public async Task Each_query_of_the_dashboard_and_of_the_rules_finds_what_it_asks_for()
    {
        await using var hook = await WebhookEndpoint.StartAsync((http, number) =>
        {
            http.Response.StatusCode = number == 1 ? 500 : 200;
            return Task.CompletedTask;
        });
        await using var service = await SpotterProcess.StartAsync(
            folder.File("data"), PatchModel.Write(folder.File("patches.onnx")), ["--max-workers", "1", "--linger", "0", "--callback-allow", "127.0.0.1", "--keys", await KeysAsync()]);
        using var api = new SpotterApi(service.Address, apiKey);
        await api.RunAsync(Pictures.Png(40), Part.Field("callback", hook.Url));
        // Damaged behind its head: a worker rejects it.
        var damaged = Pictures.Png(41);
        damaged.AsSpan(60).Clear();
        (await api.SubmitAsync([Part.Image(damaged)], waitSeconds: 60)).Json.GetProperty("state").GetString().ShouldBe("failed");
        (await api.GetAsync("/v1/jobs/unknown")).Status.ShouldBe(HttpStatusCode.NotFound);
        await hook.NextAsync();
        await using var prometheus = await StartAsync(service.Address);
        using var client = new HttpClient { BaseAddress = prometheus.Address };

        var names = await Eventually.SeeAsync(
            "Prometheus has read the service", async () => (await AskAsync(client, "/api/v1/label/__name__/values")).GetProperty("data").EnumerateArray().Select(n => n.GetString()!).ToList(),
            all => all.Contains("spotter_deliveries_total", StringComparer.Ordinal) && all.Contains("spotter_scaling_drained_total", StringComparer.Ordinal), Patience);

        var queries = DashboardQueries().Concat(RuleQueries()).ToList();
        queries.Count.ShouldBeGreaterThan(40);
        foreach (var query in queries)
        {
            var known = names.Append("spotter_job_duration_seconds_count").ToHashSet(StringComparer.Ordinal);
            MetricName().Matches(query).Select(m => m.Value).Where(name => !known.Contains(name)).ShouldBeEmpty(query);
        }
        foreach (var query in DashboardQueries())
        {
            // A rate needs two readings.
            var found = await Eventually.SeeAsync(query, () => CountAsync(client, query), count => count > 0, Patience);
            output.WriteLine($"{found} {query}");
        }
        var rules = await Eventually.SeeAsync(
            "all rules were evaluated", async () => (await AskAsync(client, "/api/v1/rules")).GetProperty("data").GetProperty("groups").EnumerateArray()
                .SelectMany(g => g.GetProperty("rules").EnumerateArray()).Select(r => (Name: r.GetProperty("name").GetString()!, Health: r.GetProperty("health").GetString()!, Error: r.TryGetProperty("lastError", out var e) ? e.GetString() : null)).ToList(),
            all => all.Count > 20 && all.All(r => r.Health != "unknown"), Patience);
        rules.ShouldAllBe(r => r.Health == "ok");
        foreach (var (record, _, _) in rules.Where(r => r.Name.StartsWith("spotter:", StringComparison.Ordinal)))
            await Eventually.SeeAsync(record, () => CountAsync(client, record), count => count > 0, Patience);
    }

    private string apiKey = "";

    /// <summary>A key for Prometheus, which may operate, in a file beside the keys.</summary>
    private async Task<string> KeysAsync()
    {
        var keys = folder.File("keys.json");
        var made = await SpotterProgram.RunAsync("keys", "add", "prometheus", "--keys", keys, "--scopes", "submit,read,operate", "--json");
        made.Status.ShouldBe(0, made.Errors);
        apiKey = JsonDocument.Parse(made.Output).RootElement.GetProperty("key").GetString()!;
        await File.WriteAllTextAsync(folder.File("key"), apiKey);
        return keys;
    }

    private async Task<PrometheusServer> StartAsync(Uri service)
    {
        var config = folder.File("prometheus.yaml");
        await File.WriteAllTextAsync(config, $"""
            global: {"{"}scrape_interval: 1s, evaluation_interval: 1s{"}"}
            rule_files: ['{Path.Combine(Monitoring, "rules.yaml")}']
            scrape_configs:
              - job_name: spotter
                authorization: {"{"}credentials_file: '{folder.File("key")}'{"}"}
                static_configs: [{"{"}targets: ['{service.Authority}']{"}"}]
            """);
        return await PrometheusServer.StartAsync(config, folder.File("metrics"));
    }

    private static IEnumerable<string> DashboardQueries()
    {
        using var dashboard = JsonDocument.Parse(File.ReadAllText(Path.Combine(Monitoring, "grafana", "dashboards", "spotter.json")));
        return [.. dashboard.RootElement.GetProperty("panels").EnumerateArray().Where(p => p.TryGetProperty("targets", out _))
            .SelectMany(p => p.GetProperty("targets").EnumerateArray()).Select(t => t.GetProperty("expr").GetString()!
                .Replace("$__rate_interval", "10s", StringComparison.Ordinal).Replace("$price", "0.05", StringComparison.Ordinal))];
    }

    private static IEnumerable<string> RuleQueries() =>
        RuleExpression().Matches(File.ReadAllText(Path.Combine(Monitoring, "rules.yaml"))).Select(m => m.Groups["text"].Value);

    private static async Task<int> CountAsync(HttpClient client, string query) =>
        (await AskAsync(client, $"/api/v1/query?query={Uri.EscapeDataString(query)}")).GetProperty("data").GetProperty("result").GetArrayLength();

    private static async Task<JsonElement> AskAsync(HttpClient client, string path)
    {
        using var answer = await client.GetAsync(new Uri(path, UriKind.Relative));
        var text = await answer.Content.ReadAsStringAsync();
        answer.IsSuccessStatusCode.ShouldBeTrue($"{path}: {text}");
        return JsonDocument.Parse(text).RootElement;
    }

    private async Task PromtoolAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(Path.GetDirectoryName(PrometheusFactAttribute.Program)!, "promtool"), arguments) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        using var promtool = Process.Start(start)!;
        var said = await promtool.StandardOutput.ReadToEndAsync() + await promtool.StandardError.ReadToEndAsync();
        await promtool.WaitForExitAsync();
        output.WriteLine(said);
        promtool.ExitCode.ShouldBe(0, said);
    }

    [GeneratedRegex("""\b(spotter|http_server|dotnet)_[a-z_]+\b""", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex MetricName();

    [GeneratedRegex("""expr: (\|\n)?(?<text>.*(\n          .*)*)""", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex RuleExpression();

    /// <summary>Prometheus on a free port.</summary>
    private sealed class PrometheusServer : IAsyncDisposable
    {
        private readonly Process process;

        private PrometheusServer(Process process, Uri address) => (this.process, Address) = (process, address);

        public Uri Address { get; }

        public static async Task<PrometheusServer> StartAsync(string config, string storage)
        {
            int port;
            using (var listener = new TcpListener(IPAddress.Loopback, 0))
            {
                listener.Start();
                port = ((IPEndPoint)listener.LocalEndpoint).Port;
            }
            var address = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}");
            var start = new ProcessStartInfo(PrometheusFactAttribute.Program!, [$"--config.file={config}", $"--storage.tsdb.path={storage}", $"--web.listen-address={address}"])
            {
                RedirectStandardError = true,
                RedirectStandardOutput = true,
                UseShellExecute = false,
            };
            var server = new PrometheusServer(new Process { StartInfo = start }, new Uri($"http://{address}"));
            var said = new System.Text.StringBuilder();
            server.process.ErrorDataReceived += (_, line) => said.AppendLine(line.Data);
            server.process.Start();
            server.process.BeginErrorReadLine();
            server.process.BeginOutputReadLine();
            using var client = new HttpClient { BaseAddress = server.Address };
            await Eventually.SeeAsync("Prometheus is ready", async () =>
            {
                server.process.HasExited.ShouldBeFalse(said.ToString());
                try
                {
                    using var answer = await client.GetAsync(new Uri("/-/ready", UriKind.Relative));
                    return answer.IsSuccessStatusCode;
                }
                catch (HttpRequestException)
                {
                    return false;
                }
            }, ready => ready, Patience);
            return server;
        }

        public async ValueTask DisposeAsync()
        {
            if (!process.HasExited)
                process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
        }
    }
}
