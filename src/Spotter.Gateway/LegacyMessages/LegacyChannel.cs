using System.Text.Json;
using Spotter.Core;
using Spotter.Jobs;
using Spotter.Jobs.Deliveries;

namespace Spotter.Gateway.LegacyMessages;

/// <summary>Writes the results of jobs that came by the messages of an earlier service, where its other parts look for them.</summary>
internal sealed class LegacyChannel(LegacyDeployment deployment, LegacyWorkers workers) : IDeliveryChannel
{
    /// <summary>The name of the channel.</summary>
    public const string ChannelName = "legacy-messages";

    private static readonly TimeSpan WhileBusy = TimeSpan.FromSeconds(5);

    public string Name => ChannelName;

    public bool IsOn => deployment.Settings is not null;

    public DeliverySettings Settings => deployment.Settings?.Delivery ?? new DeliverySettings();

    /// <inheritdoc/>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidRequest"/>: this deployment takes no such messages.</exception>
    public JobNotification Accept(JobNotification asked) => deployment.Settings is { } settings
        ? asked with { Endpoint = $"{settings.Service}:{settings.RequestQueue}" }
        : throw new SpotterException(ErrorCodes.InvalidRequest, "This deployment takes no messages of an earlier service.");

    public async Task<DeliveryOutcome> SendAsync(OutboxEntry entry, Job job, CancellationToken cancel)
    {
        LegacyTarget target;
        try
        {
            target = LegacyTarget.Read(entry.Target);
        }
        catch (JsonException)
        {
            return new DeliveryOutcome.GivenUp(null, "The result's target can't be read.");
        }
        try
        {
            await WriteAsync(target, job, cancel);
            return new DeliveryOutcome.Delivered();
        }
        catch (SpotterException busy) when (busy.Code is ErrorCodes.Busy)
        {
            return new DeliveryOutcome.Again(WhileBusy, null, busy.Message);
        }
        catch (SpotterException away) when (IsPassing(away))
        {
            return new DeliveryOutcome.Again(TimeSpan.Zero, null, away.Message, EndpointHealth.Fails);
        }
    }

    /// <summary>True for a refusal that may pass by itself.</summary>
    public static bool IsPassing(SpotterException refusal) => Problems.Of(refusal.Code, "").Status is 429 or 503 or 507;

    private async Task WriteAsync(LegacyTarget target, Job job, CancellationToken cancel)
    {
        var worker = workers.Current;
        if (job.State != JobState.Succeeded)
        {
            await worker.RefuseAsync(target, Problems.Of(job.Error)?.Status ?? 500, job.Error?.Detail ?? "The picture was not looked at: its job was cancelled.", cancel);
            return;
        }
        try
        {
            await worker.SucceedAsync(target, job, cancel);
        }
        catch (SpotterException lasting) when (!IsPassing(lasting))
        {
            // Its pictures have been deleted because of their age, or can't be drawn.
            await worker.RefuseAsync(target, Problems.Of(lasting.Code, lasting.Message).Status, lasting.Message, cancel);
        }
    }
}
