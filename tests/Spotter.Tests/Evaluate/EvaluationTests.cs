using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Spotter.Cli.Evaluate;
using Spotter.Vision;

namespace Spotter.Tests.Evaluate;

public sealed class EvaluationTests
{
    // Far apart from each other.
    private static readonly Box Here = new(0, 0, 10, 10);
    private static readonly Box There = new(100, 0, 110, 10);
    private static readonly Box Nowhere = new(500, 500, 510, 510);

    [Fact]
    public void What_is_found_exactly_is_perfect()
    {
        var score = Measure(([Here], [(0.9, Here)]));

        score.ShouldSatisfyAllConditions(
            () => score.Map50.ShouldBe(1), () => score.Map.ShouldBe(1), () => score.Precision.ShouldBe(1), () => score.Recall.ShouldBe(1));
    }

    [Fact]
    public void Precision_is_read_at_101_recalls_and_never_rises_again()
    {
        // Right, wrong, right: precision 1 at recall 0.5, then 2/3 at recall 1. 0.00 to 0.50 are 51 recalls, the rest 50.
        var score = Measure(([Here, There], [(0.9, Here), (0.8, Nowhere), (0.7, There)]));

        score.Map50!.Value.ShouldBe((51 + (50 * 2 / 3.0)) / 101, 1e-12);
        score.Map!.Value.ShouldBe(score.Map50.Value, 1e-12);
    }

    [Fact]
    public void A_wrong_guess_before_a_right_one_halves_it() =>
        Measure(([Here], [(0.9, Nowhere), (0.8, Here)])).Map50.ShouldBe(0.5);

    [Fact]
    public void What_is_missed_costs_its_share_of_recalls()
    {
        // Recall ends at 1/2: 51 of 101 recalls are reached.
        var score = Measure(([Here, There], [(0.9, Here)]));

        score.Map50!.Value.ShouldBe(51 / 101.0, 1e-12);
        (score.Precision, score.Recall).ShouldBe((1, 0.5));
    }

    [Fact]
    public void A_second_guess_about_one_object_is_wrong()
    {
        var score = Measure(([Here, There], [(0.9, Here), (0.8, Here), (0.7, There)]));

        score.Map50!.Value.ShouldBe((51 + (50 * 2 / 3.0)) / 101, 1e-12);
        Measure(0.75, ([Here], [(0.9, Here), (0.8, Here)])).Precision.ShouldBe(0.5);
    }

    [Fact]
    public void Overlap_counts_at_each_of_ten_levels()
    {
        // 10 x 7.5 of 10 x 10: 0.75, enough for 0.50, 0.55, 0.60, 0.65, 0.70 and 0.75.
        var score = Measure(([Here], [(0.9, new(0, 0, 10, 7.5))]));

        score.Map50.ShouldBe(1);
        score.Map!.Value.ShouldBe(0.6, 1e-12);
    }

    [Theory]
    [InlineData(5.0, 1)]
    [InlineData(4.99, 0)]
    public void Half_an_overlap_is_enough(double height, double expected) =>
        Measure(([Here], [(0.9, new(0, 0, 10, height))])).Map50.ShouldBe(expected);

    [Fact]
    public void The_surest_guess_takes_the_object_that_it_overlaps_most()
    {
        // The first overlaps A by 8/12 and B by 9/11, so it takes B; the second overlaps only B, which is taken.
        Box a = new(-3, 0, 7, 10), b = Here, first = new(-1, 0, 9, 10), second = new(2, 0, 12, 10);

        var score = Measure(0, ([a, b], [(0.9, first), (0.8, second)]));

        (score.Precision, score.Recall).ShouldBe((0.5, 0.5));
    }

    [Fact]
    public void Guesses_take_objects_of_their_class_and_picture_only()
    {
        var score = Measure(([Here], []), ([], [(0.9, Here)]));
        (score.Map50, score.Precision, score.Recall).ShouldBe((0, 0, 0));

        var other = new Evaluation(2);
        other.Add([new(0, Here)], [new(1, 0.9, Here)]);
        other.Finish().Map50.ShouldBe(0);
    }

    [Fact]
    public void Classes_without_objects_do_not_count_but_their_guesses_are_wrong()
    {
        var evaluation = new Evaluation(3);
        evaluation.Add([new(0, Here), new(1, There)], [new(0, 0.9, Here), new(2, 0.8, Nowhere)]);
        var score = evaluation.Finish(confidence: 0);

        score.Map50.ShouldBe(0.5); // one class found, one not
        score.Classes[1].ShouldBe(new ClassScore(1, 0, 0, null, 0));
        score.Classes[2].ShouldBe(new ClassScore(0, null, null, 0, null));
        (score.Objects, score.Precision, score.Recall).ShouldBe((2, 0.5, 0.5));
    }

    [Fact]
    public void Nothing_at_all_gives_no_figures()
    {
        var score = new Evaluation(2).Finish();

        (score.Objects, score.Map50, score.Map, score.Precision, score.Recall).ShouldBe((0, null, null, null, null));
    }

    [Fact]
    public void Of_equal_scores_the_earlier_picture_comes_first()
    {
        (Box[], (double, Box)[]) right = ([Here], [(0.5, Here)]), wrong = ([], [(0.5, Nowhere)]);

        Measure(right, wrong).Map50.ShouldBe(1);
        Measure(wrong, right).Map50.ShouldBe(0.5);
    }

    [Fact]
    public void Only_the_hundred_surest_guesses_of_a_class_in_a_picture_count()
    {
        (double, Box)[] many = [.. Enumerable.Range(0, 99).Select(_ => (0.9, Nowhere)), (0.5, Here)];

        Measure(([Here], many)).Map50!.Value.ShouldBe(0.01, 1e-12);
        Measure(([Here], [.. many, (0.9, Nowhere)])).Map50.ShouldBe(0);
    }

    [Fact]
    public void What_is_found_in_a_crowd_is_neither_right_nor_wrong()
    {
        var evaluation = new Evaluation(1);
        evaluation.Add(
            [new(0, new(100, 100, 200, 200), Crowd: true), new(0, Here)],
            [new(0, 0.9, new(110, 110, 120, 120)), new(0, 0.8, new(130, 110, 140, 120)), new(0, 0.7, Here)]);
        var score = evaluation.Finish();

        (score.Objects, score.Map50, score.Map, score.Precision, score.Recall).ShouldBe((1, 1, 1, 1, 1));
    }

    [Fact]
    public void Without_a_confidence_the_one_is_taken_where_precision_and_recall_are_best_together()
    {
        // F1 is 2/3 at 0.9, 1/2 at 0.8, 4/5 at 0.7 and 2/3 at 0.6, where two guesses are equally sure.
        (Box[], (double, Box)[]) picture = ([Here, There], [(0.9, Here), (0.8, Nowhere), (0.7, There), (0.6, Nowhere), (0.6, Nowhere)]);

        var best = Measure(picture);
        (best.Confidence, best.Precision, best.Recall).ShouldBe((0.7, 2 / 3.0, 1));
        var given = Measure(0.85, picture);
        (given.Confidence, given.Precision, given.Recall).ShouldBe((0.85, 1, 0.5));
    }

    [Fact]
    public void The_figures_are_those_of_the_reference_implementation()
    {
        // Drawn at random and measured with pycocotools: several classes and pictures, crowds, ties.
        var cases = JsonDocument.Parse(File.ReadAllText(Path.Combine(SharedFiles.Repository, "tests", "Spotter.Tests", "Evaluate", "reference.json")));
        var checkedClasses = 0;
        foreach (var one in cases.RootElement.EnumerateArray())
        {
            var classes = one.GetProperty("classes");
            var evaluation = new Evaluation(classes.GetArrayLength());
            foreach (var picture in one.GetProperty("pictures").EnumerateArray())
            {
                evaluation.Add(
                    [.. picture.GetProperty("objects").EnumerateArray().Select(o => new Truth(o[0].GetInt32(), BoxAt(o, 1), Crowd: o.GetArrayLength() == 6))],
                    [.. picture.GetProperty("guesses").EnumerateArray().Select(g => new Guess(g[0].GetInt32(), g[1].GetDouble(), BoxAt(g, 2)))]);
            }
            var score = evaluation.Finish();
            score.Map50!.Value.ShouldBe(one.GetProperty("map50").GetDouble(), 1e-8);
            score.Map!.Value.ShouldBe(one.GetProperty("map").GetDouble(), 1e-8);
            for (var c = 0; c < score.Classes.Count; c++)
            {
                if (classes[c].ValueKind == JsonValueKind.Null)
                {
                    score.Classes[c].Ap.ShouldBeNull();
                    continue;
                }
                score.Classes[c].Ap50!.Value.ShouldBe(classes[c][0].GetDouble(), 1e-8);
                score.Classes[c].Ap!.Value.ShouldBe(classes[c][1].GetDouble(), 1e-8);
                checkedClasses++;
            }
        }
        checkedClasses.ShouldBeGreaterThan(20);

        static Box BoxAt(JsonElement numbers, int at)
        {
            double x = numbers[at].GetDouble(), y = numbers[at + 1].GetDouble();
            return new(x, y, x + numbers[at + 2].GetDouble(), y + numbers[at + 3].GetDouble());
        }
    }

    [Fact]
    public void Figures_are_shares_and_a_doubtful_wrong_guess_never_helps() => Check.QuickThrowOnFailure(Prop.ForAll(
        Gen.Zip(BoxGen().ListOf(), Gen.Zip(Gen.Choose(1, 1000), BoxGen()).ListOf()).ToArbitrary(),
        sample =>
        {
            var (objects, guesses) = sample;
            (Box[], (double, Box)[]) picture = ([.. objects], [.. guesses.Take(90).Select(g => (g.Item1 / 1000.0, g.Item2))]);
            var score = Measure(picture);
            var doubted = Measure((picture.Item1, [.. picture.Item2, (0.0001, Nowhere)]));
            return objects.Count == 0
                ? score.Map is null
                : score.Map is >= 0 and <= 1 && score.Map50 >= score.Map && doubted.Map <= score.Map + 1e-12 && score.Recall is >= 0 and <= 1;
        }));

    [Fact]
    public void Guessing_the_truth_is_perfect() => Check.QuickThrowOnFailure(Prop.ForAll(
        BoxGen().ListOf().ToArbitrary(),
        objects =>
        {
            Box[] some = [.. objects.Take(100)];
            return some.Length == 0 || Measure((some, [.. some.Select(box => (1.0, box))])).Map == 1;
        }));

    private static EvaluationScore Measure(params (Box[] Objects, (double, Box)[] Guesses)[] pictures) => Measure(null, pictures);

    private static EvaluationScore Measure(double? confidence, params (Box[] Objects, (double, Box)[] Guesses)[] pictures)
    {
        var evaluation = new Evaluation(1);
        foreach (var (objects, guesses) in pictures)
            evaluation.Add([.. objects.Select(box => new Truth(0, box))], [.. guesses.Select(guess => new Guess(0, guess.Item1, guess.Item2))]);
        return evaluation.Finish(confidence);
    }

    private static Gen<Box> BoxGen() =>
        from x in Gen.Choose(0, 60)
        from y in Gen.Choose(0, 60)
        from w in Gen.Choose(1, 30)
        from h in Gen.Choose(1, 30)
        select new Box(x, y, x + w, y + h);
}
