using Spotter.Gateway.Egress;
using Spotter.Gateway.Webhooks;
using Spotter.Jobs;

namespace Spotter.Gateway.LegacyMessages;

/// <summary>The worker whose place this deployment takes.</summary>
internal sealed class LegacyWorkers : IDisposable
{
    private readonly ILegacyWorker? current;

    /// <summary>Chooses it; nothing is reached yet.</summary>
    /// <exception cref="Core.SpotterException"><see cref="Core.ErrorCodes.CallbackForbidden"/>: its bot may not be called.</exception>
    public LegacyWorkers(LegacyDeployment deployment, JobService jobs, JobDrawings drawings, EgressGuard guard, WebhookClient client, TimeProvider time)
    {
        if (deployment.Settings is not { } settings)
            return;
        if (settings.Bot is { } bot)
            guard.Check(bot);
        var pictures = new BotPictures(settings, deployment.Post, jobs, drawings);
        current = settings.Service switch
        {
            LegacyService.S0 => new S0Worker(settings, deployment.Post, drawings, time),
            LegacyService.S1 => new S1Worker(settings, deployment.Post, pictures, guard, client, time),
            LegacyService.S2 => new S2Worker(settings, deployment.Post, pictures),
            LegacyService.S3 => new S3Worker(settings, deployment.Post),
            _ => throw new InvalidOperationException($"There is no worker for {settings.Service}."),
        };
    }

    /// <summary>It.</summary>
    public ILegacyWorker Current => current ?? throw new InvalidOperationException("This deployment takes no messages of an earlier service.");

    /// <inheritdoc/>
    public void Dispose() => (current as IDisposable)?.Dispose();
}
