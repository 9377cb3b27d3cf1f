using System.Text;

namespace Spotter.EndToEnd.Faults;

/// <summary>Files in the models folder that are no models, or were.</summary>
public sealed class HostileModelTests
{
    [Fact]
    public async Task Damaged_models_beside_a_good_one_are_named_and_left_out()
    {
        using var folder = new TemporaryFolder();
        var models = Directory.CreateDirectory(Path.Combine(folder.File("data"), "models")).FullName;
        var good = await File.ReadAllBytesAsync(PatchModel.Write(Path.Combine(models, "patches.onnx")));
        var deep = new ProtoWriter();
        for (var i = 0; i < 5_000; i++)
            deep = new ProtoWriter().Message(7, deep);
        (string Name, byte[] Content)[] bad =
        [
            ("a-empty", []),
            ("b-text", Encoding.UTF8.GetBytes("this is a text")),
            ("c-cut", good[..(good.Length / 2)]),
            ("d-turned", [.. good[(good.Length / 2)..], .. good[..(good.Length / 2)]]),
            ("e-nested", deep.ToArray()),
            ("f-zeros", new byte[1 << 20]),
        ];
        foreach (var (name, content) in bad)
            await File.WriteAllBytesAsync(Path.Combine(models, name + ".onnx"), content);

        await using var service = await SpotterProcess.StartAsync(folder.File("data"), model: null, ["--max-workers", "1", "--lanes", "1"]);
        using var api = new SpotterApi(service.Address);

        var job = await api.RunAsync(Pictures.Png(200), Part.Field("model", "patches"));
        SpotterApi.StateOf(job).ShouldBe("succeeded");
        var served = (await api.GetAsync("/v1/models")).Json.GetProperty("models").EnumerateArray().ToList();
        served.Where(m => m.GetProperty("state").GetString() != "refused").Select(m => m.GetProperty("id").GetString())
            .ShouldNotContain(id => bad.Any(b => b.Name == id));
        foreach (var (name, _) in bad)
            service.Log.Split('\n').ShouldContain(line => line.StartsWith("spotter: ") && line.Contains(name + ".onnx"), name);
    }
}
