using System.Security.Cryptography;
using System.Text.Json;
using Spotter.Tests.Catalogue;

namespace Spotter.Attack.Harness;

/// <summary>A catalogue with one model, and a server that has that.</summary>
internal static class CatalogueFile
{
    /// <summary>The name of its model.</summary>
    public const string Model = "tiny";

    /// <summary>No proxy of this machine is between the program and the servers of tests.</summary>
    public static Dictionary<string, string> Environment(string catalogue) => new(StringComparer.Ordinal)
    {
        ["HTTP_PROXY"] = "", ["http_proxy"] = "", ["HTTPS_PROXY"] = "", ["https_proxy"] = "", ["ALL_PROXY"] = "", ["all_proxy"] = "", ["NO_PROXY"] = "", ["no_proxy"] = "",
        ["SPOTTER_CATALOGUE"] = catalogue,
    };

    /// <summary>Its text.</summary>
    /// <param name="server">Has the model.</param>
    /// <param name="url">Where it is to be had.</param>
    /// <param name="words">Put behind every text that says something about it.</param>
    /// <param name="overrides">What is put beside the model.</param>
    /// <param name="permissive">False for a licence that has to be accepted.</param>
    public static byte[] Text(FileServer server, Uri url, string words = "", string[]? overrides = null, bool permissive = true) => JsonSerializer.SerializeToUtf8Bytes(new
    {
        models = new[]
        {
            new
            {
                name = Model,
                task = "detect",
                what = "a test" + words,
                url = url.OriginalString,
                bytes = server.Content.Length,
                sha256 = Convert.ToHexStringLower(SHA256.HashData(server.Content)),
                licence = new { id = "MIT" + words, holder = "the testers" + words, evidence = "stated" + words, permissive },
                overrides = overrides ?? [],
            },
        },
    });

    /// <summary>Pulls a detector with a file beside it into a data folder.</summary>
    public static async Task PullAsync(TemporaryFolder folder, string data, AttackRow row)
    {
        await using var server = await FileServer.StartAsync();
        server.Content = await File.ReadAllBytesAsync(PatchModel.Write(folder.File("offered.onnx")));
        var catalogue = folder.File("catalogue.json");
        await File.WriteAllBytesAsync(catalogue, Text(server, new Uri(server.Address, "tiny.onnx"), overrides: ["labels: [square, oblong]"]));
        var (status, output, errors) = await SpotterProgram.RunWithAsync(Environment(catalogue), "models", "pull", Model, "--data", data);
        row.Try(status == 0 && File.Exists(Path.Combine(data, "models", Model + ".onnx")) && File.Exists(Path.Combine(data, "models", Model + ".yaml")), output + errors);
    }
}
