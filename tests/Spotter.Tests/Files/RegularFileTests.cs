using System.Diagnostics;
using Spotter.Cli.Catalogue;
using Spotter.Cli.Evaluate;
using Spotter.Cli.Settings;
using Spotter.Core.Files;
using Spotter.Gateway.Access;
using Spotter.Scaling.Simulation;

namespace Spotter.Tests.Files;

/// <summary>Devices and pipes in the place of files, which have no end, or keep whoever opens them waiting.</summary>
public sealed class RegularFileTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_file_is_read_also_through_a_link()
    {
        File.WriteAllText(folder.File("file"), "text");
        File.CreateSymbolicLink(folder.File("link"), folder.File("file"));

        RegularFile.ReadText(folder.File("link"), 4).ShouldBe("text");
        Should.Throw<IOException>(() => RegularFile.ReadText(folder.File("file"), 3)).Message.ShouldContain("more than 3 bytes");
        Should.Throw<FileNotFoundException>(() => RegularFile.Open(folder.File("none")));
        Should.Throw<UnauthorizedAccessException>(() => RegularFile.Open(folder.Path));
    }

    [LinuxTheory]
    [InlineData("/dev/zero")]
    [InlineData("pipe")]
    [InlineData("link")]
    public void Nothing_else_is_opened(string what)
    {
        var path = Place(what);

        Should.Throw<IOException>(() => RegularFile.Open(path)).Message.ShouldBe($"{path} is a device, a pipe or a socket, not a file.");
    }

    public static TheoryData<string> Readers => [.. Reading.Keys];

    private static readonly Dictionary<string, Action<string>> Reading = new(StringComparer.Ordinal)
    {
        ["settings"] = file => YamlSettings.Read(file),
        ["keys"] = file => new KeyFile(file).Read(),
        ["trace"] = file => TraceFile.Read(file, MachineKind.Ec2, new()),
        ["annotations"] = file => CocoDocument.Read(file, "images", max: null),
        ["catalogue"] = file => ModelCatalogue.LoadAsync(file, transfer: null!, CancellationToken.None).GetAwaiter().GetResult(),
    };

    [LinuxTheory]
    [MemberData(nameof(Readers))]
    public async Task Whatever_reads_a_file_that_somebody_names_refuses_a_pipe(string reader)
    {
        var pipe = Place("pipe");

        // On another thread: one that waits for a writer would wait for ever.
        var refusal = await Should.ThrowAsync<Exception>(Task.Run(() => Reading[reader](pipe)).WaitAsync(TimeSpan.FromSeconds(30)));

        refusal.ShouldNotBeOfType<TimeoutException>();
        refusal.Message.ShouldContain("not a file");
    }

    private string Place(string what)
    {
        if (what.StartsWith('/'))
            return what;
        var path = folder.File(what);
        if (what == "link")
        {
            File.CreateSymbolicLink(path, "/dev/zero");
            return path;
        }
        using var made = Process.Start("mkfifo", path);
        made.WaitForExit();
        made.ExitCode.ShouldBe(0);
        return path;
    }
}
