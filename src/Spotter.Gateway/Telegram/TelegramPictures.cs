using System.IO.Pipelines;
using Spotter.Core;
using Spotter.Engines.Catalogue;
using Spotter.Jobs;
using Telegram.Bot;
using Telegram.Bot.Types;

namespace Spotter.Gateway.Telegram;

/// <summary>Turns pictures of a chat into jobs: fetches them from Telegram straight into the service, and submits them.</summary>
internal sealed class TelegramPictures(TelegramSettings settings, GatewaySettings gateway, TelegramApi api, JobService jobs, EngineCatalogue engines, ModelCatalogue models)
{
    // What the public server gives to bots.
    private const long LargestPublicFile = 20L << 20;

    private static readonly InputRef Unknown = new("", "image/jpeg", 0, "");

    private long Largest => settings.Api == TelegramSettings.PublicApi ? Math.Min(LargestPublicFile, gateway.Jobs.MaxInputBytes) : gateway.Jobs.MaxInputBytes;

    /// <summary>Refuses what can't be done with pictures, before any of them is fetched.</summary>
    /// <exception cref="SpotterException">What is wrong, in words for who sent them.</exception>
    public void Check(BotReply.Works works)
    {
        works.Action.ToForm(engines).Resolve(models.Models, [.. works.Pictures.Select(_ => Unknown)]);
        foreach (var picture in works.Pictures)
        {
            if (IncomingMessage.PictureOf(picture)!.Value.File.FileSize is { } bytes && bytes > Largest)
                throw TooLarge();
        }
    }

    /// <summary>Submits them; once, however often it is asked for by the same message.</summary>
    /// <exception cref="SpotterException">They are not accepted.</exception>
    /// <exception cref="TelegramFault">They can't be fetched.</exception>
    public async Task SubmitAsync(BotReply.Works works, ChatAddress to, int placeholder, string entry, CancellationToken cancel)
    {
        jobs.Admission.Check();
        await using var submission = await jobs.BeginAsync(ChatView.CallerOf(to), KeyOf(settings, entry), cancel);
        foreach (var picture in works.Pictures)
            await FetchAsync(submission, picture, cancel);
        var request = works.Action.ToForm(engines).Resolve(models.Models, [.. submission.Inputs.Select(i => i.Ref)]);
        var target = new AnswerTarget(to, placeholder, entry, request.Together ? 1 : works.Pictures.Count, works.Action.Words);
        try
        {
            await submission.AcceptAsync(request with { Notify = [new JobNotification(TelegramChannel.ChannelName, target.Write())] }, cancel);
        }
        catch (SpotterException known) when (known.Code == ErrorCodes.IdempotencyMismatch)
        {
            // Telegram made other bytes of the same picture; the jobs are there from the first time.
        }
    }

    /// <summary>The idempotency key of what a message asks for.</summary>
    public static string KeyOf(TelegramSettings settings, string entry) => $"{settings.Box}:{entry}";

    private async Task FetchAsync(Submission submission, Message message, CancellationToken cancel)
    {
        var (picture, name) = IncomingMessage.PictureOf(message)!.Value;
        TGFile file;
        try
        {
            file = await api.CallAsync(bot => bot.GetFile(picture.FileId, cancel), cancel);
        }
        catch (TelegramFault refused) when (refused.Message.Contains("too big", StringComparison.OrdinalIgnoreCase))
        {
            throw TooLarge();
        }
        if (file.FileSize > Largest)
            throw TooLarge();
        var pipe = new Pipe();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var fetching = FillAsync(file, pipe.Writer, stop.Token);
        try
        {
            await using var content = pipe.Reader.AsStream();
            await submission.AddInputAsync(content, name is null ? $"{picture.FileUniqueId}.jpg" : PictureName.Of(name), cancel);
        }
        catch (Exception) when (fetching.IsFaulted)
        {
            // Why there was no more of it says more than that there was none.
            await fetching;
            throw;
        }
        finally
        {
            await stop.CancelAsync();
            await fetching.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task FillAsync(TGFile file, PipeWriter writer, CancellationToken cancel)
    {
        try
        {
            await using (var destination = writer.AsStream(leaveOpen: true))
                await api.DownloadAsync(file, destination, cancel);
            await writer.CompleteAsync();
        }
        catch (Exception failed)
        {
            await writer.CompleteAsync(new IOException("The picture could not be fetched from Telegram.", failed));
            throw;
        }
    }

    private SpotterException TooLarge() => new(
        ErrorCodes.BodyTooLarge, $"A picture is larger than {Largest >> 20} MB, and that is the most that can be fetched from Telegram here; send a smaller one, or send it as a photo.");
}
