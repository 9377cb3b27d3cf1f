using System.Diagnostics;

namespace Spotter.EndToEnd.Harness;

/// <summary>Waits for what can only be asked for, up to a deadline that is far away: it decides no test, it only ends a broken one.</summary>
public static class Eventually
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    /// <summary>Asks until the answer is right; the last answer.</summary>
    public static async Task<T> SeeAsync<T>(string what, Func<Task<T>> ask, Func<T, bool> right, TimeSpan? within = null)
    {
        var limit = within ?? TimeSpan.FromSeconds(30);
        var start = Stopwatch.GetTimestamp();
        while (true)
        {
            var answer = await ask();
            if (right(answer))
                return answer;
            if (Stopwatch.GetElapsedTime(start) > limit)
                throw new TimeoutException($"{what}: not within {limit.TotalSeconds:0} s; the last answer was: {answer}");
            await Task.Delay(Pause, TimeProvider.System);
        }
    }

    /// <summary>Asks until it is so.</summary>
    public static Task BeAsync(string what, Func<bool> so, TimeSpan? within = null) =>
        SeeAsync(what, () => Task.FromResult(so()), answer => answer, within);
}
