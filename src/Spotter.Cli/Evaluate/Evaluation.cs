using Spotter.Vision;

namespace Spotter.Cli.Evaluate;

/// <summary>An object that is in a picture.</summary>
/// <param name="ClassId">Its class.</param>
/// <param name="Box">Where it is, in pixels.</param>
/// <param name="Crowd">True for a region of many that are not told apart: finding it, or parts of it, is neither right nor wrong.</param>
internal readonly record struct Truth(int ClassId, Box Box, bool Crowd = false);

/// <summary>An object that a model says is in a picture.</summary>
/// <param name="ClassId">Its class.</param>
/// <param name="Score">How sure it is.</param>
/// <param name="Box">Where it is, in pixels.</param>
internal readonly record struct Guess(int ClassId, double Score, Box Box);

/// <summary>How good the guesses about one class are; null where there is nothing to tell it from.</summary>
/// <param name="Objects">How many objects there are, without crowds.</param>
/// <param name="Ap50">Average precision where half an overlap is enough; null without objects.</param>
/// <param name="Ap">Average precision, mean over the overlaps from 0.50 to 0.95; null without objects.</param>
/// <param name="Precision">The share of guesses that are right, at the confidence in question; null without guesses.</param>
/// <param name="Recall">The share of objects that are found, at the confidence in question; null without objects.</param>
internal sealed record ClassScore(int Objects, double? Ap50, double? Ap, double? Precision, double? Recall)
{
    /// <summary>The confidence at which precision and recall of this class are best together; null without objects or guesses.</summary>
    public double? BestConfidence { get; init; }
}

/// <summary>Precision and recall of a class where guesses below a confidence are left out.</summary>
/// <param name="Confidence">The confidence.</param>
/// <param name="Precision">The share of guesses that are right at half an overlap.</param>
/// <param name="Recall">The share of objects that are found.</param>
internal readonly record struct CurvePoint(double Confidence, double Precision, double Recall);

/// <summary>How good a model is.</summary>
/// <param name="Classes">Per class, by id.</param>
/// <param name="Objects">How many objects there are.</param>
/// <param name="Map50">Mean of the classes' average precision at half an overlap; null without objects.</param>
/// <param name="Map">Mean of the classes' average precision over all overlaps; null without objects.</param>
/// <param name="Confidence">The confidence that precision and recall are given for.</param>
/// <param name="Precision">The share of all guesses that are right at that confidence; null without guesses.</param>
/// <param name="Recall">The share of all objects that are found at that confidence; null without objects.</param>
internal sealed record EvaluationScore(
    IReadOnlyList<ClassScore> Classes, int Objects, double? Map50, double? Map, double Confidence, double? Precision, double? Recall);

/// <summary>
/// Measures guesses against the truth as the COCO data set does (pycocotools): per class and picture the 100 best guesses;
/// each, the surest first, takes the free object that it overlaps most, at least as much as asked for; precision at 101
/// recalls, made falling; mean over ten overlaps and the classes that have objects.
/// </summary>
/// <param name="classes">How many classes there are.</param>
internal sealed class Evaluation(int classes)
{
    private const int MaxGuesses = 100;
    private const int Recalls = 101;

    // As many as there are bits in a mark; the first is the half overlap.
    private static readonly double[] Overlaps = [.. Enumerable.Range(0, 10).Select(i => (50 + (5 * i)) / 100.0)];

    private readonly ClassTally[] tallies = [.. Enumerable.Range(0, classes).Select(_ => new ClassTally())];

    /// <summary>Adds a picture.</summary>
    /// <param name="objects">What is in it.</param>
    /// <param name="guesses">What the model says is in it.</param>
    public void Add(IReadOnlyList<Truth> objects, IReadOnlyList<Guess> guesses)
    {
        foreach (var classId in objects.Select(o => o.ClassId).Union(guesses.Select(g => g.ClassId)))
        {
            // A crowd comes last: it takes what no single object takes.
            Truth[] of = [.. objects.Where(o => o.ClassId == classId).OrderBy(o => o.Crowd)];
            Guess[] best = [.. guesses.Where(g => g.ClassId == classId).OrderByDescending(g => g.Score).Take(MaxGuesses)];
            tallies[classId].Objects += of.Count(o => !o.Crowd);
            Mark(of, best, tallies[classId].Marks);
        }
    }

    /// <summary>The figures about all that was added.</summary>
    /// <param name="confidence">Where precision and recall are wanted; null for where their harmonic mean over all is best.</param>
    public EvaluationScore Finish(double? confidence = null)
    {
        var at = confidence ?? BestConfidence();
        var scores = tallies.Select(tally => tally.Score(at)).ToList();
        var counted = scores.Where(score => score.Objects > 0).ToList();
        var objects = counted.Sum(score => score.Objects);
        var (right, wrong) = tallies.Select(tally => tally.Count(at)).Aggregate((0, 0), (sum, one) => (sum.Item1 + one.Right, sum.Item2 + one.Wrong));
        return new(
            scores, objects, counted.Count == 0 ? null : counted.Average(score => score.Ap50), counted.Count == 0 ? null : counted.Average(score => score.Ap),
            at, Share(right, right + wrong), Share(right, objects));
    }

    /// <summary>The points of a class's curve, the highest confidence first; none without objects.</summary>
    public IReadOnlyList<CurvePoint> CurveOf(int classId) => tallies[classId].Curve();

    private static double? Share(int part, int whole) => whole == 0 ? null : (double)part / whole;

    // Says of each guess at which overlaps it is right, and at which it counts neither way.
    private static void Mark(Truth[] objects, Guess[] guesses, List<GuessMark> marks)
    {
        var overlaps = new double[guesses.Length, objects.Length];
        for (var g = 0; g < guesses.Length; g++)
        {
            for (var o = 0; o < objects.Length; o++)
                overlaps[g, o] = Overlap(guesses[g].Box, objects[o]);
        }
        var found = new GuessMark[guesses.Length];
        var taken = new bool[objects.Length];
        for (var level = 0; level < Overlaps.Length; level++)
        {
            Array.Clear(taken);
            for (var g = 0; g < guesses.Length; g++)
            {
                var mine = Choose(g, Overlaps[level]);
                if (mine < 0)
                    continue;
                taken[mine] = true;
                var bit = 1 << level;
                found[g] = objects[mine].Crowd ? found[g] with { Ignored = found[g].Ignored | bit } : found[g] with { Right = found[g].Right | bit };
            }
        }
        for (var g = 0; g < guesses.Length; g++)
            marks.Add(found[g] with { Score = guesses[g].Score });

        int Choose(int guess, double least)
        {
            var chosen = -1;
            for (var o = 0; o < objects.Length; o++)
            {
                if (taken[o] && !objects[o].Crowd)
                    continue;
                if (chosen >= 0 && !objects[chosen].Crowd && objects[o].Crowd)
                    break;
                if (overlaps[guess, o] < least)
                    continue;
                // Of two that it overlaps as much, the later one, as pycocotools has it.
                (least, chosen) = (overlaps[guess, o], o);
            }
            return chosen;
        }
    }

    /// <summary>Shared area over that of both; over that of the guess alone for a crowd.</summary>
    internal static double Overlap(Box guess, Truth truth) =>
        truth.Crowd ? Shared(guess, truth.Box) is > 0 and var both ? both / Area(guess) : 0 : Overlap(guess, truth.Box);

    /// <summary>Shared area over that of both.</summary>
    internal static double Overlap(Box one, Box other) => Shared(one, other) is > 0 and var both ? both / (Area(one) + Area(other) - both) : 0;

    private static double Shared(Box one, Box other)
    {
        double width = Math.Min(one.X2, other.X2) - Math.Max(one.X1, other.X1), height = Math.Min(one.Y2, other.Y2) - Math.Max(one.Y1, other.Y1);
        return width > 0 && height > 0 ? width * height : 0;
    }

    private static double Area(Box box) => (box.X2 - box.X1) * (box.Y2 - box.Y1);

    private double BestConfidence()
    {
        var objects = tallies.Sum(tally => tally.Objects);
        double best = -1, confidence = 0;
        int right = 0, wrong = 0;
        foreach (var same in tallies.SelectMany(tally => tally.Marks).Where(mark => !mark.IsIgnored(0)).GroupBy(mark => mark.Score).OrderByDescending(group => group.Key))
        {
            right += same.Count(mark => mark.IsRight(0));
            wrong += same.Count(mark => !mark.IsRight(0));
            var harmonic = 2.0 * right / (right + wrong + objects);
            if (harmonic > best)
                (best, confidence) = (harmonic, same.Key);
        }
        return confidence;
    }

    /// <summary>What became of a guess: one bit per overlap.</summary>
    private record struct GuessMark(double Score, int Right, int Ignored)
    {
        public readonly bool IsRight(int level) => (Right & (1 << level)) != 0;

        public readonly bool IsIgnored(int level) => (Ignored & (1 << level)) != 0;
    }

    private sealed class ClassTally
    {
        public int Objects { get; set; }

        public List<GuessMark> Marks { get; } = [];

        public (int Right, int Wrong) Count(double confidence)
        {
            var counted = Marks.Where(mark => mark.Score >= confidence && !mark.IsIgnored(0)).ToList();
            var right = counted.Count(mark => mark.IsRight(0));
            return (right, counted.Count - right);
        }

        public ClassScore Score(double confidence)
        {
            var (right, wrong) = Count(confidence);
            var precision = Share(right, right + wrong);
            if (Objects == 0)
                return new(0, null, null, precision, null);
            // Stable: of equal scores, the earlier picture's come first.
            var sorted = Marks.OrderByDescending(mark => mark.Score).ToList();
            var averages = Overlaps.Select((_, level) => AveragePrecision(sorted, level)).ToList();
            return new(Objects, averages[0], averages.Average(), precision, Share(right, Objects))
            {
                BestConfidence = Curve() is [_, ..] curve ? curve.MaxBy(p => 2 * p.Precision * p.Recall / Math.Max(p.Precision + p.Recall, double.Epsilon)).Confidence : null,
            };
        }

        public List<CurvePoint> Curve()
        {
            List<CurvePoint> curve = [];
            int right = 0, wrong = 0;
            foreach (var same in Marks.Where(mark => !mark.IsIgnored(0) && Objects > 0).GroupBy(mark => mark.Score).OrderByDescending(group => group.Key))
            {
                right += same.Count(mark => mark.IsRight(0));
                wrong += same.Count(mark => !mark.IsRight(0));
                curve.Add(new(same.Key, (double)right / (right + wrong), (double)right / Objects));
            }
            return curve;
        }

        private double AveragePrecision(List<GuessMark> sorted, int level)
        {
            List<(double Recall, double Precision)> curve = [];
            int right = 0, wrong = 0;
            foreach (var mark in sorted)
            {
                if (mark.IsIgnored(level))
                    continue;
                _ = mark.IsRight(level) ? right++ : wrong++;
                curve.Add(((double)right / Objects, (double)right / (right + wrong)));
            }
            for (var i = curve.Count - 2; i >= 0; i--)
                curve[i] = (curve[i].Recall, Math.Max(curve[i].Precision, curve[i + 1].Precision));

            double sum = 0;
            for (int step = 0, i = 0; step < Recalls; step++)
            {
                // Not step / 100.0, which differs in the last digit from the recalls of the reference.
                while (i < curve.Count && curve[i].Recall < step * 0.01)
                    i++;
                if (i == curve.Count)
                    break;
                sum += curve[i].Precision;
            }
            return sum / Recalls;
        }
    }
}
