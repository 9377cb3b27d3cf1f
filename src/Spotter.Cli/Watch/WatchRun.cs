using System.Text.Json;
using Spotter.Core;
using Spotter.Core.Images;
using Spotter.Vision.Images;

namespace Spotter.Cli.Watch;

/// <summary>Takes the pictures of a source, has the service look at them one after the other, and tells what was found.</summary>
/// <param name="name">The source's name.</param>
/// <param name="source">Where pictures come from.</param>
/// <param name="motion">Which of them are looked at; null for all.</param>
/// <param name="sender">What makes jobs of them.</param>
/// <param name="report">Takes the results.</param>
internal sealed class WatchRun(string name, IFrameSource source, MotionGate? motion, JobSender sender, Action<WatchResult> report)
{
    private readonly FrameSlot slot = new(source.IsLive);

    /// <summary>The broker that results go to; null for none.</summary>
    public MqttConnection? Broker { get; init; }

    /// <summary>The topics at the broker; not null when there is one.</summary>
    public MqttTopics? Topics { get; init; }

    /// <summary>True when drawn pictures go there too.</summary>
    public bool SendsImages { get; init; }

    /// <summary>Ends after so many results; null for never.</summary>
    public int? Most { get; init; }

    /// <summary>Runs until the source has no more pictures, or there were enough results.</summary>
    /// <exception cref="SpotterException">Something refuses what it was asked.</exception>
    public async Task RunAsync(CancellationToken cancel)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var publishing = Broker?.RunAsync(over.Token) ?? Task.CompletedTask;
        var filling = FillAsync(over.Token);
        var sending = SendAllAsync(over.Token);
        try
        {
            // Whoever fails ends the others; the one that ends first in order is what sends.
            var first = await Task.WhenAny(sending, FailureOf(filling, over.Token), FailureOf(publishing, over.Token));
            await first;
            Broker?.Close();
            // What is waiting for the broker is brought, unless that is away.
            await Task.WhenAny(publishing, Task.Delay(LastWords, TimeProvider.System, cancel));
        }
        finally
        {
            await over.CancelAsync();
            await Task.WhenAll(publishing, filling, sending).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static TimeSpan LastWords => TimeSpan.FromSeconds(3);

    /// <summary>Ends only when the task fails.</summary>
    private static async Task FailureOf(Task task, CancellationToken cancel)
    {
        await task;
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancel);
    }

    private async Task FillAsync(CancellationToken cancel)
    {
        await foreach (var frame in source.FramesAsync(cancel))
            await slot.PutAsync(frame, cancel);
        slot.Close();
    }

    private async Task SendAllAsync(CancellationToken cancel)
    {
        for (var results = 0; Most is not { } most || results < most;)
        {
            if (await slot.TakeAsync(cancel) is not { } frame)
                return;
            if (!IsWorthIt(frame))
                continue;
            var sent = await sender.SendAsync(frame, source.IsLive ? slot.NewerThan : old => old, cancel);
            if (sent.Frame != frame)
                motion?.Forget();
            var result = sent.Job is { } job
                ? WatchResult.Of(name, sent.Frame, job, slot.Dropped)
                : WatchResult.Refused(name, sent.Frame, sent.Problem!, slot.Dropped, sent.Lost);
            report(result);
            results++;
            await PublishAsync(result, cancel);
        }
    }

    private bool IsWorthIt(Frame frame)
    {
        if (motion is null)
            return true;
        try
        {
            return motion.Passes(Thumbnail.Of(frame.Bytes, new ImageLimits()));
        }
        catch (SpotterException unreadable) when (unreadable.Code != ErrorCodes.NativeMissing)
        {
            // The service says what is wrong with it.
            return true;
        }
    }

    /// <summary>A failure says nothing of what is to be seen, so what was found before stays.</summary>
    private async Task PublishAsync(WatchResult result, CancellationToken cancel)
    {
        if (Broker is null || result.Error is not null)
            return;
        Broker.Send(new(Topics!.State, JsonSerializer.SerializeToUtf8Bytes(result, WatchJson.Default.WatchResult)));
        if (SendsImages && await sender.DrawnAsync(result.Job!, cancel) is { } drawn)
            Broker.Send(new(Topics.Image, drawn));
    }
}
