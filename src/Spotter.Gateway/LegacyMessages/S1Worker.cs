using Spotter.Core;
using Spotter.Gateway.Egress;
using Spotter.Gateway.Webhooks;
using Spotter.Jobs;

namespace Spotter.Gateway.LegacyMessages;

/// <summary>The worker of a bot that is called when a row is there.</summary>
internal sealed class S1Worker(LegacySettings settings, ILegacyPost post, BotPictures pictures, EgressGuard guard, WebhookClient client, TimeProvider time) : ILegacyWorker
{
    private const int MethodNotAllowed = 405;

    public IReadOnlyList<string> Engines => PictureResult.EnginesWithBoxes;

    public bool Draws => true;

    // Each bot of this kind was somebody's own, and had names of its own for the two.
    public LegacyRequest Read(LegacyMessage message) => LegacyRequest.OfBot(message, ["chat_id", "chatId"], ["img_name", "imgName", "image_name", "image", "photo_name", "s3_key"]);

    public Task<LegacyObject?> OpenAsync(LegacyTarget target, CancellationToken cancel) => pictures.OpenAsync(target.Picture, cancel);

    public async Task SucceedAsync(LegacyTarget target, Job job, CancellationToken cancel)
    {
        var key = await pictures.AnnotateAsync(target, job, cancel);
        await post.PutRowAsync(settings.Table!, BotResult.RowOf(target, job, PictureResult.Of(job), key, key), cancel);
        await CallAsync(target, cancel);
    }

    /// <summary>Such a bot hears of rows only, so that says it, too.</summary>
    public async Task RefuseAsync(LegacyTarget target, int status, string why, CancellationToken cancel)
    {
        await post.PutRowAsync(settings.Table!, BotResult.RowOfRefusal(target, settings, why, time.GetUtcNow()), cancel);
        await CallAsync(target, cancel);
    }

    /// <summary>Older ones are asked with GET, later ones with POST.</summary>
    private async Task CallAsync(LegacyTarget target, CancellationToken cancel)
    {
        var url = guard.Check($"{settings.Bot!.TrimEnd('/')}/results?predictionId={Uri.EscapeDataString(target.Id)}");
        var outcome = await client.CallAsync(HttpMethod.Get, url, cancel);
        if (outcome.Record.Status == MethodNotAllowed)
            outcome = await client.CallAsync(HttpMethod.Post, url, cancel);
        if (outcome is not DeliveryOutcome.Delivered)
            throw new SpotterException(ErrorCodes.StoreUnavailable, $"The bot has not taken the result: {outcome.Record.Detail}");
    }
}
