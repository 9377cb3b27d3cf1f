namespace Spotter.Gateway.Overload;

/// <summary>What a submission takes from its client's bucket, by the work that its pictures make.</summary>
internal static class SubmissionCost
{
    /// <summary>A submission pays for so many pixels of its pictures together; each started part more costs another one.</summary>
    public const long PixelsPerSubmission = 12_000_000;

    /// <summary>In tenths of a submission, as <see cref="CallCost"/>.</summary>
    /// <param name="pixels">Pixels of all pictures.</param>
    /// <param name="work">How many times the work of looking at them once.</param>
    /// <param name="pixelsPerRun">Where the model runs on parts of a picture: pixels for each run, of which each costs as much as a call that makes no work.</param>
    public static int Of(long pixels, double work, double? pixelsPerRun)
    {
        var submissions = Math.Max(1, Math.Ceiling(pixels / (double)PixelsPerSubmission)) * Math.Max(1, work);
        var runs = pixelsPerRun is { } part ? Math.Ceiling(pixels / part) : 0;
        return (int)Math.Min(int.MaxValue / 2, Math.Ceiling((submissions * CallCost.Submission.Permits) + (runs * CallCost.Other.Permits)));
    }
}
