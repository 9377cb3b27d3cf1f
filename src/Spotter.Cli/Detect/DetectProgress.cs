using Spectre.Console;

namespace Spotter.Cli.Detect;

/// <summary>A progress bar on standard error, when somebody looks at it.</summary>
internal static class DetectProgress
{
    /// <summary>Runs <paramref name="work"/>, which calls what it is given once for every picture done.</summary>
    /// <param name="doing">What is done with them.</param>
    /// <param name="pictures">How many there will be.</param>
    /// <param name="visible">False shows nothing.</param>
    /// <param name="work">The work.</param>
    public static Task ShowAsync(string doing, int pictures, bool visible, Func<Action, Task> work)
    {
        if (!visible || Console.IsErrorRedirected)
            return work(() => { });
        return ProgressTerminal.Create()
            .Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .StartAsync(async progress =>
            {
                var task = progress.AddTask(doing, maxValue: pictures);
                await work(() => task.Increment(1));
            });
    }
}
