using System.IO.Compression;
using System.Net;
using System.Net.Http.Json;
using System.Xml.Linq;

namespace Spotter.EndToEnd.Api;

/// <summary>Results in the formats of other tools, from a service and from the command line.</summary>
public sealed class ResultFormatTests(RunningService service) : IClassFixture<RunningService>
{
    [Fact]
    public async Task A_result_is_had_by_itself_and_in_each_format()
    {
        var job = await service.Api.RunAsync(Pictures.Png(200, 256, 256));
        var path = $"/v1/jobs/{SpotterApi.IdOf(job)}/result";

        var plain = await service.Api.GetAsync(path);
        (plain.MediaType, plain.Json.GetRawText()).ShouldBe(("application/json", job.GetProperty("result").GetRawText()));
        var csv = await service.Api.GetAsync($"{path}?format=csv");
        (csv.MediaType, csv.Text.Split("\r\n").Length).ShouldBe(("text/csv", 4));
        csv.Text.ShouldContain("picture.png,oblong,0.6,128,96,224,224,\r\n");
        (await service.Api.GetAsync($"{path}?format=coco")).Json.GetProperty("categories").GetArrayLength().ShouldBe(2);
        (await service.Api.GetAsync($"{path}?format=yolo")).Text.ShouldContain("1 0.6875 0.625 0.375 0.5\n");
        XDocument.Parse((await service.Api.GetAsync($"{path}?format=cvat")).Text).Root!.Name.LocalName.ShouldBe("annotations");
        var task = (await service.Api.GetAsync($"{path}?format=labelstudio")).Json[0];
        task.GetProperty("data").GetProperty("image").GetString().ShouldBe(new Uri(service.Process.Address, $"/v1/jobs/{SpotterApi.IdOf(job)}/original").ToString());

        (await service.Api.GetAsync($"{path}?format=pascal")).ShouldBeProblem(400, "invalid_request");
        (await service.Api.GetAsync($"/v1/jobs/{new string('0', 32)}/result")).ShouldBeProblem(404, "not_found");
    }

    [Fact]
    public async Task A_filters_result_is_no_table()
    {
        var job = await service.Api.RunAsync(Pictures.Png(90), Part.Field("filter", "rotate"));

        (await service.Api.GetAsync($"/v1/jobs/{SpotterApi.IdOf(job)}/result?format=csv")).ShouldBeProblem(422, "unsupported_option");
        (await service.Api.GetAsync($"/v1/jobs/{SpotterApi.IdOf(job)}/result")).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Results_of_several_jobs_come_as_one_file()
    {
        var ids = new List<string>();
        foreach (byte shade in new byte[] { 40, 60 })
            ids.Add(SpotterApi.IdOf(await service.Api.RunAsync(Pictures.Png(shade))));
        ids.Add(SpotterApi.IdOf(await service.Api.RunAsync(Pictures.Png(91), Part.Field("filter", "rotate"))));

        var csv = await ExportAsync("csv", ids);
        csv.ContentHeaders.ContentDisposition!.FileName.ShouldBe("results.csv");
        csv.Text.Split("\r\n").Count(line => line.Contains("oblong", StringComparison.Ordinal)).ShouldBe(2);
        (await ExportAsync("coco", ids)).Json.GetProperty("images").GetArrayLength().ShouldBe(2);
        using var archive = new ZipArchive(new MemoryStream((await ExportAsync("yolo", ids)).Bytes));
        archive.Entries.Select(entry => entry.FullName).ShouldBe(["classes.txt", "picture.txt", "picture-2.txt"]);

        (await ExportAsync("csv", [])).ShouldBeProblem(400, "invalid_request");
        (await ExportAsync("csv", [new string('0', 32)])).ShouldBeProblem(404, "not_found");
        (await ExportAsync("pascal", [new string('0', 32)])).ShouldBeProblem(400, "invalid_request");
        (await ExportAsync("csv", [null!])).ShouldBeProblem(404, "not_found");
        (await service.Api.SendAsync(new HttpRequestMessage(HttpMethod.Post, "/v1/results") { Content = JsonContent.Create(new { }) })).Status.ShouldBe(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task The_command_line_writes_the_same_formats()
    {
        using var folder = new TemporaryFolder();
        var model = PatchModel.Write(folder.File("patches.onnx"));
        Directory.CreateDirectory(folder.File("in"));
        await File.WriteAllBytesAsync(folder.File("in/a.png"), Pictures.Png(200, 256, 256));
        await File.WriteAllBytesAsync(folder.File("in/b.png"), Pictures.Png(100, 256, 256));

        var csv = await SpotterProgram.RunAsync("detect", folder.File("in"), "--model", model, "--format", "csv");
        (csv.Status, csv.Errors).ShouldBe((0, ""));
        csv.Output.ShouldContain("b.png,oblong,0.6,128,96,224,224,\r\n");
        csv.Output.ShouldStartWith("picture,");

        var yolo = await SpotterProgram.RunAsync("detect", folder.File("in"), "--model", model, "--format", "yolo", "--out", folder.File("out"));
        yolo.Status.ShouldBe(0, yolo.Errors);
        (await File.ReadAllTextAsync(folder.File("out/classes.txt"))).ShouldBe("square\noblong\n");
        (await File.ReadAllTextAsync(folder.File("out/a.txt"))).ShouldContain("1 0.6875 0.625 0.375 0.5\n");
        File.Exists(folder.File("out/a.jpg")).ShouldBeTrue();

        (await SpotterProgram.RunAsync("detect", folder.File("in"), "--model", model, "--format", "yolo")).Errors.ShouldContain("--out DIR");
        (await SpotterProgram.RunAsync("detect", folder.File("in"), "--model", model, "--format", "csv", "--json")).Status.ShouldBe(2);
    }

    private Task<Answer> ExportAsync(string format, IReadOnlyList<string> jobs) =>
        service.Api.SendAsync(new HttpRequestMessage(HttpMethod.Post, "/v1/results") { Content = JsonContent.Create(new { format, jobs }) });
}
