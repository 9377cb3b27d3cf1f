namespace Spotter.Vision.Boxes;

/// <summary>Leaves one box per object: the most confident first, then every box that overlaps no kept one of its class too much.</summary>
internal static class NonMaxSuppression
{
    /// <summary>No picture gives more detections than this.</summary>
    public const int MaxDetections = 300;

    /// <summary>So many of the most confident candidates are compared, so that a threshold of 0 costs no more than that.</summary>
    public const int MaxCandidates = 30_000;

    /// <summary>Orders the candidates, the most confident first, and keeps those that are no double of a better one.</summary>
    /// <param name="candidates">Changed in place.</param>
    /// <param name="iou">Of two boxes of one class that overlap more than this, the less confident goes.</param>
    /// <param name="turned">Boxes are turned by their angles, so that their overlap is that of what they cover.</param>
    /// <param name="agnostic">Boxes of different classes are compared too.</param>
    public static void Apply(Candidates candidates, double iou, bool turned = false, bool agnostic = false)
    {
        Order(candidates);
        candidates.Keep(MaxCandidates);
        var span = candidates.Span;
        var kept = 0;
        for (var i = 0; i < span.Length && kept < MaxDetections; i++)
        {
            ref readonly var candidate = ref span[i];
            var better = false;
            for (var k = 0; k < kept && !better; k++)
                better = (agnostic || span[k].ClassId == candidate.ClassId) && (turned ? RotatedOverlap.Of(span[k], candidate) : Overlap(span[k], candidate)) > iou;
            if (!better)
                span[kept++] = candidate;
        }
        candidates.Keep(kept);
    }

    /// <summary>Orders candidates of which none is a double, the most confident first, and keeps no more than the most there may be.</summary>
    public static void Rank(Candidates candidates)
    {
        Order(candidates);
        candidates.Keep(MaxDetections);
    }

    /// <summary>Area of the intersection over that of the union, 0 to 1.</summary>
    public static double Overlap(in Candidate a, in Candidate b)
    {
        double width = Math.Min(a.X2, b.X2) - Math.Max(a.X1, b.X1), height = Math.Min(a.Y2, b.Y2) - Math.Max(a.Y1, b.Y1);
        if (width <= 0 || height <= 0)
            return 0;
        var both = width * height;
        return both / (Area(a) + Area(b) - both);
    }

    /// <summary>Equal scores keep the order of the model's output, so that a result never depends on the sort.</summary>
    private static void Order(Candidates candidates) =>
        candidates.Span.Sort(static (a, b) => a.Score != b.Score ? b.Score.CompareTo(a.Score) : a.Anchor.CompareTo(b.Anchor));

    private static double Area(in Candidate box) => ((double)box.X2 - box.X1) * ((double)box.Y2 - box.Y1);
}
