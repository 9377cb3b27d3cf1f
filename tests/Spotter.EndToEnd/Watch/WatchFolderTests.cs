using System.Diagnostics;

namespace Spotter.EndToEnd.Watch;

/// <summary><c>spotter watch</c> on a folder.</summary>
public sealed class WatchFolderTests(RunningService service) : IClassFixture<RunningService>, IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task New_pictures_are_looked_at_once_each_and_what_is_not_finished_is_not()
    {
        await WriteAsync("old.png", 200);
        await using var watch = WatchProcess.Start(service.Process.Address, [folder.Path, "--json"]);
        await ReadyAsync(watch);

        Directory.CreateDirectory(folder.File("2026/01"));
        await WriteAsync("2026/01/a.png", 201);
        await WriteAsync("b.png.part", 202);
        await WriteAsync(".c.png", 203);
        await WriteAsync("d.txt", 204);
        await File.WriteAllBytesAsync(folder.File("e.png"), "no picture"u8.ToArray());
        await watch.SeeAsync("the picture of the subfolder", r => r.GetProperty("file").GetString() == folder.File("2026/01/a.png"));
        (await watch.SeeAsync("what is no picture", r => Name(r) == "e.png")).GetProperty("error").GetProperty("code").GetString().ShouldBe("unsupported_image");

        File.Move(folder.File("b.png.part"), folder.File("b.png"));
        await watch.SeeAsync("the renamed picture", r => Name(r) == "b.png");

        watch.Results.Select(Name).Where(n => n != "ready.png").Order(StringComparer.Ordinal).ShouldBe(["a.png", "b.png", "e.png"]);
        watch.Errors.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_file_that_is_being_written_is_taken_when_it_is_whole()
    {
        await using var watch = WatchProcess.Start(service.Process.Address, [folder.Path, "--json"]);
        await ReadyAsync(watch);

        var bytes = Pictures.Png(99, width: 640, height: 480, channels: 4);
        await using (var file = File.Create(folder.File("slow.png")))
        {
            // Longer than it takes to settle, never standing still for that long.
            foreach (var part in bytes.Chunk((bytes.Length / 8) + 1))
            {
                await file.WriteAsync(part);
                await file.FlushAsync();
                await Task.Delay(TimeSpan.FromMilliseconds(250), TimeProvider.System);
            }
        }
        var result = await watch.SeeAsync("the whole picture", r => Name(r) == "slow.png");

        result.GetProperty("state").GetString().ShouldBe("succeeded");
        watch.Results.Count(r => Name(r) == "slow.png").ShouldBe(1);
    }

    [Fact]
    public async Task What_is_there_already_is_taken_when_it_is_wanted_and_all_of_it()
    {
        for (var i = 0; i < 8; i++)
            await WriteAsync($"{i}.png", (byte)(20 * i));

        await using var watch = WatchProcess.Start(service.Process.Address, [folder.Path, "--existing", "--count", "8"]);

        (await watch.ExitAsync()).ShouldBe(0, string.Join('\n', watch.Errors));
        watch.Output.Select(line => line[10..].Split(':')[0]).Order(StringComparer.Ordinal).ShouldBe(Enumerable.Range(0, 8).Select(i => $"{i}.png"));
    }

    [Fact]
    public async Task A_folder_that_goes_away_is_said_once_and_watched_again()
    {
        var inner = folder.File("in");
        Directory.CreateDirectory(inner);
        await using var watch = WatchProcess.Start(service.Process.Address, [inner, "--json"]);
        await ReadyAsync(watch, "in/ready.png");

        Directory.Delete(inner, recursive: true);
        await watch.HearAsync($"the folder {inner} can't be used");
        Directory.CreateDirectory(inner);
        await watch.HearAsync($"the folder {inner} is back.");
        await WriteAsync("in/again.png", 60);

        await watch.SeeAsync("the new picture", r => Name(r) == "again.png");
        watch.Errors.Count.ShouldBe(2);
    }

    /// <summary>Waits until it has looked at the folder, which shows in a picture that it takes: until then, what is put there may count as there before.</summary>
    private async Task ReadyAsync(WatchProcess watch, string name = "ready.png")
    {
        var written = 0L;
        await watch.SeeAsync("the first picture", () =>
        {
            // One that came before the first look is taken once it has changed.
            if (written == 0 || Stopwatch.GetElapsedTime(written) > TimeSpan.FromSeconds(3))
            {
                File.WriteAllBytes(folder.File(name), Pictures.Png(40));
                written = Stopwatch.GetTimestamp();
            }
            return watch.Results.Any(r => Name(r) == "ready.png");
        });
    }

    private Task WriteAsync(string name, byte shade) => File.WriteAllBytesAsync(folder.File(name), Pictures.Png(shade));

    private static string Name(System.Text.Json.JsonElement result) => Path.GetFileName(result.GetProperty("file").GetString()!);
}
