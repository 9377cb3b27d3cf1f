using Microsoft.Extensions.Logging.Abstractions;
using Spotter.Engines;
using Spotter.Engines.Catalogue;
using Spotter.Engines.Running;
using Spotter.Jobs;
using Spotter.Tests.Vision;
using Spotter.Vision;
using Spotter.Vision.Inference;

namespace Spotter.Tests.Models;

/// <summary>Real models that come, go and are replaced.</summary>
public sealed class LoadedModelsTests : IDisposable
{
    private readonly LoadedModels models = new();
    private readonly TemporaryFolder folder = new();

    public void Dispose()
    {
        models.Dispose();
        folder.Dispose();
    }

    [Fact]
    public void A_job_ends_on_the_version_on_which_it_began()
    {
        models.Set(Load(0.6f), "1");
        var before = models.Served(EngineCatalogue.BuiltIn.QueuesOf);
        using (var old = models.TryUse("tiny").ShouldNotBeNull())
        {
            models.Set(Load(0.9f), "2");
            models.VersionOf("tiny").ShouldBe("2");
            before.Changed.IsCancellationRequested.ShouldBeTrue();
            ScoreOf(old).ShouldBe(0.6, 0.001);
            using var now = models.TryUse("tiny").ShouldNotBeNull();
            ScoreOf(now).ShouldBe(0.9, 0.001);
            models.Remove("tiny");
            ScoreOf(old).ShouldBe(0.6, 0.001, "also when nobody may begin on it any more");
        }
        models.TryUse("tiny").ShouldBeNull();
        models.List().ShouldBeEmpty();
    }

    [Fact]
    public async Task Versions_may_change_while_many_jobs_run()
    {
        models.Set(Load(0.6f), "0");
        using var stop = new CancellationTokenSource();
        var jobs = Enumerable.Range(0, 3).Select(_ => Task.Run(() =>
        {
            var ran = 0;
            do
            {
                using var use = models.TryUse("tiny").ShouldNotBeNull();
                ScoreOf(use).ShouldBeGreaterThan(0.5);
                ran++;
            }
            while (!stop.IsCancellationRequested);
            return ran;
        })).ToArray();
        for (var version = 1; version <= 20; version++)
            models.Set(Load(0.6f + (version * 0.01f)), $"{version}");
        await stop.CancelAsync();

        (await Task.WhenAll(jobs)).ShouldAllBe(ran => ran > 0);
    }

    [Fact]
    public void What_cannot_be_loaded_is_said_and_takes_no_jobs()
    {
        models.Fail("tiny", new JobError("model_invalid", "It is broken."));
        models.Served(EngineCatalogue.BuiltIn.QueuesOf).Names.ShouldBe(["annotate", "filter"]);
        models.List().ShouldHaveSingleItem().Version.ShouldBeNull();

        models.Set(Load(0.6f), "1");
        models.Served(EngineCatalogue.BuiltIn.QueuesOf).Names.ShouldBe(["annotate", "filter", "detect/tiny", "tensor/tiny"]);
        models.Fail("tiny", new JobError("model_invalid", "The next one is broken."));

        models.Served(EngineCatalogue.BuiltIn.QueuesOf).Names.ShouldContain(name => name == "detect/tiny", "the version before goes on");
        var told = models.List().ShouldHaveSingleItem();
        (told.Version, told.Error!.Detail).ShouldBe(("1", "The next one is broken."));
        models.Confirm("tiny");
        models.List().ShouldHaveSingleItem().Error.ShouldBeNull();
    }

    [Fact]
    public async Task The_loader_has_what_is_wanted_and_nothing_else()
    {
        var loader = new ModelLoader(models, new VisionModelOptions(), NullLogger<ModelLoader>.Instance);
        var (a, b) = (Write("a", 0.6f), Write("b", 0.7f));
        File.WriteAllText(folder.File("broken.onnx"), "no model");
        loader.Want([new(a), new(folder.File("broken.onnx")), new(b)]);
        models.List().Select(m => m.Id).ShouldBe(["a", "broken", "b"], "it is known at once what is to come");
        await UntilAsync("a b broken!");
        models.List().ShouldAllBe(m => !m.IsLoading);

        var kept = models.VersionOf("a");
        Write("a", 0.8f);
        loader.Want([new(a, Keep: true), new(b)]);
        await UntilAsync("a b");
        models.VersionOf("a").ShouldBe(kept, "that was not to be loaded");

        loader.Want([new(a)]);
        // The other one goes before the new version has been loaded.
        await UntilAsync("a", () => models.VersionOf("a") != kept);
        using (var use = models.TryUse("a").ShouldNotBeNull())
            ScoreOf(use).ShouldBe(0.8, 0.001);

        File.Delete(a);
        loader.Want([new(a)]);
        await UntilAsync("a!");
        models.TryUse("a").ShouldNotBeNull().Dispose();
    }

    [Fact]
    public async Task What_was_to_be_loaded_and_is_wanted_no_more_is_forgotten()
    {
        var loader = new ModelLoader(models, new VisionModelOptions(), NullLogger<ModelLoader>.Instance);
        models.Expect("ghost");
        models.Expect("spoilt");
        var a = Write("a", 0.6f);

        loader.Want([new(a), new(folder.File("spoilt.onnx"), Keep: true)]);

        await UntilAsync("a");
    }

    [Fact]
    public async Task When_nothing_can_be_loaded_the_loader_does_not_keep_anybody_waiting()
    {
        var loader = new ModelLoader(models, new VisionModelOptions(), NullLogger<ModelLoader>.Instance);
        loader.Want([new(folder.File("nowhere.onnx"))]);

        await UntilAsync("nowhere!");
        models.List().ShouldHaveSingleItem().Error.ShouldNotBeNull();
    }

    private async Task UntilAsync(string what, Func<bool>? besides = null)
    {
        while (true)
        {
            var served = models.Served(EngineCatalogue.BuiltIn.QueuesOf);
            if (string.Join(' ', models.List().OrderBy(m => m.Id, StringComparer.Ordinal).Select(m => m.Id + (m.IsLoading ? "?" : m.Error is null ? "" : "!"))) == what && besides?.Invoke() != false)
                return;
            var changed = new TaskCompletionSource();
            await using var _ = served.Changed.Register(changed.SetResult);
            await changed.Task.WaitAsync(TimeSpan.FromSeconds(60));
        }
    }

    private string Write(string id, float score)
    {
        File.WriteAllBytes(folder.File(id + ".onnx"), Bytes(score));
        return folder.File(id + ".onnx");
    }

    private static VisionModel Load(float score)
    {
        using var file = new ModelFile(Bytes(score));
        return VisionModel.Load(file.Path, new VisionModelOptions());
    }

    private static byte[] Bytes(float score) =>
        TestModels.Constant([1, 3, 32, 32], [TestModels.Columns(2, (16, 16, 8, 8, 0, score))], [("names", "{0: 'a', 1: 'b'}")]);

    private static double ScoreOf(LoadedModels.Use use)
    {
        using var found = use.Model.Run(TestPictures.Png(32, 32), new VisionParameters());
        return found.Result.Detections!.ShouldHaveSingleItem().Confidence;
    }
}
