using System.Globalization;
using Spotter.Core;
using Spotter.Jobs;
using Telegram.Bot.Types.ReplyMarkups;

namespace Spotter.Gateway.Telegram;

/// <summary>What a chat may know and do besides sending pictures.</summary>
internal sealed class ChatView(TelegramSettings settings, JobService jobs, ModelCatalogue models)
{
    private const int Page = 100;
    private const int MostModels = 40;

    /// <summary>The caller that a chat is.</summary>
    public static JobCaller CallerOf(ChatAddress chat) => new(chat.Tenant, "telegram", SeesAll: false);

    /// <summary>The models, the default first.</summary>
    public string Models()
    {
        var all = models.Models;
        if (all.Count == 0)
            return "There is no model at the moment. Filters work without one.";
        var lines = all.Take(MostModels).Select((m, i) => $"{Words.Plain(m.Id)} ({m.Engine}){(i == 0 ? ", used when none is named" : "")}");
        return Words.Cut($"Name one of these in the caption, as: predict {all[0].Id}\n\n{string.Join('\n', lines)}{(all.Count > MostModels ? $"\nand {all.Count - MostModels} more" : "")}", Words.LongestText);
    }

    /// <summary>How many pictures wait, of the chat and of all.</summary>
    public async Task<string> QueueAsync(ChatAddress chat, CancellationToken cancel)
    {
        var counts = (await jobs.CountAsync(cancel)).Jobs;
        var own = await UnfinishedAsync(chat, cancel);
        var lines = new List<string> { $"{Number(counts.Queued, "picture")} waiting, {Number(counts.Running, "picture")} being worked on." };
        if (own.Count == 0)
            lines.Add("None of them is yours.");
        foreach (var status in await jobs.StatusAsync([.. own.Take(10)], cancel))
        {
            var place = status.Job.State == JobState.Running ? "being worked on"
                : status.WaitsFor ?? (status.Position is { } position ? $"number {position.ToString(CultureInfo.InvariantCulture)} in its queue" : "waiting");
            lines.Add($"Yours of {status.Job.Created.ToString("HH:mm:ss", CultureInfo.InvariantCulture)} UTC: {place}{(status.EtaSeconds is { } eta ? $", done in about {Math.Ceiling(eta).ToString(CultureInfo.InvariantCulture)} s" : "")}");
        }
        return Words.Cut(string.Join('\n', lines), Words.LongestText);
    }

    /// <summary>Cancels what the chat waits for.</summary>
    public async Task<string> CancelAsync(ChatAddress chat, CancellationToken cancel)
    {
        var cancelled = 0;
        foreach (var job in await UnfinishedAsync(chat, cancel))
        {
            try
            {
                await jobs.CancelAsync(CallerOf(chat), job, cancel);
                cancelled++;
            }
            catch (SpotterException ended) when (ended.Code == ErrorCodes.NotCancellable)
            {
                // It was quicker.
            }
        }
        return cancelled == 0 ? "There is nothing to cancel." : $"{Number(cancelled, "picture")} cancelled.";
    }

    /// <summary>What a chat may ask for with one press.</summary>
    public async Task<InlineKeyboardMarkup> ButtonsAsync(ChatAddress chat, CancellationToken cancel) =>
        PictureButtons.Of((await jobs.ListAsync(CallerOf(chat), new JobFilter { Limit = 20 }, cancel)).Jobs, models.Models);

    /// <summary>Refuses more pictures of a chat that has enough waiting.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidRequest"/>.</exception>
    public async Task CheckWaitingAsync(ChatAddress chat, int more, CancellationToken cancel)
    {
        var (waiting, hasMore) = await jobs.ListAsync(CallerOf(chat), new JobFilter { State = JobState.Queued, Limit = settings.MostWaiting }, cancel);
        if (hasMore || waiting.Count + more > settings.MostWaiting)
            throw new SpotterException(ErrorCodes.InvalidRequest, $"{waiting.Count} of your pictures are waiting already, and {settings.MostWaiting} may; send more when some are done, or /cancel them.");
    }

    private async Task<List<Job>> UnfinishedAsync(ChatAddress chat, CancellationToken cancel)
    {
        var unfinished = new List<Job>();
        foreach (var state in (JobState[])[JobState.Running, JobState.Queued])
            unfinished.AddRange((await jobs.ListAsync(CallerOf(chat), new JobFilter { State = state, Limit = Page }, cancel)).Jobs);
        return unfinished;
    }

    private static string Number(long count, string what) => $"{count.ToString(CultureInfo.InvariantCulture)} {what}{(count == 1 ? "" : "s")}";
}
