using System.Text;
using System.Text.Json;
using Spotter.Tests.Docs;
using Spotter.Tests.Webhooks;

namespace Spotter.EndToEnd.Docs;

/// <summary>
/// One reader who does all that a page says, from top to bottom, in one folder and one shell. A service that the page starts
/// goes on until the page starts another one; where it starts none, one runs as the README says.
/// </summary>
internal sealed class DocsRun : IAsyncDisposable
{
    private const string Ready = "listening on ";
    private const string Serve = "./spotter serve";
    private static readonly TimeSpan Start = TimeSpan.FromSeconds(60);

    private readonly TemporaryFolder folder = new();
    private readonly List<(int Id, string Command)> services = [];
    private readonly HttpClient client = new();
    private readonly string page;
    private DocsTerminal terminal = null!;
    private WebhookEndpoint endpoint = null!;
    private DocsWords words = null!;
    private PostgresCluster? postgres;
    private MotoServer? bucket;

    private DocsRun(string page) => this.page = page;

    /// <summary>Does what a page says.</summary>
    /// <param name="page">The page's name.</param>
    /// <param name="steps">What it shows.</param>
    /// <param name="shell"><c>bash</c> or <c>zsh</c>.</param>
    /// <exception cref="DocsException">Something on it doesn't hold.</exception>
    public static async Task PlayAsync(string page, IReadOnlyList<DocsStep> steps, string shell)
    {
        await using var run = new DocsRun(page);
        await run.OpenAsync(shell, string.Concat(steps.Select(s => s.Text)));
        foreach (var step in steps.Where(s => s.NotRun is null))
        {
            try
            {
                await run.PlayAsync(step);
            }
            catch (DocsException wrong)
            {
                throw new DocsException($"{page}:{step.Line}: {wrong.Message}\n{step.Text}\n{run.Logs()}");
            }
        }
        await run.SeeServicesAsync();
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await StopServicesAsync();
        }
        catch (DocsException)
        {
            // The shell has ended with the command that failed; its services are ended below.
        }
        if (terminal is not null)
            await terminal.DisposeAsync();
        foreach (var (id, _) in services.Where(s => Processes.ArgumentsOf(s.Id).Any(a => a.EndsWith(".dll", StringComparison.Ordinal))))
            Processes.Signal(id, Processes.Kill);
        if (endpoint is not null)
            await endpoint.DisposeAsync();
        if (bucket is not null)
            await bucket.DisposeAsync();
        postgres?.Dispose();
        client.Dispose();
        folder.Dispose();
    }

    private async Task OpenAsync(string shell, string text)
    {
        DocsFolder.Fill(folder.Path);
        endpoint = await WebhookEndpoint.StartAsync((http, _) =>
        {
            http.Response.StatusCode = http.Request.Path.StartsWithSegments("/broken", StringComparison.Ordinal) ? 500 : 204;
            return Task.CompletedTask;
        });
        var port = FreePort.Take();
        if (text.Contains(DocsWords.PostgresUrl, StringComparison.Ordinal))
            postgres = PostgresCluster.Start();
        if (text.Contains(DocsWords.Bucket, StringComparison.Ordinal))
        {
            bucket = await MotoServer.StartAsync();
            await bucket.MakeBucketAsync("my-pictures");
        }
        words = new DocsWords(folder.Path, $"127.0.0.1:{port}", FreePort.Take(), endpoint.Address.Authority, Examples: null, postgres?.Url);
        client.BaseAddress = new Uri($"http://{words.Address}");
        var environment = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["SPOTTER_NO_BUILD"] = "1",
            ["SPOTTER__HOST"] = "127.0.0.1",
            ["SPOTTER__PORT"] = $"{port}",
            ["SPOTTER__DATA"] = folder.File("data"),
            ["SPOTTER__WEBHOOKS__ALLOW"] = endpoint.Address.Authority,
            // A machine that is busy with other tests answers too.
            ["SPOTTER__CAMERAS__TIMEOUTSECONDS"] = "60",
        };
        if (bucket is not null)
        {
            environment["SPOTTER__S3__ENDPOINT"] = bucket.Address.ToString();
            // The SDK's own variable, for all of Amazon's services.
            environment["AWS_ENDPOINT_URL"] = bucket.Address.ToString();
        }
        terminal = await DocsTerminal.OpenAsync(shell, folder.Path, environment);
    }

    private async Task PlayAsync(DocsStep step)
    {
        if (step.File is { } file)
        {
            await File.WriteAllTextAsync(folder.File(file), step.Text);
            return;
        }
        if (step.Shows is { } command)
        {
            var printed = await TypeAsync(command);
            Compare(step.Text, printed);
            return;
        }
        if (step.Language == "http")
        {
            var webhook = await endpoint.NextAsync();
            var (head, body) = (step.Text.Split("\n\n")[0].Split('\n').Skip(1), step.Text[step.Text.IndexOf('{', StringComparison.Ordinal)..]);
            foreach (var name in head.Select(h => h.Split(':')[0]).Where(name => !webhook.Headers.ContainsKey(name)))
                throw new DocsException($"No header {name} is sent, but {string.Join(", ", webhook.Headers.Keys)}.");
            Compare(body, webhook.Json.GetRawText());
            await File.WriteAllTextAsync(folder.File("webhook.json"), JsonSerializer.Serialize(new
            {
                headers = webhook.Headers.ToDictionary(h => h.Key.ToLowerInvariant(), h => h.Value, StringComparer.Ordinal),
                body = Encoding.UTF8.GetString(webhook.Body),
            }));
            return;
        }
        if (!step.IsShell)
            return;
        var (typed, printedAll) = ("", "");
        foreach (var line in step.Commands)
        {
            if (DocsWords.IsService(line))
            {
                await TypeAsync(typed);
                typed = "";
                await StartServiceAsync(line);
            }
            else if (step.Language == "console")
            {
                printedAll += await TypeAsync(line);
            }
            else
            {
                // Which job is meant shows when the lines before have been run.
                if (DocsWords.NamesJob(line))
                {
                    await TypeAsync(typed);
                    typed = "";
                }
                typed += line + "\n";
            }
        }
        await TypeAsync(typed);
        if (step.Language == "console")
            CompareHeads(step.Text, printedAll);
    }

    private async Task<string> TypeAsync(string commands)
    {
        if (string.IsNullOrWhiteSpace(commands))
            return "";
        if (services.Count == 0 && DocsWords.NeedService(commands))
            await StartServiceAsync(Serve);
        return await terminal.RunAsync(words.Fill(commands, DocsWords.NamesJob(commands) ? await NewestJobAsync() : null));
    }

    private async Task StartServiceAsync(string command)
    {
        // A worker joins the gateway that is there; anything else takes its place.
        var isEngine = command.StartsWith("python3 ", StringComparison.Ordinal) && command.Contains(" --server ", StringComparison.Ordinal);
        var isWorker = isEngine || command.Contains("./spotter worker", StringComparison.Ordinal);
        if (!isWorker)
            await StopServicesAsync();
        var (id, output) = await terminal.StartAsync(words.Fill(command, id: null));
        services.Add((id, command));
        var line = await Eventually.SeeAsync($"{command} is ready",
            async () => await terminal.RunsAsync(id)
                ? isEngine ? await LineAsync(output, "joined ") : isWorker ? await HasModelAsync() ? "" : null : await LineAsync(output, Ready)
                : throw new DocsException($"It ended: {command}\n{await File.ReadAllTextAsync(output)}"),
            l => l is not null, Start);
        if (command.StartsWith("dotnet ", StringComparison.Ordinal))
            words = words with { Examples = new Uri(line![(line!.IndexOf(Ready, StringComparison.Ordinal) + Ready.Length)..].Trim()).Authority };
    }

    /// <summary>True once a worker has joined and loaded a model.</summary>
    private async Task<bool> HasModelAsync()
    {
        using var models = JsonDocument.Parse(await client.GetStringAsync(new Uri("/v1/models", UriKind.Relative)));
        return models.RootElement.GetProperty("models").EnumerateArray().Any(m => m.GetProperty("state").GetString() == "ready");
    }

    private async Task SeeServicesAsync()
    {
        foreach (var (id, command) in services)
        {
            if (!await terminal.RunsAsync(id))
                throw new DocsException($"{page}: {command} has ended by itself.\n{Logs()}");
        }
    }

    private async Task StopServicesAsync()
    {
        foreach (var (id, _) in services)
            await terminal.StopAsync(id);
        services.Clear();
    }

    /// <summary>The id of the newest job, once it has ended; of one that is to wait at once.</summary>
    private async Task<string?> NewestJobAsync()
    {
        var newest = await Eventually.SeeAsync("the newest job has ended", async () =>
        {
            using var answer = JsonDocument.Parse(await client.GetStringAsync(new Uri("/v1/jobs?limit=1", UriKind.Relative)));
            return answer.RootElement.Clone().GetProperty("jobs").EnumerateArray().FirstOrDefault();
        }, j => j.ValueKind != JsonValueKind.Object || j.GetProperty("finished").ValueKind == JsonValueKind.String || j.GetProperty("notBefore").ValueKind == JsonValueKind.String);
        return newest.ValueKind == JsonValueKind.Object ? newest.GetProperty("id").GetString() : null;
    }

    private static void Compare(string sample, string printed)
    {
        JsonElement real;
        try
        {
            real = JsonDocument.Parse(printed).RootElement;
        }
        catch (JsonException broken)
        {
            throw new DocsException($"What is printed is no JSON ({broken.Message}):\n{printed}");
        }
        var differences = JsonSample.Differences(JsonSample.Parse(sample), real).ToList();
        if (differences.Count > 0)
            throw new DocsException($"The sample differs: {string.Join("; ", differences)}.\nIn truth:\n{printed}");
    }

    /// <summary>The heads of tables that are shown have to be printed; rows are the reader's own.</summary>
    private static void CompareHeads(string shown, string printed)
    {
        var lines = shown.Split('\n');
        for (var i = 1; i < lines.Length; i++)
        {
            var isHead = lines[i].Contains("  ", StringComparison.Ordinal) && lines[i - 1].StartsWith("$ ", StringComparison.Ordinal);
            if (isHead && !Words(printed).Contains(Words(lines[i]), StringComparison.Ordinal))
                throw new DocsException($"'{lines[i]}' isn't printed, but:\n{printed}");
        }
    }

    private static string Words(string text) => string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    private static async Task<string?> LineAsync(string file, string with) =>
        (await File.ReadAllLinesAsync(file)).FirstOrDefault(l => l.Contains(with, StringComparison.Ordinal));

    private string Logs() =>
        string.Join('\n', Directory.EnumerateFiles(folder.File(".docs"), "service-*.log").Select(f => $"--- {Path.GetFileName(f)}\n{File.ReadAllText(f)}"));
}
