using Microsoft.Extensions.Logging.Abstractions;
using Spotter.Cli.Models;
using Spotter.Core;
using Spotter.Vision;

namespace Spotter.Tests.Models;

/// <summary>The watch on real files; what a file is worth is written in it, so that no model has to be read.</summary>
public sealed class ModelWatchTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly List<string> inspected = [];
    private readonly ManualClock clock = new();
    private Action<string> whileInspecting = _ => { };

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task What_is_there_at_the_start_is_judged_at_once_and_once()
    {
        Write("a", "good 1");
        Write("b", "broken");
        var watch = await StartAsync();

        Show(watch).ShouldBe("a=1 b=?!");
        (await watch.LookAsync(default)).ShouldBeFalse();
        (await watch.LookAsync(default)).ShouldBeFalse();
        inspected.Count(f => f.EndsWith("a.onnx", StringComparison.Ordinal)).ShouldBe(1);
    }

    [Fact]
    public async Task A_file_is_judged_when_two_looks_saw_it_the_same()
    {
        Write("a", "good 1");
        var watch = await StartAsync();
        for (var i = 0; i < 3; i++)
        {
            Write("a", "good 2" + new string(' ', i));
            (await watch.LookAsync(default)).ShouldBeFalse("it is still being written");
        }
        Show(watch).ShouldBe("a=1");

        (await watch.LookAsync(default)).ShouldBeTrue();
        Show(watch).ShouldBe("a=2");
    }

    [Fact]
    public async Task A_version_that_is_no_good_leaves_the_good_one_in_place()
    {
        Write("a", "good 1");
        var watch = await StartAsync();

        Write("a", "broken now");
        await LookTwiceAsync(watch);
        Show(watch).ShouldBe("a=1!");
        watch.Models[0].Wanted.Keep.ShouldBeTrue("no worker is to load it");

        Write("a", "good and whole");
        await LookTwiceAsync(watch);
        Show(watch).ShouldBe("a=and");
        watch.Models[0].Wanted.Keep.ShouldBeFalse();
    }

    [Fact]
    public async Task What_changes_while_it_is_inspected_is_judged_again()
    {
        Write("a", "good 1");
        var watch = await StartAsync();
        Write("a", "good two");
        await watch.LookAsync(default);
        whileInspecting = _ => Write("a", "good third");

        (await watch.LookAsync(default)).ShouldBeFalse();
        Show(watch).ShouldBe("a=1");
        whileInspecting = _ => { };
        (await watch.LookAsync(default)).ShouldBeTrue();
        Show(watch).ShouldBe("a=third");
    }

    [Fact]
    public async Task Files_come_and_go()
    {
        Write("b", "good 1");
        var watch = await StartAsync();

        Write("a", "good 1");
        await LookTwiceAsync(watch);
        Show(watch).ShouldBe("a=1 b=1");

        File.Delete(PathOf("a"));
        (await watch.LookAsync(default)).ShouldBeFalse("whoever replaces a file may delete it first");
        Show(watch).ShouldBe("a=1 b=1");
        (await watch.LookAsync(default)).ShouldBeTrue();
        Show(watch).ShouldBe("b=1");
    }

    [Fact]
    public async Task A_file_that_is_away_for_one_look_keeps_its_place()
    {
        Write("a", "good 1");
        Write("b", "good 1");
        var watch = await StartAsync();
        File.Delete(PathOf("a"));
        await watch.LookAsync(default);
        Write("c", "good 1");
        await watch.LookAsync(default);
        Write("a", "good 2");
        await watch.LookAsync(default);
        await watch.LookAsync(default);

        Show(watch).ShouldBe("a=2 b=1 c=1");
    }

    [Fact]
    public async Task What_overrides_a_model_belongs_to_it()
    {
        Write("a", "good 1");
        var watch = await StartAsync();
        var before = inspected.Count;

        await File.WriteAllTextAsync(Path.ChangeExtension(PathOf("a"), ".yaml"), "task: detect");
        await LookTwiceAsync(watch);
        inspected.Count.ShouldBe(before + 1);
        File.Delete(Path.ChangeExtension(PathOf("a"), ".yaml"));
        await LookTwiceAsync(watch);
        inspected.Count.ShouldBe(before + 2);
    }

    [Fact]
    public async Task A_link_that_leads_elsewhere_is_another_file()
    {
        File.WriteAllText(folder.File("one"), "good 1");
        File.WriteAllText(folder.File("two"), "good 2");
        File.SetLastWriteTimeUtc(folder.File("two"), File.GetLastWriteTimeUtc(folder.File("one")));
        Directory.CreateDirectory(folder.File("models"));
        File.CreateSymbolicLink(PathOf("a"), folder.File("one"));
        var watch = await StartAsync();

        File.Delete(PathOf("a"));
        File.CreateSymbolicLink(PathOf("a"), folder.File("two"));
        await LookTwiceAsync(watch);

        Show(watch).ShouldBe("a=2");
    }

    [Fact]
    public async Task A_model_that_was_named_and_is_no_good_is_refused_at_the_start()
    {
        Write("a", "broken");
        var watch = new ModelWatch(new ModelChoice([PathOf("a")], folder.Path), InspectAsync, clock, NullLogger<ModelWatch>.Instance);

        (await Should.ThrowAsync<SpotterException>(() => watch.StartAsync(default))).Code.ShouldBe(ErrorCodes.ModelInvalid);
    }

    [Fact]
    public async Task It_looks_every_other_second_and_tells_only_news()
    {
        Write("a", "good 1");
        var watch = await StartAsync();
        var told = new List<string>();
        using var stop = new CancellationTokenSource();
        var running = watch.RunAsync(_ => told.Add(Show(watch)), stop.Token);
        Write("a", "good 2");

        while (told.Count == 0)
        {
            await clock.WaitForTimersAsync().WaitAsync(TimeSpan.FromSeconds(60));
            clock.Advance(ModelWatch.Period);
        }
        await stop.CancelAsync();
        await running;

        told.ShouldBe(["a=2"]);
    }

    private async Task<ModelWatch> StartAsync()
    {
        var watch = new ModelWatch(new ModelChoice([], folder.Path), InspectAsync, clock, NullLogger<ModelWatch>.Instance);
        await watch.StartAsync(default);
        return watch;
    }

    private static async Task LookTwiceAsync(ModelWatch watch)
    {
        await watch.LookAsync(default);
        await watch.LookAsync(default);
    }

    private Task<IReadOnlyList<ModelListing>> InspectAsync(IReadOnlyList<string> files, CancellationToken cancel) =>
        Task.FromResult<IReadOnlyList<ModelListing>>([.. files.Select(Inspect)]);

    private ModelListing Inspect(string file)
    {
        inspected.Add(file);
        var words = File.ReadAllText(file).Split(' ');
        whileInspecting(file);
        return words is ["good", var version, ..]
            ? new(file, 1, new ModelInfo(Path.GetFileNameWithoutExtension(file), VisionTasks.Detect, "yolov8", 1, 1, []) { Version = version }, Error: null, [])
            : new(file, 1, Model: null, new(ErrorCodes.ModelInvalid, "It is broken."), []);
    }

    /// <summary>The models of this test; a checkout may carry others.</summary>
    private string Show(ModelWatch watch) => string.Join(' ', watch.Models
        .Where(m => m.File.StartsWith(folder.Path, StringComparison.Ordinal))
        .Select(m => $"{m.Id}={m.Model?.Version ?? "?"}{(m.Error is null ? "" : "!")}"));

    private string PathOf(string name) => folder.File($"models/{name}.onnx");

    private void Write(string name, string content)
    {
        Directory.CreateDirectory(folder.File("models"));
        File.WriteAllText(PathOf(name), content);
    }
}
