using Spotter.Jobs;

namespace Spotter.Gateway.LegacyMessages;

/// <summary>The worker of a bot whose message is a text with the chat beside it: it writes where the id of the message leads to, and tells nobody.</summary>
internal sealed class S0Worker(LegacySettings settings, ILegacyPost post, JobDrawings drawings, TimeProvider time) : ILegacyWorker
{
    /// <summary>The attribute that has the chat.</summary>
    public const string ChatAttribute = "chat_id";

    /// <summary>The folder of the annotated pictures, below which each id has one.</summary>
    public const string Annotated = "static/data";

    public IReadOnlyList<string> Engines => PictureResult.EnginesWithBoxes;

    public bool Draws => true;

    /// <summary>The text is the picture's name, or its key.</summary>
    public LegacyRequest Read(LegacyMessage message)
    {
        var name = message.Body.Trim();
        if (settings.Folder.Length > 0 && name.StartsWith(settings.Folder, StringComparison.Ordinal))
            name = name[settings.Folder.Length..];
        return LegacyRequest.OfBot(message, message.Attributes.GetValueOrDefault(ChatAttribute), ChatAttribute, name, "the message's text");
    }

    public Task<LegacyObject?> OpenAsync(LegacyTarget target, CancellationToken cancel) => post.GetAsync(settings.Bucket, settings.Folder + target.Picture, settings.MaxInputBytes, cancel);

    public async Task SucceedAsync(LegacyTarget target, Job job, CancellationToken cancel)
    {
        var annotated = await BotPictures.ReadAsync(await drawings.OpenAsync(job, confidence: 0, enter: null, cancel), cancel);
        var key = $"{Annotated}/{target.Id}/{target.Picture}";
        await post.PutAsync(settings.Bucket, key, annotated, BotPictures.TypeOf(annotated), target.Id, cancel);
        await post.PutRowAsync(settings.Table!, BotResult.RowOf(target, job, PictureResult.Of(job), settings.Folder + target.Picture, key), cancel);
    }

    /// <summary>Such a bot hears of nothing, so what it can look up says it.</summary>
    public Task RefuseAsync(LegacyTarget target, int status, string why, CancellationToken cancel) =>
        post.PutRowAsync(settings.Table!, BotResult.RowOfRefusal(target, settings, why, time.GetUtcNow()), cancel);
}
