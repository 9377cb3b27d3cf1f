using System.CommandLine;
using System.Globalization;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Cli.Serve;

/// <summary>The options that say how long pictures and rows are kept after their job has ended.</summary>
internal static class KeepOptions
{
    private const string PicturesVariable = "SPOTTER__KEEP__PICTURESHOURS";
    private const string JobsVariable = "SPOTTER__KEEP__JOBSDAYS";
    private const int MostHours = 24 * 366;
    private const int MostDays = 3660;

    private static readonly Option<int?> Pictures = NumberOption.Whole("--keep-pictures", 0, MostHours,
        $"Hours that pictures are kept after their job has ended. Default: what {PicturesVariable} says, else 24.");

    private static readonly Option<int?> Jobs = NumberOption.Whole("--keep-jobs", 1, MostDays,
        $"Days that jobs and results are kept after they have ended. Default: what {JobsVariable} says, else 7.");

    /// <summary>Adds them to a command.</summary>
    public static void AddTo(Command command)
    {
        command.Add(Pictures);
        command.Add(Jobs);
    }

    /// <summary>The settings with what was asked for.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidSettings"/>.</exception>
    public static LeaseSettings Read(ParseResult parsed, LeaseSettings settings) => settings with
    {
        KeepBlobs = (parsed.GetValue(Pictures) ?? Variable(PicturesVariable, 0, MostHours)) is { } hours ? TimeSpan.FromHours(hours) : settings.KeepBlobs,
        KeepJobs = (parsed.GetValue(Jobs) ?? Variable(JobsVariable, 1, MostDays)) is { } days ? TimeSpan.FromDays(days) : settings.KeepJobs,
    };

    private static int? Variable(string name, int least, int most)
    {
        if (Environment.GetEnvironmentVariable(name) is not { Length: > 0 } text)
            return null;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? number
            : throw new SpotterException(ErrorCodes.InvalidSettings, $"{name} is '{text}'; it takes a whole number from {least} to {most}.");
    }
}
