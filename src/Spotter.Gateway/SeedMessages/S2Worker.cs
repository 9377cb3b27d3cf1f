using Spotter.Jobs;

namespace Spotter.Gateway.SeedMessages;

/// <summary>The worker of a bot that hears of results by a queue.</summary>
internal sealed class S2Worker(SeedSettings settings, ISeedPost post, BotPictures pictures) : ISeedWorker
{
    public IReadOnlyList<string> Engines => PictureResult.EnginesWithBoxes;

    public bool Draws => true;

    public SeedRequest Read(SeedMessage message) => SeedRequest.OfBot(message, ["chatId"], ["imgName"]);

    public Task<SeedObject?> OpenAsync(SeedTarget target, CancellationToken cancel) => pictures.OpenAsync(target.Picture, cancel);

    public async Task SucceedAsync(SeedTarget target, Job job, CancellationToken cancel)
    {
        var result = PictureResult.Of(job);
        var row = BotResult.RowOf(target, job, result, await pictures.AnnotateAsync(target, job, cancel));
        // The bot looks for the row as soon as it has the message.
        await post.PutRowAsync(settings.Table!, row, cancel);
        await post.SendAsync(settings.ResultQueue!, BotResult.Succeeded(target, row, result), cancel);
    }

    public Task RefuseAsync(SeedTarget target, int status, string why, CancellationToken cancel) => post.SendAsync(settings.ResultQueue!, BotResult.Failed(target, status, why), cancel);
}
