using Spotter.Vision.Inference;

namespace Spotter.Tests.Vision;

public sealed class BatchChooserTests
{
    [Fact]
    public void A_model_for_one_picture_is_given_one() => new BatchChooser(1).Choose(100).ShouldBe(1);

    [Fact]
    public void Without_a_backlog_nobody_waits_for_company()
    {
        var chooser = Learned(together: 0.5);

        chooser.Choose(1).ShouldBe(1);
        chooser.Choose(3).ShouldBe(2);
    }

    [Fact]
    public void What_is_faster_together_is_run_together() => Learned(together: 0.5).Choose(100).ShouldBe(8);

    [Theory]
    [InlineData(1.0)]
    [InlineData(1.3)]
    [InlineData(0.97)]
    public void What_gains_nothing_or_next_to_nothing_is_run_alone(double together) => Learned(together).Choose(100).ShouldBe(1);

    [Fact]
    public void Every_size_is_tried_when_there_are_enough_pictures()
    {
        var chooser = new BatchChooser(8);
        var tried = new HashSet<int>();
        for (var i = 0; i < 20; i++)
        {
            var count = chooser.Choose(100);
            tried.Add(count);
            chooser.Ran(count, count * 10);
        }

        tried.ShouldBe([1, 2, 4, 8], ignoreOrder: true);
    }

    [Fact]
    public void A_choice_follows_a_machine_that_changes()
    {
        var chooser = Learned(together: 0.5);
        for (var i = 0; i < 50; i++)
            chooser.Ran(8, 8 * 30);

        chooser.Choose(8).ShouldBe(4);
    }

    [Fact]
    public void What_the_model_does_not_take_is_not_tried_again()
    {
        var chooser = new BatchChooser(8);
        chooser.Failed(2);

        chooser.Most.ShouldBe(1);
        chooser.Choose(8).ShouldBe(1);
    }

    /// <summary>One that has seen a model for which a picture takes 10 ms alone, and this share of it with seven others.</summary>
    private static BatchChooser Learned(double together)
    {
        var chooser = new BatchChooser(8);
        foreach (var (count, share) in new[] { (1, 1.0), (2, 1 - ((1 - together) / 3)), (4, 1 - (2 * (1 - together) / 3)), (8, together) })
        {
            for (var i = 0; i < 3; i++)
                chooser.Ran(count, count * share * 10);
        }
        return chooser;
    }
}
