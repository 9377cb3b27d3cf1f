using System.Text.Json;
using System.Text.Json.Serialization;
using Spotter.Core;
using Spotter.Gateway.LegacyMessages;
using Spotter.Jobs;

namespace Spotter.Cli.Bridge;

/// <summary>Workers that write a row under the id of the message: the row is looked for until it is there.</summary>
internal sealed class RowWorkers(LegacySettings settings, ILegacyPost post, TimeProvider time) : IOldWorkers
{
    // Such a table has few reads a second.
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    public async Task<OldAnswer> AskAsync(string picture, CancellationToken cancel)
    {
        var id = await post.SendAsync(settings.RequestQueue, RowRequest.Write(picture), cancel);
        for (var pause = FirstPause; ; pause = pause * 1.5 < LongestPause ? pause * 1.5 : LongestPause)
        {
            await Task.Delay(pause, time, cancel);
            try
            {
                if (await post.FindLabelsAsync(settings.Table!, id, cancel) is { } labels)
                    return new OldAnswer.Found(labels);
            }
            catch (SpotterException away) when (away.Code == ErrorCodes.StoreUnavailable)
            {
                // The worker goes on meanwhile.
            }
        }
    }
}

/// <summary>A job of a bot that is called. Each such bot had names of its own, so both that were usual are given.</summary>
/// <param name="ImgName">The picture's name.</param>
/// <param name="ChatId">Whom it is for: nobody, but 0 counts as missing.</param>
internal sealed record RowRequest([property: JsonPropertyName("img_name")] string ImgName, [property: JsonPropertyName("chat_id")] long ChatId)
{
    /// <summary>The same under its other name.</summary>
    [JsonPropertyName("imgName")]
    public string OtherImgName => ImgName;

    /// <summary>The same under its other name.</summary>
    [JsonPropertyName("chatId")]
    public long OtherChatId => ChatId;

    /// <summary>As the queue carries it.</summary>
    public static string Write(string picture) => JsonSerializer.Serialize(new RowRequest(picture, 1), BridgeJson.Default.RowRequest);
}
