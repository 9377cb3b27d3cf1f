using Spotter.Vision.Boxes;

namespace Spotter.Vision.Results;

/// <summary>Turned boxes in pixels of the picture.</summary>
internal static class OrientedBoxes
{
    /// <summary>The turned box of a candidate. The longer edge is its width, so that one box has one angle.</summary>
    public static OrientedBox Of(in Candidate found, in Letterbox letterbox)
    {
        double x = (found.X1 + found.X2) / 2.0, y = (found.Y1 + found.Y2) / 2.0;
        double width = found.X2 - found.X1, height = found.Y2 - found.Y1;
        double angle = found.Angle;
        if (height > width)
            (width, height, angle) = (height, width, angle + (Math.PI / 2));
        // Half a turn changes nothing but the order of the corners, which goes with the angle that is said.
        angle -= Math.PI * Math.Floor(angle / Math.PI);
        double cosine = Math.Cos(angle), sine = Math.Sin(angle);
        var corners = new Point[4];
        ReadOnlySpan<(double Along, double Across)> signs = [(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)];
        for (var i = 0; i < 4; i++)
        {
            var (along, across) = (signs[i].Along * width, signs[i].Across * height);
            corners[i] = letterbox.ToPicture(x + (along * cosine) - (across * sine), y + (along * sine) + (across * cosine));
        }
        // A picture that was stretched turns it a little further, so it is measured where it ends up.
        var (dx, dy) = (corners[1].X - corners[0].X, corners[1].Y - corners[0].Y);
        var middle = letterbox.ToPicture(x, y);
        var degrees = Math.Atan2(dy, dx) * 180 / Math.PI;
        degrees = Math.Round(((degrees % 180) + 180) % 180, 2);
        return new OrientedBox(
            Round(middle.X), Round(middle.Y), Round(Length(corners[0], corners[1])), Round(Length(corners[1], corners[2])), degrees >= 180 ? 0 : degrees,
            Array.ConvertAll(corners, c => new Point(Round(c.X), Round(c.Y))));
    }

    /// <summary>The upright box around a turned one.</summary>
    public static Box Around(OrientedBox box) => new(
        box.Corners.Min(c => c.X), box.Corners.Min(c => c.Y), box.Corners.Max(c => c.X), box.Corners.Max(c => c.Y));

    private static double Length(Point a, Point b) => Math.Sqrt(((b.X - a.X) * (b.X - a.X)) + ((b.Y - a.Y) * (b.Y - a.Y)));

    private static double Round(double value) => Math.Round(value, 1);
}
