using System.Text.Json;

namespace Spotter.EndToEnd.Clients;

/// <summary>The client in Python.</summary>
public sealed class PythonClientTests(ClientService service) : ClientConformance(service, "probe.py"), IClassFixture<ClientService>
{
    private static readonly (string Type, string Schema)[] Types =
    [
        ("Box", "Box"), ("Callback", "CallbackView"), ("Detection", "Detection"), ("Job", "JobView"), ("JobEvent", "JobEvent"), ("Label", "Label"),
        ("Model", "ModelView"), ("Output", "OutputView"), ("Problem", "Problem"), ("Result", "JobResult"),
    ];

    [ClientFact]
    public async Task Its_types_have_the_fields_of_the_document()
    {
        var schemas = (await Api.GetAsync("/openapi/v1.json")).Json.GetProperty("components").GetProperty("schemas");

        var fields = await RunAsync("fields", Address, [.. Types.Select(t => t.Type)]);

        foreach (var (type, name) in Types)
        {
            var schema = schemas.GetProperty(name);
            var properties = (schema.TryGetProperty("anyOf", out var any) ? any[0] : schema).GetProperty("properties");
            fields.GetProperty(type).EnumerateArray().Select(f => f.GetString()).ShouldBe(properties.EnumerateObject().Select(p => p.Name).Order(StringComparer.Ordinal), type);
        }
    }

    [ClientFact]
    public async Task A_file_is_sent_as_it_is_read()
    {
        using var folder = new TemporaryFolder();
        var file = folder.File("large.bin");
        await File.WriteAllBytesAsync(file, new byte[15_000_000]);

        (await RunAsync("memory", Address, file)).GetInt64().ShouldBeLessThan(2_000_000);
    }

    [PipFact]
    public async Task It_is_installed_by_pip()
    {
        using var folder = new TemporaryFolder();
        // What building leaves behind is not for the checkout.
        foreach (var name in (string[])["pyproject.toml", "README.md", "spotter_client.py"])
            File.Copy(ClientProgram.FileOf("clients", "python", name), folder.File(name));
        var (status, _, errors) = await ClientProgram.RunAsync(ClientProgram.StartInfo(
            EngineProcess.Python!, ["-m", "pip", "install", "--quiet", "--no-build-isolation", "--no-index", "--target", folder.File("installed"), folder.Path]));
        status.ShouldBe(0, errors);

        var probe = ClientProgram.StartInfo(ClientProgram.FileOf("tests", "Spotter.EndToEnd", "Clients", "probe.py"), ["models", Address.ToString(), ""]);
        probe.Environment["PYTHONPATH"] = folder.File("installed");
        (await ClientProgram.JsonAsync(probe)).ValueKind.ShouldBe(JsonValueKind.Array);
    }
}
