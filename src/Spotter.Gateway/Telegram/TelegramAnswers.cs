using Spotter.Core;
using Spotter.Jobs;
using Telegram.Bot;
using Telegram.Bot.Types;

namespace Spotter.Gateway.Telegram;

/// <summary>Writes answers about jobs into chats: the placeholder becomes the answer, so sending it twice changes nothing.</summary>
internal sealed class TelegramAnswers(TelegramApi api, JobDrawings drawings)
{
    /// <summary>Answers one job.</summary>
    /// <exception cref="TelegramFault">The answer did not get there.</exception>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.Busy"/>: its picture is not drawn yet.</exception>
    public async Task SendAsync(AnswerTarget target, Job job, CancellationToken cancel)
    {
        if (await PictureAsync(job, AnswerPicture.LargestFile, cancel) is { } picture)
            await PutPictureAsync(target, picture, picture.Form, CaptionOf(job), cancel);
        else
            await PutTextAsync(target, TextOf(job), cancel);
    }

    /// <summary>Answers the jobs of an album: their pictures as an album, and what is to be said besides in the placeholder.</summary>
    /// <exception cref="TelegramFault">The answer did not get there.</exception>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.Busy"/>: a picture is not drawn yet.</exception>
    public async Task SendAlbumAsync(AnswerTarget target, IReadOnlyList<Job> all, CancellationToken cancel)
    {
        var pictures = new List<(AnswerPicture Picture, string? Caption)>();
        var others = new List<string>();
        // They are in memory all at a time.
        var left = AnswerPicture.LargestFile;
        foreach (var (job, number) in all.Select((j, i) => (j, i + 1)))
        {
            if (await PictureAsync(job, left, cancel) is { } picture)
            {
                pictures.Add((picture, CaptionOf(job)));
                left -= picture.Bytes.Length;
                continue;
            }
            others.Add($"Picture {number}: {TextOf(job)}");
        }
        if (pictures.Count == 1 && others.Count == 0)
        {
            await PutPictureAsync(target, pictures[0].Picture, pictures[0].Picture.Form, pictures[0].Caption, cancel);
            return;
        }
        // First what changes nothing when it is said again: should the pictures fail, all of it is tried again.
        if (others.Count > 0)
            await PutTextAsync(target, Words.Cut(string.Join("\n\n", others), Words.LongestText), cancel);
        if (pictures.Count == 1)
            await SendPictureAsync(target, pictures[0].Picture, pictures[0].Picture.Form, pictures[0].Caption, cancel);
        else if (pictures.Count > 1)
            await SendGroupAsync(target, pictures, cancel);
        if (others.Count == 0)
            await RemovePlaceholderAsync(target, cancel);
    }

    private static string TextOf(Job job) => job.State switch
    {
        JobState.Succeeded when !PictureResult.IsOf(job.Engine) => "The picture that was made is too large to be sent.",
        JobState.Succeeded => Words.Cut(Words.Found(job), Words.LongestText),
        JobState.Cancelled => Words.Cancelled,
        _ => Words.Error(job.Error?.Detail ?? "The picture could not be worked on."),
    };

    /// <summary>A filter's picture says it all.</summary>
    private static string? CaptionOf(Job job) => PictureResult.IsOf(job.Engine) ? Words.Cut(Words.Found(job), Words.LongestCaption) : null;

    /// <summary>The picture of a job that has one; null when it has none, when that has been deleted, or has more bytes than that.</summary>
    private async Task<AnswerPicture?> PictureAsync(Job job, long most, CancellationToken cancel)
    {
        if (job.State != JobState.Succeeded)
            return null;
        try
        {
            await using var content = await drawings.OpenAsync(job, confidence: 0, enter: null, cancel);
            return await AnswerPicture.ReadAsync(content, most, cancel);
        }
        catch (SpotterException gone) when (gone.Code is not (ErrorCodes.Busy or ErrorCodes.StoreUnavailable))
        {
            return null;
        }
    }

    private async Task PutPictureAsync(AnswerTarget target, AnswerPicture picture, PictureForm form, string? caption, CancellationToken cancel)
    {
        try
        {
            if (target.Placeholder != 0)
            {
                await api.SayAsync(target.To.Chat, (bot, chat) => bot.EditMessageMedia(chat, target.Placeholder, picture.AsMedia(form, caption), cancellationToken: cancel), cancel);
                return;
            }
        }
        catch (TelegramFault fault) when (fault.Kind == FaultKind.Done)
        {
            return;
        }
        catch (TelegramFault fault) when (fault.Kind == FaultKind.NotAPhoto && form == PictureForm.Photo)
        {
            await PutPictureAsync(target, picture, PictureForm.File, caption, cancel);
            return;
        }
        catch (TelegramFault fault) when (fault.Kind == FaultKind.NotEditable)
        {
            // Somebody deleted it, or the server is one that can't make a picture of a text.
        }
        await SendPictureAsync(target, picture, form, caption, cancel);
        await RemovePlaceholderAsync(target, cancel);
    }

    private async Task SendPictureAsync(AnswerTarget target, AnswerPicture picture, PictureForm form, string? caption, CancellationToken cancel)
    {
        var to = target.To;
        try
        {
            await api.SayAsync<Message>(
                to.Chat,
                (bot, chat) => form == PictureForm.Photo
                    ? bot.SendPhoto(chat, picture.Open(), caption, replyParameters: to.Quote, messageThreadId: to.Thread, cancellationToken: cancel)
                    : bot.SendDocument(chat, picture.Open(), caption, replyParameters: to.Quote, messageThreadId: to.Thread, cancellationToken: cancel),
                cancel);
        }
        catch (TelegramFault fault) when (fault.Kind == FaultKind.NotAPhoto && form == PictureForm.Photo)
        {
            await SendPictureAsync(target, picture, PictureForm.File, caption, cancel);
        }
    }

    private async Task SendGroupAsync(AnswerTarget target, List<(AnswerPicture Picture, string? Caption)> pictures, CancellationToken cancel)
    {
        var to = target.To;
        // Photos and files can't be mixed.
        var form = pictures.TrueForAll(p => p.Picture.Form == PictureForm.Photo) ? PictureForm.Photo : PictureForm.File;
        try
        {
            await SendAsync(form);
        }
        catch (TelegramFault fault) when (fault.Kind == FaultKind.NotAPhoto && form == PictureForm.Photo)
        {
            await SendAsync(PictureForm.File);
        }

        Task SendAsync(PictureForm asForm) => api.SayAsync<Message[]>(
            to.Chat,
            (bot, chat) => bot.SendMediaGroup(
                chat, [.. pictures.Select(p => (IAlbumInputMedia)p.Picture.AsMedia(asForm, p.Caption))], replyParameters: to.Quote, messageThreadId: to.Thread, cancellationToken: cancel),
            cancel);
    }

    private async Task PutTextAsync(AnswerTarget target, string text, CancellationToken cancel)
    {
        var to = target.To;
        try
        {
            if (target.Placeholder != 0)
            {
                await api.SayAsync(to.Chat, (bot, chat) => bot.EditMessageText(chat, target.Placeholder, text, cancellationToken: cancel), cancel);
                return;
            }
        }
        catch (TelegramFault fault) when (fault.Kind == FaultKind.Done)
        {
            return;
        }
        catch (TelegramFault fault) when (fault.Kind == FaultKind.NotEditable)
        {
            // Somebody deleted it.
        }
        await api.SayAsync(to.Chat, (bot, chat) => bot.SendMessage(chat, text, replyParameters: to.Quote, messageThreadId: to.Thread, cancellationToken: cancel), cancel);
    }

    private async Task RemovePlaceholderAsync(AnswerTarget target, CancellationToken cancel)
    {
        if (target.Placeholder == 0)
            return;
        try
        {
            await api.SayAsync(target.To.Chat, (bot, chat) => bot.DeleteMessage(chat, target.Placeholder, cancel), cancel);
        }
        catch (TelegramFault)
        {
            // The answer is there; one too many lines of text is the worst that is left.
        }
    }
}
