namespace Spotter.EndToEnd.Api;

/// <summary><c>spotter health</c>, as the health check of a container or a script asks.</summary>
public sealed class HealthCommandTests
{
    [Fact]
    public async Task It_tells_a_service_that_answers_from_none()
    {
        using var folder = new TemporaryFolder();
        var data = folder.File("data");
        var token = new Dictionary<string, string>(StringComparer.Ordinal) { ["SPOTTER__WORKER__TOKEN"] = "0123456789abcdef0123456789abcdef" };
        string url;
        await using (var gateway = await SpotterProcess.StartAsync(data, model: null, environment: token, command: "gateway"))
        {
            url = gateway.Address.ToString();
            (await SpotterProgram.RunAsync("health", "--url", url)).ShouldBe((0, "healthy\n", ""));
            (await SpotterProgram.RunAsync("health", "--data", data, "--ready")).ShouldBe((0, "ready\n", ""));
            (await gateway.TerminateAsync()).ShouldBe(0, gateway.Log);
        }

        var (status, output, errors) = await SpotterProgram.RunAsync("health", "--url", url);

        (status, output).ShouldBe((1, ""));
        errors.ShouldContain("can't be reached (connection refused)");
    }
}
