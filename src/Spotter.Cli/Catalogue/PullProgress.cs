using Spectre.Console;

namespace Spotter.Cli.Catalogue;

/// <summary>A progress bar on standard error, when somebody looks at it.</summary>
internal static class PullProgress
{
    /// <summary>Runs <paramref name="work"/>, which tells how many bytes are there.</summary>
    /// <param name="name">What is downloaded.</param>
    /// <param name="bytes">How long it is.</param>
    /// <param name="visible">False shows nothing.</param>
    /// <param name="work">The work.</param>
    public static Task<T> ShowAsync<T>(string name, long bytes, bool visible, Func<IProgress<long>, Task<T>> work)
    {
        if (!visible || Console.IsErrorRedirected)
            return work(new Bar(_ => { }));
        return ProgressTerminal.Create()
            .Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new TransferSpeedColumn(), new RemainingTimeColumn())
            .StartAsync(progress =>
            {
                var task = progress.AddTask(Markup.Escape(name), maxValue: bytes);
                return work(new Bar(there => task.Value = there));
            });
    }

    private sealed class Bar(Action<long> set) : IProgress<long>
    {
        public void Report(long value) => set(value);
    }
}
