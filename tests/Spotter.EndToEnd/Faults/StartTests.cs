using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Spotter.EndToEnd.Faults;

/// <summary>A service that can't start says in one line what it found, and ends with status 1; wrong usage with 2.</summary>
public sealed class StartTests
{
    [Fact]
    public async Task A_model_that_is_not_there()
    {
        using var folder = new TemporaryFolder();

        await RefusedAsync(["--data", folder.File("data"), "--model", folder.File("nowhere.onnx")], "nowhere.onnx");
    }

    [Fact]
    public async Task A_model_that_is_none()
    {
        using var folder = new TemporaryFolder();
        var text = folder.File("text.onnx");
        await File.WriteAllTextAsync(text, "this is a text");

        await RefusedAsync(["--data", folder.File("data"), "--model", text], text, "not an ONNX model");
    }

    [Fact]
    public async Task A_model_that_was_cut_off()
    {
        using var folder = new TemporaryFolder();
        var cut = PatchModel.Write(folder.File("cut.onnx"));
        await File.WriteAllBytesAsync(cut, (await File.ReadAllBytesAsync(cut))[..600]);

        await RefusedAsync(["--data", folder.File("data"), "--model", cut], cut);
    }

    [Fact]
    public async Task An_empty_file_as_model()
    {
        using var folder = new TemporaryFolder();
        var empty = folder.File("empty.onnx");
        await File.WriteAllBytesAsync(empty, []);

        await RefusedAsync(["--data", folder.File("data"), "--model", empty], empty);
    }

    [Fact]
    public async Task A_model_of_a_layout_that_is_not_understood_is_refused_with_what_was_found()
    {
        using var folder = new TemporaryFolder();
        var model = PatchModel.WriteUnsupported(folder.File("classifier.onnx"));

        await RefusedAsync(["--data", folder.File("data"), "--model", model], model, "mean");
    }

    [Fact]
    public async Task A_port_in_use()
    {
        using var folder = new TemporaryFolder();
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture);

        await RefusedAsync(["--data", folder.File("data"), "--model", PatchModel.Write(folder.File("patches.onnx")), "--port", port], port, "in use");
    }

    [Fact]
    public async Task An_address_that_is_not_of_this_machine()
    {
        using var folder = new TemporaryFolder();

        await RefusedAsync(["--data", folder.File("data"), "--model", PatchModel.Write(folder.File("patches.onnx")), "--port", "0", "--host", "192.0.2.1", "--insecure-open"], "192.0.2.1");
    }

    [Fact]
    public async Task A_data_folder_that_can_not_be_made_or_is_a_file()
    {
        using var folder = new TemporaryFolder();
        var model = PatchModel.Write(folder.File("patches.onnx"));

        await RefusedAsync(["--data", Path.Combine(model, "data"), "--model", model], "data folder");
        await RefusedAsync(["--data", model, "--model", model], "data folder");
    }

    [Fact]
    public async Task A_data_folder_that_may_not_be_written()
    {
        // Root may write anywhere but here.
        await RefusedAsync(["--data", OperatingSystem.IsLinux() ? "/proc/spotter" : "/dev/null/spotter"], "data folder");
    }

    [Fact]
    public async Task A_second_service_on_one_data_folder_is_refused_while_the_first_goes_on()
    {
        using var folder = new TemporaryFolder();
        var model = PatchModel.Write(folder.File("patches.onnx"));
        await using var first = await SpotterProcess.StartAsync(folder.File("data"), model);
        using var api = new SpotterApi(first.Address);

        await RefusedAsync(["--data", folder.File("data"), "--model", model, "--port", "0"], "in use by process " + first.Id.ToString(CultureInfo.InvariantCulture));

        SpotterApi.StateOf(await api.RunAsync(Pictures.Png(70))).ShouldBe("succeeded");
    }

    [Fact]
    public async Task Two_models_of_one_name()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder.File("other"));

        await RefusedAsync(
            ["--data", folder.File("data"), "--model", PatchModel.Write(folder.File("patches.onnx")), "--model", PatchModel.Write(folder.File("other/patches.onnx"))], "patches");
    }

    [Theory]
    [InlineData("--port", "65536")]
    [InlineData("--port", "-1")]
    [InlineData("--port", "http")]
    [InlineData("--max-workers", "0")]
    [InlineData("--max-workers", "two")]
    [InlineData("--lanes", "0")]
    [InlineData("--linger", "-1")]
    [InlineData("--nonsense")]
    [InlineData("nonsense")]
    public async Task Wrong_flags_are_status_2(params string[] arguments)
    {
        var (status, output, errors) = await SpotterProgram.RunAsync(["serve", .. arguments]);

        status.ShouldBe(2);
        output.ShouldBeEmpty();
        errors.TrimEnd().Split('\n').ShouldHaveSingleItem().ShouldContain("--help");
    }

    [Fact]
    public async Task Help_names_every_flag()
    {
        var (status, output, errors) = await SpotterProgram.RunAsync("serve", "--help");

        status.ShouldBe(0);
        errors.ShouldBeEmpty();
        foreach (var flag in (string[])["--port", "--data", "--model", "--max-workers", "--lanes"])
            output.ShouldContain(flag);
    }

    [Fact]
    public async Task Without_a_model_the_service_starts_and_says_what_is_missing()
    {
        using var folder = new TemporaryFolder();
        await using var service = await SpotterProcess.StartAsync(folder.File("data"), model: null);
        using var api = new SpotterApi(service.Address);
        var models = (await api.GetAsync("/v1/models")).Json;
        if (models.GetProperty("models").GetArrayLength() > 0)
            return; // A checkout may carry a model of its own.

        models.GetProperty("default").ValueKind.ShouldBe(System.Text.Json.JsonValueKind.Null);
        service.Log.ShouldContain("no model is loaded");
        (await api.SubmitAsync(Pictures.Png(70))).ShouldBeProblem(503, "no_model");
    }

    [Fact]
    public async Task Told_to_run_everything_it_answers_nothing_from_what_it_knows()
    {
        using var folder = new TemporaryFolder();
        await using var service = await SpotterProcess.StartAsync(folder.File("data"), PatchModel.Write(folder.File("patches.onnx")), ["--no-reuse"]);
        using var api = new SpotterApi(service.Address);
        for (var i = 0; i < 2; i++)
            (await api.RunAsync(Pictures.Png(130), Part.Field("reuse", "true"))).GetProperty("cachedFrom").ValueKind.ShouldBe(System.Text.Json.JsonValueKind.Null);
    }

    private static async Task RefusedAsync(string[] arguments, params string[] said)
    {
        var (status, output, errors) = await SpotterProgram.RunAsync(["serve", .. arguments]);

        status.ShouldBe(1, errors);
        output.ShouldBeEmpty();
        var line = errors.TrimEnd().Split('\n').ShouldHaveSingleItem();
        line.ShouldStartWith("spotter: ");
        foreach (var part in said)
            line.ShouldContain(part, Case.Sensitive);
    }
}
