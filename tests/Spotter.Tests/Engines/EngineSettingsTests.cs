using Spotter.Core;
using Spotter.Engine;

namespace Spotter.Tests.Engines;

public sealed class EngineSettingsTests
{
    [Fact]
    public void Flags_go_before_variables()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("token"), "secret\n");

        var settings = Read(["--server", "http://a:1", "--lanes=3", "--token-file", folder.File("token")], ("SERVER", "http://b:2"), ("TOKEN", "other"), ("NAME", "n"));

        (settings.Server, settings.Token, settings.Name, settings.Lanes).ShouldBe((new Uri("http://a:1"), "secret", "n", 3));
        var plain = Read([], ("TOKEN", "t"));
        (plain.Server, plain.Lanes).ShouldBe((new Uri("http://127.0.0.1:8080"), Environment.ProcessorCount));
        plain.Name.ShouldStartWith("colours-");
        plain.Name.Length.ShouldBeLessThanOrEqualTo(64);
    }

    [Theory]
    [InlineData("--sever", "x", "--sever")]
    [InlineData("--server", "host:8080x", "host:8080x")]
    [InlineData("--lanes", "0", "'0'")]
    [InlineData("--token-file", "/nowhere/at/all", "/nowhere/at/all")]
    [InlineData("--name", "n", "worker token")]
    public void What_is_wrong_is_said_with_what_to_do(string flag, string value, string words) =>
        Should.Throw<SpotterException>(() => Read([flag, value], flag == "--name" ? [] : [("TOKEN", "t")])).Message.ShouldContain(words);

    private static EngineSettings Read(string[] args, params (string Name, string Value)[] variables) =>
        EngineSettings.Read(args, name => variables.Where(v => name == $"SPOTTER__WORKER__{v.Name}").Select(v => v.Value).FirstOrDefault(), "colours");
}
