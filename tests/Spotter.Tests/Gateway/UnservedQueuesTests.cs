using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Tests.Gateway;

public sealed class UnservedQueuesTests
{
    private static readonly ModelInfo Tiny = new("tiny", "detect", "yolox", 416, 416, []);

    private readonly WorkerRoster roster = new(new ManualClock());

    [Fact]
    public void A_file_that_can_be_loaded_is_waited_for_only_while_there_are_workers_without_it()
    {
        var queues = Queues(new CatalogueModel("tiny", Tiny));
        (queues.MayBeServed("detect/tiny"), queues.ReasonFor("detect/tiny")).ShouldBe((true, null));

        roster.Join("w", 1, []);
        queues.MayBeServed("detect/tiny").ShouldBeTrue();
        queues.ReasonFor("detect/tiny")!.ShouldContain("No worker has the model 'tiny' yet");
        queues.ReasonFor("filter").ShouldBeNull();
        queues.MayBeServed("filter").ShouldBeTrue();
    }

    [Fact]
    public void A_file_that_was_replaced_by_a_broken_one_serves_as_long_as_a_worker_has_what_was_there_before()
    {
        var queues = Queues(new CatalogueModel("tiny", Tiny, new JobError(ErrorCodes.ModelInvalid, "tiny.onnx ends too early.")));
        roster.Join("w", 1, [new WorkerModel("tiny", "v1")]);
        (queues.MayBeServed("detect/tiny"), queues.ReasonFor("detect/tiny")).ShouldBe((true, null));

        roster.Leave("w");

        queues.MayBeServed("detect/tiny").ShouldBeFalse("a worker that starts can't load it");
        queues.ReasonFor("detect/tiny")!.ShouldBe(
            "The file of the model 'tiny' can't be loaded, and no worker has an earlier version; the job waits until the file is replaced, or until it is cancelled. tiny.onnx ends too early.");
    }

    [Fact]
    public void A_model_that_is_gone_serves_nobody()
    {
        var queues = Queues();
        queues.MayBeServed("detect/tiny").ShouldBeFalse();
        queues.ReasonFor("detect/tiny")!.ShouldContain("not here any more");
    }

    [Fact]
    public async Task It_can_be_asked_while_workers_come_and_go()
    {
        var queues = Queues(new CatalogueModel("tiny", Tiny));
        using var stop = new CancellationTokenSource();
        var coming = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                roster.Join("w", 1, [new WorkerModel("tiny", "v1")]);
                roster.Leave("w");
            }
        });

        for (var i = 0; i < 300_000; i++)
            _ = queues.ReasonFor("detect/tiny");

        await stop.CancelAsync();
        await coming;
    }

    [Fact]
    public void What_another_gateway_has_is_waited_for_while_it_has_it()
    {
        var catalogue = new ModelCatalogue((IReadOnlyList<CatalogueModel>)[]);
        catalogue.StartNobody(offersBuiltIn: false);
        var queues = new UnservedQueues(catalogue, roster);
        queues.ReasonFor("detect/tiny").ShouldNotBeNull();

        catalogue.Hear([Tiny]);
        queues.ReasonFor("detect/tiny").ShouldBeNull();
        queues.MayBeServed("detect/tiny").ShouldBeFalse("no worker is started for it here");
        catalogue.Models.Select(m => m.Id).ShouldBe(["tiny"], "requests may choose it");

        catalogue.Hear([]);
        queues.ReasonFor("detect/tiny").ShouldBe("No worker has the model 'tiny' now; the job waits until one joins that has, or until it is cancelled.");
        catalogue.Models.Select(m => m.Id).ShouldBe(["tiny"], "it may come back");
    }

    [Fact]
    public void A_gateway_with_files_of_its_own_says_of_anothers_model_what_is_true()
    {
        var catalogue = new ModelCatalogue([new ModelInfo("mine", "detect", "yolox", 416, 416, [])]);
        var queues = new UnservedQueues(catalogue, roster);
        catalogue.Hear([Tiny]);
        (queues.ReasonFor("detect/tiny"), queues.ReasonFor("detect/mine")).ShouldBe((null, null));
        catalogue.Models[0].Id.ShouldBe("mine");

        catalogue.Hear([]);
        queues.ReasonFor("detect/tiny")!.ShouldContain("No worker has the model 'tiny' now");
        catalogue.Started.Select(m => m.Id).ShouldBe(["mine"], "nor does this one say that it has it");
    }

    private UnservedQueues Queues(params CatalogueModel[] models) => new(new ModelCatalogue(models), roster);
}
