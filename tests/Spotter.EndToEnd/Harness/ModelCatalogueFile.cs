using System.Security.Cryptography;
using System.Text.Json;
using Spotter.Tests.Catalogue;

namespace Spotter.EndToEnd.Harness;

/// <summary>A catalogue of models that a web server of the test gives away: <c>patches</c>, whose licence asks for nothing, and <c>strict</c>, whose licence has to be accepted.</summary>
internal sealed class ModelCatalogueFile : IAsyncDisposable
{
    private readonly TemporaryFolder folder = new();

    private ModelCatalogueFile(FileServer server) => Server = server;

    /// <summary>Gives away the models.</summary>
    public FileServer Server { get; }

    /// <summary>What a program is told, so that it reads this catalogue and goes there itself.</summary>
    public Dictionary<string, string> Variables => new(StringComparer.Ordinal)
    {
        ["SPOTTER_CATALOGUE"] = folder.File("catalogue.json"),
        ["HTTP_PROXY"] = "", ["http_proxy"] = "", ["ALL_PROXY"] = "", ["all_proxy"] = "",
    };

    public static async Task<ModelCatalogueFile> StartAsync()
    {
        var made = new ModelCatalogueFile(await FileServer.StartAsync());
        made.Server.Content = await File.ReadAllBytesAsync(PatchModel.Write(made.folder.File("model"), oblong: 0.7f));
        var models = new[] { Entry("patches", "MIT", permissive: true), Entry("strict", "AGPL-3.0", permissive: false) };
        await File.WriteAllTextAsync(made.folder.File("catalogue.json"), JsonSerializer.Serialize(new { models }));
        return made;

        object Entry(string name, string licence, bool permissive) => new
        {
            name,
            task = "detect",
            what = "finds patches",
            url = new Uri(made.Server.Address, name + ".onnx"),
            bytes = made.Server.Content.Length,
            sha256 = Convert.ToHexStringLower(SHA256.HashData(made.Server.Content)),
            licence = new { id = licence, holder = "the testers", evidence = "stated by the test", permissive },
        };
    }

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        folder.Dispose();
    }
}
