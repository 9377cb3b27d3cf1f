using System.Globalization;
using System.Text;
using Spotter.Tests.Catalogue;

namespace Spotter.Attack;

/// <summary>What others' texts can do to who runs the program's commands.</summary>
public sealed class CommandTests
{
    private const string Escapes = "\u001b[2J\u001b]0;owned\u0007\u009b31m\u202e\u2066\r\n  licence  MIT\u007f\b";

    [LinuxFact]
    public async Task Nothing_that_others_say_commands_the_terminal()
    {
        var row = new AttackRow("A20", "terminal escapes in catalogues, models, names, pictures and answers", "outputs");
        using var folder = new TemporaryFolder();
        await using var server = await FileServer.StartAsync();
        server.Content = await File.ReadAllBytesAsync(PatchModel.Write(folder.File("offered.onnx")));
        var catalogue = folder.File("catalogue.json");
        await File.WriteAllBytesAsync(catalogue, CatalogueFile.Text(server, new Uri(server.Address, "tiny.onnx"), Escapes, permissive: false));
        var data = Directory.CreateDirectory(folder.File("data")).FullName;
        var models = Directory.CreateDirectory(Path.Combine(data, "models")).FullName;
        // Names of files, labels and metadata.
        const string Named = "pi\u001b[2Jct\u009b31m\u202eure";
        var model = PatchModel.Write(Path.Combine(models, "labelled.onnx"));
        await File.WriteAllTextAsync(Path.Combine(models, "labelled.yaml"), "labels: [\"sq\\e[2Juare\", \"ob\\u202elo\\u009bng\"]\n");
        var odd = PatchModel.Write(Path.Combine(models, Named + ".onnx"));
        var broken = Path.Combine(models, "broken" + Named + ".onnx");
        await File.WriteAllTextAsync(broken, "no model");
        var picture = folder.File(Named + ".png");
        await File.WriteAllBytesAsync(picture, Pictures.Png(90));
        await File.WriteAllTextAsync(folder.File(Named + ".txt"), "no picture");
        string[][] commands =
        [
            ["models", "pull"], ["models", "pull", "--json"], ["models", "pull", CatalogueFile.Model, "--data", data], ["models", "pull", CatalogueFile.Model, "--data", data, "--json"], ["models", "pull", "no" + Named, "--data", data], ["models", "pull", CatalogueFile.Model, "--data", data, "--accept-licence", "MIT" + Escapes],
            ["models", "list", "--data", data], ["models", "list", "--data", data, "--json"], ["models", "inspect", model], ["models", "inspect", odd], ["models", "inspect", broken], ["models", "inspect", broken, "--json"], ["models", "inspect", folder.File(Named)],
            ["detect", picture, "--model", model], ["detect", picture, "--model", model, "--json"], ["detect", picture, "--model", odd], ["detect", folder.File(Named + ".txt"), "--model", model], ["detect", folder.File("none" + Named), "--model", model], ["detect", picture, "--model", model, "--labels", Named],
            ["doctor", "--data", folder.File(Named), "--port", "1"], ["doctor", "--data", data, "--port", "1"], ["keys", "add", Named, "--tenant", "t", "--data", data], ["keys", "add", "a", "--tenant", Named, "--data", data], ["keys", "list", "--data", data], ["keys", "revoke", Named, "--data", data],
            ["serve", Named], ["serve", "--host", Named, "--data", data], ["no" + Named], ["settings", Named], ["simulate", "--trace", folder.File(Named + ".txt")],
        ];
        await Parallel.ForEachAsync(commands, new ParallelOptions { MaxDegreeOfParallelism = 3 }, async (command, _) => await RunAsync(command));
        // What a service says that is not one's own.
        foreach (var command in (string[][])[["queue", "stats"], ["queue", "list"], ["queue", "dead"], ["models", "list"]])
        {
            foreach (var status in (int[])[200, 403, 500])
            {
                server.Next([.. Enumerable.Repeat<Microsoft.AspNetCore.Http.RequestDelegate>(async http =>
                {
                    http.Response.StatusCode = status;
                    http.Response.ContentType = status == 200 ? "application/json" : "application/problem+json";
                    var text = System.Text.Json.JsonSerializer.Serialize("x" + Escapes);
                    await http.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(status == 200
                        ? $$$"""{"jobs":[{"id":{{{text}}},"name":{{{text}}},"state":{{{text}}},"engine":{{{text}}},"created":{{{text}}},"error":{"code":{{{text}}},"detail":{{{text}}}}}],"models":[{"id":{{{text}}},"state":{{{text}}},"engine":{{{text}}},"labels":[{{{text}}}],"family":{{{text}}},"detail":{{{text}}}}],"next":null,"queued":{{{text}}}}"""
                        : $$$"""{"type":"urn:spotter:error:forbidden","title":{{{text}}},"status":{{{status.ToString(CultureInfo.InvariantCulture)}}},"detail":{{{text}}},"code":{{{text}}}}"""));
                }, 8)]);
                await RunAsync([.. command, "--url", server.Address.ToString()]);
            }
        }
        row.End(atLeast: 80);

        async Task RunAsync(string[] command)
        {
            var (status, output, errors) = await SpotterProgram.RunWithAsync(CatalogueFile.Environment(catalogue), command);
            foreach (var text in (string[])[output, errors])
                row.Try(!text.Any(RequestTests.IsCommand) && text.Split('\n').Count(line => line.StartsWith("  licence  ", StringComparison.Ordinal)) <= 1, $"{string.Join(' ', command)} ({status}): {text}");
            row.Try(!errors.Contains("unexpected fault", StringComparison.Ordinal) && !errors.Contains("   at ", StringComparison.Ordinal), $"{string.Join(' ', command)} ({status}): {errors}");
        }
    }

    [LinuxFact]
    public async Task A_catalogue_comes_from_a_file_or_by_https_only()
    {
        var row = new AttackRow("A24", "a catalogue over plain http, and one that leads there", "catalogues");
        using var folder = new TemporaryFolder();
        await using var server = await FileServer.StartAsync();
        server.Content = await File.ReadAllBytesAsync(PatchModel.Write(folder.File("offered.onnx")));
        var text = CatalogueFile.Text(server, new Uri(server.Address, "tiny.onnx"));
        var open = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{server.Address.Port}/catalogue.json");
        foreach (var place in (string[])[$"http://{open}", $"HTTP://{open}", $" http://{open}", $"http://user:password@{open}", $"http:{open}", $"http:/{open}", $"ftp://{open}", $"ws://{open}", $"//{open}", $"http://[::ffff:127.0.0.1]:{server.Address.Port.ToString(CultureInfo.InvariantCulture)}/c.json", $"hTtP://{open}?https://", "data:application/json,{}", "/dev/stdin", "/dev/zero", "file:///dev/zero"])
            await RefuseAsync(place, []);
        // One that is trusted, and leads to plain http.
        using var certificate = FileServer.Certificate("localhost");
        await using var secure = await FileServer.StartAsync(certificate);
        var trusted = folder.File("trusted.pem");
        await File.WriteAllTextAsync(trusted, certificate.ExportCertificatePem());
        foreach (var code in (int[])[301, 302, 303, 307, 308])
        {
            secure.Next(http =>
            {
                http.Response.StatusCode = code;
                http.Response.Headers.Location = $"http://{open}";
                return Task.CompletedTask;
            });
            await RefuseAsync($"https://localhost:{secure.Address.Port.ToString(CultureInfo.InvariantCulture)}/catalogue.json", [("SSL_CERT_FILE", trusted)]);
        }
        // Nor is one taken from who can't prove who it is.
        await RefuseAsync($"https://localhost:{secure.Address.Port.ToString(CultureInfo.InvariantCulture)}/catalogue.json", []);
        secure.Next(http => http.Response.Body.WriteAsync(text).AsTask());
        var environment = CatalogueFile.Environment($"https://localhost:{secure.Address.Port.ToString(CultureInfo.InvariantCulture)}/catalogue.json");
        environment["SSL_CERT_FILE"] = trusted;
        var (status, _, errors) = await SpotterProgram.RunWithAsync(environment, "models", "pull", "--json");
        row.Try(status == 0, $"by https it is not taken either: {errors}");
        row.End(atLeast: 20);

        async Task RefuseAsync(string place, (string Name, string Value)[] more)
        {
            var variables = CatalogueFile.Environment(place);
            foreach (var (name, value) in more)
                variables[name] = value;
            var (refused, output, said) = await SpotterProgram.RunWithAsync(variables, "models", "pull", CatalogueFile.Model, "--data", folder.File("data"));
            var asked = server.Requests().Count;
            row.Try(refused != 0 && asked == 0 && !File.Exists(folder.File("data/models/tiny.onnx")), $"{place}: {refused}, {asked} requests, {output}{said}");
        }
    }

    [Fact]
    public async Task A_schema_is_a_name_to_its_last_character()
    {
        var row = new AttackRow("A23", "a schema whose name holds a line feed, a quote or a statement", "starts");
        using var folder = new TemporaryFolder();
        var model = PatchModel.Write(folder.File("patches.onnx"));
        string[] names = ["spotter\n", "spotter\r", "spotter\n\n", "\nspotter", "spotter\u2028", "spotter\t", "a\"; DROP TABLE jobs; --", "a'b", "a b", "a.b", "A", "1a", "", "a\\", "a$b", "\u0430", new('a', 41)];
        await Parallel.ForEachAsync(names.Append("spotter").Index(), new ParallelOptions { MaxDegreeOfParallelism = 3 }, async (one, _) =>
        {
            var name = one.Item;
            // Nothing listens there: what gets that far says something else.
            var (status, output, errors) = await SpotterProgram.RunAsync("serve", "--backend", "postgres", "--postgres", "postgres://u:p@127.0.0.1:1/x", "--postgres-schema", name, "--blobs", $"folder:{folder.File("pictures")}", "--port", "0", "--data", folder.File(string.Create(CultureInfo.InvariantCulture, $"data-{one.Index}")), "--model", model);
            var isRefused = errors.Contains("can't be the schema", StringComparison.Ordinal) || errors.Contains("schema", StringComparison.Ordinal);
            row.Try(status != 0 && isRefused == (name != "spotter"), $"'{name}': {status} {output}{errors}");
        });
        row.End(atLeast: names.Length + 1);
    }
}
