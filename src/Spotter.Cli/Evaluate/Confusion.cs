namespace Spotter.Cli.Evaluate;

/// <summary>
/// What is taken for what: each guess, the surest first, takes the free object that it overlaps most, at least by a half, whatever
/// its class. Crowds are left out, and so is what is guessed in them.
/// </summary>
/// <param name="classes">How many classes there are; one more, the last, is that there is nothing.</param>
internal sealed class Confusion(int classes)
{
    private const double Least = 0.5;

    private readonly List<(IReadOnlyList<Truth> Objects, IReadOnlyList<Guess> Guesses)> pictures = [];

    /// <summary>Adds a picture.</summary>
    public void Add(IReadOnlyList<Truth> objects, IReadOnlyList<Guess> guesses) => pictures.Add((objects, guesses));

    /// <summary>How often an object of a class (first) was taken for one of another (second), by guesses at least as sure as that.</summary>
    public int[,] Count(double confidence)
    {
        var counts = new int[classes + 1, classes + 1];
        foreach (var (objects, guesses) in pictures)
        {
            var free = objects.Where(o => !o.Crowd).ToList();
            foreach (var guess in guesses.Where(g => g.Score >= confidence).OrderByDescending(g => g.Score))
            {
                var best = free.Count == 0 ? -1 : Enumerable.Range(0, free.Count).MaxBy(o => Evaluation.Overlap(guess.Box, free[o]));
                if (best >= 0 && Evaluation.Overlap(guess.Box, free[best]) >= Least)
                {
                    counts[free[best].ClassId, guess.ClassId]++;
                    free.RemoveAt(best);
                }
                else if (!objects.Any(o => o.Crowd && Evaluation.Overlap(guess.Box, o) >= Least))
                {
                    counts[classes, guess.ClassId]++;
                }
            }
            foreach (var missed in free)
                counts[missed.ClassId, classes]++;
        }
        return counts;
    }
}
