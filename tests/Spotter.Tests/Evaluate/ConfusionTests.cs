using Spotter.Cli.Evaluate;
using Spotter.Vision;

namespace Spotter.Tests.Evaluate;

public sealed class ConfusionTests
{
    private static readonly Box Here = new(0, 0, 10, 10);
    private static readonly Box Beside = new(1, 0, 11, 10);
    private static readonly Box There = new(100, 0, 110, 10);

    [Fact]
    public void The_surest_guess_takes_the_object_that_it_overlaps_most()
    {
        var counts = Count(0.5, [new(0, Here), new(1, Beside)], [new(1, 0.9, Beside), new(0, 0.8, Here)]);

        Cells(counts).ShouldBe(["0 as 0: 1", "1 as 1: 1"]);
    }

    [Fact]
    public void What_is_less_sure_is_missed_and_what_is_elsewhere_is_nothing()
    {
        var counts = Count(0.5, [new(0, Here)], [new(0, 0.4, Here), new(1, 0.9, There)]);

        Cells(counts).ShouldBe(["0 as 2: 1", "2 as 1: 1"]);
    }

    [Fact]
    public void A_second_guess_about_one_object_is_of_nothing() =>
        Cells(Count(0.5, [new(0, Here)], [new(0, 0.9, Here), new(1, 0.8, Here)])).ShouldBe(["0 as 0: 1", "2 as 1: 1"]);

    [Fact]
    public void A_crowd_is_neither_found_nor_missed() =>
        Cells(Count(0.5, [new(0, Here, Crowd: true)], [new(0, 0.9, Here), new(1, 0.8, There)])).ShouldBe(["2 as 1: 1"]);

    private static int[,] Count(double confidence, Truth[] objects, Guess[] guesses)
    {
        var confusion = new Confusion(2);
        confusion.Add(objects, guesses);
        return confusion.Count(confidence);
    }

    private static IEnumerable<string> Cells(int[,] counts) =>
        from row in Enumerable.Range(0, 3) from column in Enumerable.Range(0, 3) where counts[row, column] > 0 select $"{row} as {column}: {counts[row, column]}";
}
