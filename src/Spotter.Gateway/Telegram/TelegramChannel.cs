using System.Text.Json;
using Spotter.Core;
using Spotter.Jobs;
using Spotter.Jobs.Deliveries;

namespace Spotter.Gateway.Telegram;

/// <summary>Brings the answer about jobs into the chat that they came from. Those of one album are answered together, when the last has ended.</summary>
internal sealed class TelegramChannel(TelegramBot bot, JobService jobs) : IDeliveryChannel
{
    /// <summary>The name of the channel.</summary>
    public const string ChannelName = "telegram";

    private static readonly TimeSpan WhileBusy = TimeSpan.FromSeconds(5);

    public string Name => ChannelName;

    public bool IsOn => bot.Settings is not null;

    public DeliverySettings Settings => bot.Settings?.Delivery ?? new DeliverySettings();

    /// <inheritdoc/>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidRequest"/>: there is no bot.</exception>
    public JobNotification Accept(JobNotification asked) => bot.Settings is null
        ? throw new SpotterException(ErrorCodes.InvalidRequest, "This deployment has no Telegram bot.")
        : asked with { Endpoint = $"{bot.Settings.Box}/{AnswerTarget.Read(asked.Target).To.Conversation}" };

    public async Task<DeliveryOutcome> SendAsync(OutboxEntry entry, Job job, CancellationToken cancel)
    {
        AnswerTarget target;
        try
        {
            target = AnswerTarget.Read(entry.Target);
        }
        catch (JsonException)
        {
            return new DeliveryOutcome.GivenUp(null, "The answer's target can't be read.");
        }
        try
        {
            await AnswerAsync(entry, target, job, cancel);
            return new DeliveryOutcome.Delivered(200);
        }
        catch (TelegramFault fault)
        {
            return OutcomeOf(fault);
        }
        catch (SpotterException busy) when (busy.Code is ErrorCodes.Busy or ErrorCodes.StoreUnavailable)
        {
            return new DeliveryOutcome.Again(WhileBusy, null, busy.Message);
        }
    }

    /// <summary>What becomes of an answer that could not be sent.</summary>
    internal static DeliveryOutcome OutcomeOf(TelegramFault fault) => fault.Kind switch
    {
        FaultKind.Done => new DeliveryOutcome.Delivered(fault.Status),
        FaultKind.Wait => new DeliveryOutcome.Again(fault.Wait, fault.Status, fault.Message, EndpointHealth.Fails),
        FaultKind.Away or FaultKind.Token => new DeliveryOutcome.Again(TimeSpan.Zero, fault.Status, fault.Message, EndpointHealth.Fails),
        FaultKind.Gone => new DeliveryOutcome.GivenUp(fault.Status, "The chat takes no messages of the bot.", EndpointHealth.Works),
        _ => new DeliveryOutcome.GivenUp(fault.Status, fault.Message, EndpointHealth.Works),
    };

    private async Task AnswerAsync(OutboxEntry entry, AnswerTarget target, Job job, CancellationToken cancel)
    {
        var settings = bot.Settings!;
        // One that was put back into its queue later has its answer alone.
        if (target.Jobs == 1 || job.Redrives > 0)
        {
            await bot.Answers.SendAsync(target, job, cancel);
            return;
        }
        var all = await jobs.FindSubmissionAsync(ChatView.CallerOf(target.To), TelegramPictures.KeyOf(settings, target.Entry), target.Jobs, cancel);
        // The last to end finds that all have; two that end at a time may both find it.
        if (all.All(j => j.State.IsTerminal()) && await bot.Inbox.ClaimAsync(settings.Box, target.Entry, entry.Id, cancel))
            await bot.Answers.SendAlbumAsync(target, all, cancel);
    }
}
