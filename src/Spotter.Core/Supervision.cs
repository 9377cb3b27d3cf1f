namespace Spotter.Core;

/// <summary>Watches tasks that run in the background for as long as the program does.</summary>
public static class Supervision
{
    /// <summary>Ends when one of the tasks fails, with its error; never while all run or end in order.</summary>
    public static async Task<Exception> FirstErrorAsync(params IEnumerable<Task> tasks)
    {
        var running = tasks.ToList();
        while (running.Count > 0)
        {
            var ended = await Task.WhenAny(running);
            if (ended.Exception is { } error)
                return error.InnerException!;
            running.Remove(ended);
        }
        return await new TaskCompletionSource<Exception>().Task;
    }
}
