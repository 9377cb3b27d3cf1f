using FsCheck;
using FsCheck.Fluent;
using Spotter.Core;
using Spotter.Vision;
using Spotter.Vision.Boxes;
using Spotter.Vision.Models;

namespace Spotter.Tests.Vision;

public sealed class BoxPropertyTests
{
    private static readonly Gen<int> Edge = Gen.OneOf(Gen.Choose(1, 100), Gen.Choose(100, 16_384));

    [Fact]
    public void A_box_comes_back_from_the_letterbox_where_it_was() => Check.QuickThrowOnFailure(Prop.ForAll(
        Gen.Zip(Gen.Zip(Edge, Edge), Gen.Elements(Fit.Letterbox, Fit.LetterboxTopLeft, Fit.Stretch, Fit.Crop)).ToArbitrary(),
        sample =>
        {
            var ((width, height), fit) = sample;
            var letterbox = Letterbox.Create(Input(640, 480, fit), width, height) with { FromX = 17, FromY = 4 };
            var box = new Box(0.1 * width, 0.2 * height, 0.7 * width, 0.9 * height);
            var inside = letterbox.ToInput(box);
            var back = letterbox.ToPicture(inside.X1, inside.Y1, inside.X2, inside.Y2);
            return Math.Abs(back.X1 - box.X1) + Math.Abs(back.Y1 - box.Y1) + Math.Abs(back.X2 - box.X2) + Math.Abs(back.Y2 - box.Y2) < 1e-6;
        }));

    [Fact]
    public void A_letterboxed_picture_lies_inside_the_input_and_touches_two_sides() => Check.QuickThrowOnFailure(Prop.ForAll(
        Gen.Zip(Gen.Zip(Edge, Edge), Gen.Elements(Fit.Letterbox, Fit.LetterboxTopLeft)).ToArbitrary(),
        sample =>
        {
            var ((width, height), fit) = sample;
            var l = Letterbox.Create(Input(416, 416, fit), width, height);
            return l.Left >= 0 && l.Top >= 0 && l.Width > 0 && l.Height > 0
                && l.Left + l.Width <= 416 && l.Top + l.Height <= 416
                && (l.Width >= 415 || l.Height >= 415)
                && (fit != Fit.LetterboxTopLeft || l is { Left: 0, Top: 0 });
        }));

    [Fact]
    public void Suppression_keeps_the_best_and_no_two_that_overlap_too_much() => Check.QuickThrowOnFailure(Prop.ForAll(
        Gen.Zip(CandidateGen().ListOf(), Gen.Choose(0, 100)).ToArbitrary(),
        sample =>
        {
            var (input, percent) = sample;
            var iou = percent / 100.0;
            var candidates = new Candidates();
            foreach (var candidate in input)
                candidates.Add(candidate);
            NonMaxSuppression.Apply(candidates, iou);
            var kept = candidates.Span.ToArray();

            var ordered = kept.Zip(kept.Skip(1)).All(pair => pair.First.Score >= pair.Second.Score);
            var apart = kept.All(a => kept.All(b => a == b || a.ClassId != b.ClassId || NonMaxSuppression.Overlap(a, b) <= iou));
            var excused = input.All(c => kept.Contains(c)
                || kept.Any(k => k.ClassId == c.ClassId && k.Score >= c.Score && NonMaxSuppression.Overlap(k, c) > iou));
            return ordered && apart && excused;
        }));

    [Fact]
    public void Suppression_makes_nothing_up_and_has_nothing_left_to_do_the_second_time() => Check.QuickThrowOnFailure(Prop.ForAll(
        Gen.Zip(CandidateGen().ListOf(), Gen.Choose(0, 100)).ToArbitrary(),
        sample =>
        {
            var once = Suppress(sample.Item1, sample.Item2 / 100.0);
            return once.All(sample.Item1.Contains)
                && once.Length <= sample.Item1.Count
                && once.SequenceEqual(Suppress(once, sample.Item2 / 100.0));
        }));

    [Fact]
    public void Suppression_does_not_depend_on_the_order_of_the_candidates() => Check.QuickThrowOnFailure(Prop.ForAll(
        Gen.Zip(Gen.Zip(CandidateGen().ListOf(), Gen.Choose(0, 100)), Gen.Choose(0, int.MaxValue)).ToArbitrary(),
        sample =>
        {
            var ((input, percent), seed) = sample;
            // As in a model's output, no two are the same anchor; so equal scores have an order of their own.
            Candidate[] distinct = [.. input.DistinctBy(c => c.Anchor)];
            var shuffled = (Candidate[])distinct.Clone();
            var random = RandomSource.Seeded(seed);
            for (var i = shuffled.Length - 1; i > 0; i--)
            {
                var other = (int)(random.NextDouble() * (i + 1));
                (shuffled[i], shuffled[other]) = (shuffled[other], shuffled[i]);
            }
            return Suppress(distinct, percent / 100.0).SequenceEqual(Suppress(shuffled, percent / 100.0));
        }));

    [Fact]
    public void Any_pixel_of_a_picture_comes_back_from_the_letterbox() => Check.QuickThrowOnFailure(Prop.ForAll(
        Gen.Zip(Gen.Zip(Edge, Edge), Gen.Zip(Gen.Zip(Gen.Choose(0, 1000), Gen.Choose(0, 1000)), Gen.Elements(Fit.Letterbox, Fit.LetterboxTopLeft, Fit.Stretch))).ToArbitrary(),
        sample =>
        {
            var ((width, height), ((right, down), fit)) = sample;
            var letterbox = Letterbox.Create(Input(640, 640, fit), width, height);
            double x = right / 1000.0 * width, y = down / 1000.0 * height;
            var inside = letterbox.ToInput(new(x, y, x, y));
            var back = letterbox.ToPicture(inside.X1, inside.Y1);
            // Sizes in the input are whole pixels, so an edge may lie up to one beside its place.
            return inside.X1 >= letterbox.Left - 1 && inside.X1 <= letterbox.Left + letterbox.Width + 1
                && inside.Y1 >= letterbox.Top - 1 && inside.Y1 <= letterbox.Top + letterbox.Height + 1
                && Math.Abs(back.X - x) < 1e-6 && Math.Abs(back.Y - y) < 1e-6;
        }));

    [Fact]
    public void Suppression_gives_no_more_than_its_most()
    {
        var candidates = new Candidates();
        for (var i = 0; i < 1000; i++)
            candidates.Add(new Candidate(i * 10, 0, (i * 10) + 5, 5, 0.5f, 0, i));

        NonMaxSuppression.Apply(candidates, 0.5);

        candidates.Count.ShouldBe(NonMaxSuppression.MaxDetections);
        candidates.Span[0].Anchor.ShouldBe(0);
    }

    [Fact]
    public void Boxes_of_different_classes_do_not_suppress_each_other()
    {
        var candidates = new Candidates();
        candidates.Add(new Candidate(0, 0, 10, 10, 0.9f, 0, 0));
        candidates.Add(new Candidate(0, 0, 10, 10, 0.8f, 1, 1));
        candidates.Add(new Candidate(0, 0, 10, 10, 0.7f, 0, 2));

        NonMaxSuppression.Apply(candidates, 0.45);

        candidates.Span.ToArray().Select(c => c.Anchor).ShouldBe([0, 1]);
    }

    [Fact]
    public void A_cropped_picture_covers_the_input_and_a_stretched_one_fills_it() => Check.QuickThrowOnFailure(Prop.ForAll(
        Gen.Zip(Gen.Zip(Edge, Edge), Gen.Elements(0, 224, 256)).ToArbitrary(),
        sample =>
        {
            var ((width, height), resize) = sample;
            var c = Letterbox.Create(Input(224, 192, Fit.Crop) with { ResizeTo = resize }, width, height);
            var s = Letterbox.Create(Input(224, 192, Fit.Stretch), width, height);
            return c.Left <= 0 && c.Top <= 0 && c.Left + c.Width >= 224 && c.Top + c.Height >= 192
                && Math.Min(c.Width, c.Height) >= Math.Max(resize, 192)
                && s == new Letterbox(224.0 / width, 192.0 / height, 224, 192, 0, 0);
        }));

    private static Candidate[] Suppress(IEnumerable<Candidate> input, double iou)
    {
        var candidates = new Candidates();
        foreach (var candidate in input)
            candidates.Add(candidate);
        NonMaxSuppression.Apply(candidates, iou);
        return candidates.Span.ToArray();
    }

    private static InputSpec Input(int width, int height, Fit fit) => new() { Index = 0, Type = 1, Width = width, Height = height, Fit = fit };

    private static Gen<Candidate> CandidateGen() =>
        from x in Gen.Choose(0, 40)
        from y in Gen.Choose(0, 40)
        from w in Gen.Choose(1, 30)
        from h in Gen.Choose(1, 30)
        from score in Gen.Choose(1, 1000)
        from classId in Gen.Choose(0, 2)
        from anchor in Gen.Choose(0, int.MaxValue)
        select new Candidate(x, y, x + w, y + h, score / 1000f, classId, anchor);
}
