using System.Net;

namespace Spotter.EndToEnd.Faults;

/// <summary>A data folder on a disk of its own that fills up. Making one takes root.</summary>
public sealed class DiskFullTests
{
    [SmallDiskFact]
    public async Task A_full_disk_refuses_pictures_and_works_again_when_there_is_room()
    {
        using var folder = new TemporaryFolder();
        var data = folder.File("data");
        Directory.CreateDirectory(data);
        using var disk = SmallDisk.Mount(data, mebibytes: 24);
        await using var service = await SpotterProcess.StartAsync(data, PatchModel.Write(folder.File("patches.onnx")), ["--max-workers", "1", "--lanes", "1"]);
        using var api = new SpotterApi(service.Address);
        var before = SpotterApi.IdOf(await api.RunAsync(Pictures.Png(100)));

        var filler = Path.Combine(data, "filler");
        SmallDisk.Fill(filler);
        var large = new byte[2 * 1024 * 1024];
        Pictures.Png(90).CopyTo(large, 0);
        var refused = await api.SubmitAsync(large);
        refused.ShouldBeProblem(507, "disk_full");
        (await api.SubmitAsync(large)).ShouldBeProblem(507, "disk_full");
        (await api.GetAsync("/healthz")).Status.ShouldBe(HttpStatusCode.OK);
        SpotterApi.StateOf(await api.JobAsync(before)).ShouldBe("succeeded");

        // Accepted or refused, but never half: small ones may still find room in what is left of a block.
        var accepted = new List<string>();
        for (byte shade = 1; shade < 40; shade++)
        {
            var answer = await api.SubmitAsync(Pictures.Png(shade));
            if (answer.Status == HttpStatusCode.Accepted)
                accepted.Add(SpotterApi.IdOf(answer.Json));
            else
                answer.ShouldBeProblem(507, "disk_full");
        }

        File.Delete(filler);
        await Eventually.SeeAsync("pictures are taken again", () => api.SubmitAsync(Pictures.Png(101), waitSeconds: 20), answer => answer.Status == HttpStatusCode.OK);
        SpotterApi.StateOf(await api.RunAsync(Pictures.Png(102))).ShouldBe("succeeded");
        foreach (var id in accepted)
            SpotterApi.StateOf(await api.EndOfAsync(id, TimeSpan.FromSeconds(60))).ShouldBe("succeeded");
        SpotterApi.StateOf(await api.JobAsync(before)).ShouldBe("succeeded");
    }
}
