using Spotter.Jobs;

namespace Spotter.Gateway.SeedMessages;

/// <summary>The worker whose place this deployment takes.</summary>
internal sealed class SeedWorkers
{
    private readonly ISeedWorker? current;

    /// <summary>Chooses it; nothing is reached yet.</summary>
    public SeedWorkers(SeedDeployment deployment, JobService jobs, JobDrawings drawings)
    {
        if (deployment.Settings is not { } settings)
            return;
        var pictures = new BotPictures(settings, deployment.Post, jobs, drawings);
        current = settings.Service switch
        {
            SeedService.S2 => new S2Worker(settings, deployment.Post, pictures),
            _ => throw new InvalidOperationException($"There is no worker for {settings.Service}."),
        };
    }

    /// <summary>It.</summary>
    public ISeedWorker Current => current ?? throw new InvalidOperationException("This deployment takes no messages of an earlier service.");
}
