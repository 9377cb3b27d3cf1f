using Spotter.Jobs;

namespace Spotter.Gateway.LegacyMessages;

/// <summary>The worker of a bot that hears of results by a queue.</summary>
internal sealed class S2Worker(LegacySettings settings, ILegacyPost post, BotPictures pictures) : ILegacyWorker
{
    public IReadOnlyList<string> Engines => PictureResult.EnginesWithBoxes;

    public bool Draws => true;

    public LegacyRequest Read(LegacyMessage message) => LegacyRequest.OfBot(message, ["chatId"], ["imgName"]);

    public Task<LegacyObject?> OpenAsync(LegacyTarget target, CancellationToken cancel) => pictures.OpenAsync(target.Picture, cancel);

    public async Task SucceedAsync(LegacyTarget target, Job job, CancellationToken cancel)
    {
        var result = PictureResult.Of(job);
        var key = await pictures.AnnotateAsync(target, job, cancel);
        var row = BotResult.RowOf(target, job, result, key, key);
        // The bot looks for the row as soon as it has the message.
        await post.PutRowAsync(settings.Table!, row, cancel);
        await post.SendAsync(settings.ResultQueue!, BotResult.Succeeded(target, row, result), cancel);
    }

    public Task RefuseAsync(LegacyTarget target, int status, string why, CancellationToken cancel) => post.SendAsync(settings.ResultQueue!, BotResult.Failed(target, status, why), cancel);
}
