using System.Text.Json;

namespace Spotter.EndToEnd.Faults;

/// <summary>A model whose weights lie in a file beside it, which comes late and changes.</summary>
public sealed class WeightsFileTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly Dictionary<string, string> Variables = new(StringComparer.Ordinal) { ["SPOTTER__LEASE__HEARTBEATSECONDS"] = "0.5", ["SPOTTER_STARTER"] = "none" };

    private readonly TemporaryFolder folder = new();
    private SpotterProcess service = null!;
    private SpotterApi api = null!;

    public async Task InitializeAsync()
    {
        Directory.CreateDirectory(folder.File("data/models"));
        PatchModel.Write(folder.File("data/models/patches.onnx"), weights: "patches.onnx.data");
        await StartAsync();
    }

    public async Task DisposeAsync()
    {
        api.Dispose();
        await service.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task Weights_that_come_late_and_change_are_noticed_and_make_another_version()
    {
        (await ModelAsync("patches")).GetProperty("error").GetProperty("detail").GetString()!
            .ShouldContain("keeps its weights in another file, patches.onnx.data, which is not there");
        Replace(0.6f);
        var first = await ReadyAsync(than: null);
        OblongOf(await api.RunAsync(Pictures.Png(5))).ShouldBe(0.6, 0.001);

        Replace(0.7f);
        var second = await ReadyAsync(than: first);

        foreach (var reuse in (string[])["true", "false"])
            OblongOf(await api.RunAsync(Pictures.Png(5), Part.Field("reuse", reuse))).ShouldBe(0.7, 0.001, $"reuse={reuse}");

        api.Dispose();
        await service.DisposeAsync();
        Replace(0.8f);
        await StartAsync();
        var third = await ReadyAsync(than: second);
        OblongOf(await api.RunAsync(Pictures.Png(5))).ShouldBe(0.8, 0.001);
        third.ShouldNotBe(first, StringComparer.Ordinal);
    }

    private async Task StartAsync()
    {
        service = await SpotterProcess.StartAsync(folder.File("data"), model: null, ["--max-workers", "1"], Variables);
        api = new SpotterApi(service.Address);
    }

    /// <summary>As it is to be done: written elsewhere, and renamed.</summary>
    private void Replace(float oblong)
    {
        PatchModel.WriteWeights(folder.File("next"), oblong);
        File.Move(folder.File("next"), folder.File("data/models/patches.onnx.data"), overwrite: true);
    }

    private async Task<string> ReadyAsync(string? than)
    {
        var model = await Eventually.SeeAsync(
            "the version is ready", () => ModelAsync("patches"),
            m => m.GetProperty("state").GetString() == "ready" && m.GetProperty("version").GetString() != than
                && m.GetProperty("loadedBy").EnumerateArray().All(p => p.GetProperty("version").GetString() == m.GetProperty("version").GetString()),
            Patience);
        return model.GetProperty("version").GetString()!;
    }

    private async Task<JsonElement> ModelAsync(string id) =>
        (await api.GetAsync("/v1/models")).Json.GetProperty("models").EnumerateArray().Single(m => m.GetProperty("id").GetString() == id);

    private static double OblongOf(JsonElement job) => Api.SeveralModelsTests.OblongOf(job);
}
