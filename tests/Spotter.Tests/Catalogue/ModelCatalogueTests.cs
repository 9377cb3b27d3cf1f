using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Spotter.Cli.Catalogue;
using Spotter.Core;

namespace Spotter.Tests.Catalogue;

public sealed class ModelCatalogueTests
{
    private const string Good = """
        {"models":[{"name":"a","task":"detect","what":"w","url":"https://example.org/a.onnx","bytes":5,
        "sha256":"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
        "licence":{"id":"MIT","holder":"h","evidence":"e","permissive":true}}]}
        """;

    [Fact]
    public async Task The_built_in_catalogue_states_what_the_shared_manifest_says()
    {
        using var transfer = new Transfer(new(), TimeProvider.System, RandomSource.Seeded(1), _ => { });
        var catalogue = await ModelCatalogue.LoadAsync(place: null, transfer, CancellationToken.None);

        catalogue.Entries.Select(entry => entry.Name).ShouldBe(["yolox_nano", "squeezenet_fp16", "yolov8n-uint8"]);
        catalogue.Entries.Where(entry => !entry.Licence.Permissive).Select(entry => entry.Licence.Id).ShouldBe(["AGPL-3.0"]);
        catalogue.Entries.ShouldAllBe(entry => entry.Url.Scheme == "https");
        // A commit, not a branch, so that the bytes can't change.
        catalogue.Entries.ShouldAllBe(entry => entry.Url.Segments.Any(segment => segment.Length == 41));
    }

    [SharedFact]
    public async Task The_hashes_of_the_built_in_catalogue_are_those_of_the_files()
    {
        using var transfer = new Transfer(new(), TimeProvider.System, RandomSource.Seeded(1), _ => { });
        var manifest = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(SharedFiles.Root, "models", "manifest.json")))!["models"]!.AsArray();
        foreach (var entry in (await ModelCatalogue.LoadAsync(place: null, transfer, CancellationToken.None)).Entries)
        {
            var known = manifest.Single(model => (string?)model!["file"] == entry.Name + ".onnx")!;
            (entry.Sha256, entry.Bytes, entry.Url.ToString()).ShouldBe(((string)known["sha256"]!, (long)known["bytes"]!, (string)known["source"]!["url"]!));
        }
    }

    [Theory]
    [InlineData("name", "../a")]
    [InlineData("name", ".a")]
    [InlineData("name", "-a")]
    [InlineData("name", "a/b")]
    [InlineData("name", "")]
    [InlineData("url", "file:///a.onnx")]
    [InlineData("url", "a.onnx")]
    [InlineData("sha256", "00")]
    [InlineData("sha256", "zz112233445566778899aabbccddeeff00112233445566778899aabbccddeeff")]
    [InlineData("what", " ")]
    public void An_entry_that_can_not_be_followed_is_refused(string field, string value) =>
        Refusal(Changed(model => model[field] = value)).ShouldContain("my.json");

    [Fact]
    public void Lengths_licences_and_doubles_are_checked_too()
    {
        Refusal(Changed(model => model["bytes"] = 0)).ShouldContain("0 bytes");
        Refusal(Changed(model => model["licence"]!["id"] = "")).ShouldContain("licence");
        Refusal(Changed(model => model.Remove("licence"))).ShouldContain("licence");
        Refusal(Changed(model => model["licence"] = null)).ShouldContain("licence");
        Refusal(Good.Replace("}}]", "}},{\"name\":\"A\",\"task\":\"t\",\"what\":\"w\",\"url\":\"https://x/\",\"bytes\":1,\"sha256\":\"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\",\"licence\":{\"id\":\"MIT\",\"holder\":\"h\",\"evidence\":\"e\",\"permissive\":true}}]", StringComparison.Ordinal))
            .ShouldContain("comes twice");
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("{\"models\":[]}")]
    [InlineData("{\"models\":[null]}")]
    [InlineData("<html>")]
    public void What_is_no_catalogue_is_refused(string text) => Refusal(text).ShouldContain("SPOTTER_CATALOGUE");

    [Fact]
    public void Addresses_may_be_relative_to_a_catalogue_on_a_server()
    {
        var relative = Changed(model => model["url"] = "files/a.onnx");

        ModelCatalogue.Parse(Encoding.UTF8.GetBytes(relative), "https://mirror/list.json", new("https://mirror/list.json"))
            .Entries.ShouldHaveSingleItem().Url.ShouldBe(new Uri("https://mirror/files/a.onnx"));
    }

    private static string Changed(Action<JsonObject> change)
    {
        var document = JsonNode.Parse(Good)!;
        change(document["models"]![0]!.AsObject());
        return document.ToJsonString(JsonSerializerOptions.Web);
    }

    private static string Refusal(string text)
    {
        var refusal = Should.Throw<SpotterException>(() => ModelCatalogue.Parse(Encoding.UTF8.GetBytes(text), "my.json", address: null));
        refusal.Code.ShouldBe(ErrorCodes.InvalidSettings);
        return refusal.Message;
    }
}
