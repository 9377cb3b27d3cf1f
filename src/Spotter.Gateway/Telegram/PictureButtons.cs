using System.Text;
using Spotter.Core;
using Spotter.Jobs;
using Telegram.Bot.Types.ReplyMarkups;

namespace Spotter.Gateway.Telegram;

/// <summary>The buttons under a message that asks what to do with a picture: what the chat did last, and what anybody may want.</summary>
internal static class PictureButtons
{
    private const string Prefix = "do:";
    private const int LongestData = 64;
    private const int MostRecent = 3;
    private const int MostModels = 3;

    private static readonly string[] Usual = ["predict", "blur", "contour", "rotate", "salt and pepper", "segment"];

    /// <summary>The buttons.</summary>
    /// <param name="recent">Jobs of the chat, newest first.</param>
    /// <param name="models">The models, the default first.</param>
    public static InlineKeyboardMarkup Of(IReadOnlyList<Job> recent, IReadOnlyList<ModelInfo> models)
    {
        var last = recent.Select(ActionOf).OfType<string>().Where(a => !PictureAction.Of(a).Joins).Distinct(StringComparer.OrdinalIgnoreCase).Take(MostRecent);
        var others = models.Count > 1 ? models.Take(MostModels).Select(m => $"predict {m.Id}") : [];
        var actions = last.Concat(others).Concat(Usual).Where(a => Encoding.UTF8.GetByteCount(Prefix + a) <= LongestData).Distinct(StringComparer.OrdinalIgnoreCase);
        return new InlineKeyboardMarkup(actions.Chunk(3).Select(row => row.Select(a => InlineKeyboardButton.WithCallbackData(Words.Plain(a), Prefix + a))));
    }

    /// <summary>What a button asks for; null when it is none of these.</summary>
    public static PictureAction? Read(string? data) =>
        data?.StartsWith(Prefix, StringComparison.Ordinal) == true ? PictureAction.Of(data[Prefix.Length..]) : null;

    private static string? ActionOf(Job job) =>
        job.Notify.FirstOrDefault(n => n.Channel == TelegramChannel.ChannelName) is { } told ? AnswerTarget.Read(told.Target).Action : null;
}
