namespace Spotter.Vision.Boxes;

/// <summary>
/// How much two turned boxes overlap, with each box taken for a Gaussian of its size and direction: one minus the
/// Hellinger distance of the two (Probabilistic IoU, arXiv 2106.06072). It is what models with turned boxes are trained
/// and measured with, and costs a fraction of clipping polygons.
/// </summary>
internal static class RotatedOverlap
{
    private const double Small = 1e-7;

    /// <summary>0 for boxes far apart to 1 for equal ones.</summary>
    public static double Of(in Candidate a, in Candidate b)
    {
        var (ax, ay, a1, b1, c1) = Gaussian(a);
        var (bx, by, a2, b2, c2) = Gaussian(b);
        double dx = ax - bx, dy = ay - by;
        var (sa, sb, sc) = (a1 + a2, b1 + b2, c1 + c2);
        var determinant = (sa * sb) - (sc * sc);
        var distance = (((sa * dy * dy) + (sb * dx * dx)) / (determinant + Small) * 0.25)
            + (sc * -dx * dy / (determinant + Small) * 0.5)
            + (Math.Log((determinant / ((4 * Math.Sqrt(Math.Max(0, (a1 * b1) - (c1 * c1)) * Math.Max(0, (a2 * b2) - (c2 * c2)))) + Small)) + Small) * 0.5);
        return 1 - Math.Sqrt(1 - Math.Exp(-Math.Clamp(distance, Small, 100)) + Small);
    }

    /// <summary>Centre, and the covariance of a box spread evenly: its variances along x and y, and between them.</summary>
    private static (double X, double Y, double VarianceX, double VarianceY, double Covariance) Gaussian(in Candidate box)
    {
        double width = box.X2 - box.X1, height = box.Y2 - box.Y1;
        double along = width * width / 12, across = height * height / 12;
        double cosine = Math.Cos(box.Angle), sine = Math.Sin(box.Angle);
        return (
            (box.X1 + box.X2) / 2.0,
            (box.Y1 + box.Y2) / 2.0,
            (along * cosine * cosine) + (across * sine * sine),
            (along * sine * sine) + (across * cosine * cosine),
            (along - across) * cosine * sine);
    }
}
