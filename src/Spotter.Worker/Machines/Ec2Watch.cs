using Microsoft.Extensions.Logging;

namespace Spotter.Worker.Machines;

/// <summary>
/// Has the worker of an EC2 instance drain before the instance is taken away: on a spot interruption, on a recommendation to leave, and
/// when its Auto Scaling group ends it. What still runs shortly before the end is given back.
/// </summary>
/// <param name="metadata">What the instance is told of itself.</param>
/// <param name="drain">Lets the worker drain.</param>
/// <param name="time">The clock.</param>
/// <param name="log">Told of notices, and when nobody can be asked.</param>
public sealed partial class Ec2Watch(Ec2Metadata metadata, DrainSwitch drain, TimeProvider time, ILogger<Ec2Watch> log)
{
    /// <summary>How often it asks; Amazon gives two minutes, and recommends as much.</summary>
    public static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(5);

    /// <summary>What is given back has to be so before the machine ends.</summary>
    public static readonly TimeSpan Reserve = TimeSpan.FromSeconds(20);

    // A group doesn't say for how long it waits: without a lifecycle hook as long as a machine takes to shut down.
    private static readonly TimeSpan GroupWaits = TimeSpan.FromSeconds(90);

    private DateTimeOffset? groupEnds;
    private string? told;
    private bool isBlind;

    /// <summary>Waits while the instance is only prepared, in a warm pool: it is stopped then, and starts again when it is needed.</summary>
    public async Task WaitForServiceAsync(CancellationToken cancel)
    {
        while (!cancel.IsCancellationRequested && await TryAsync(metadata.TargetStateAsync, cancel) is { } state && IsWarm(state))
        {
            if (told != state)
                LogWarm(state);
            told = state;
            await Task.Delay(LookEvery, time, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Asks until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        while (!cancel.IsCancellationRequested)
        {
            if (await TryAsync(NoticeAsync, cancel) is { } notice)
                Obey(notice);
            await Task.Delay(LookEvery, time, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void Obey(MachineNotice notice)
    {
        if (told != notice.Why)
            LogNotice(notice.Why, notice.At?.ToString("HH:mm:ss", System.Globalization.CultureInfo.InvariantCulture) ?? "an open time");
        told = notice.Why;
        drain.DrainForGood();
        if (notice.At - time.GetUtcNow() <= Reserve)
            drain.GiveUp();
    }

    /// <summary>The most urgent that there is; null while the instance may stay.</summary>
    private async Task<MachineNotice?> NoticeAsync(CancellationToken cancel)
    {
        if (await metadata.InterruptionAsync(cancel) is { } interruption)
            return interruption;
        if (await metadata.TargetStateAsync(cancel) is { } state && (state == "Terminated" || IsWarm(state)))
            return new($"the Auto Scaling group ends the instance ({state})", groupEnds ??= time.GetUtcNow() + GroupWaits);
        return await metadata.IsRebalanceRecommendedAsync(cancel) ? new("Amazon recommends to leave the spot instance", null) : null;
    }

    private static bool IsWarm(string state) => state.StartsWith("Warmed", StringComparison.Ordinal);

    /// <summary>The answer; nothing when there was none, since no worker has to end because nobody can be asked.</summary>
    private async Task<T?> TryAsync<T>(Func<CancellationToken, Task<T?>> ask, CancellationToken cancel)
        where T : class
    {
        try
        {
            var answer = await ask(cancel);
            isBlind = false;
            return answer;
        }
        catch (Exception failed) when (failed is HttpRequestException || (failed is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            if (!isBlind)
                LogBlind(failed);
            isBlind = true;
            return null;
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The machine goes at {At}: {Why}; no more jobs are taken, and the worker ends")]
    private partial void LogNotice(string why, string at);

    [LoggerMessage(Level = LogLevel.Information, Message = "The machine is in a warm pool ({State}); the worker joins when it is needed")]
    private partial void LogWarm(string state);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The instance's metadata service does not answer, so nothing is known of spot interruptions; it is asked again. In a container the instance needs a hop limit of 2")]
    private partial void LogBlind(Exception exception);
}
