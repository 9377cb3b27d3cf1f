using Spotter.Core;
using Spotter.Core.Files;
using Spotter.Jobs;
using Telegram.Bot;
using Telegram.Bot.Types;

namespace Spotter.Gateway.Telegram;

/// <summary>The way to the Bot API. Whatever is said to a chat goes through here: a chat that Telegram asked to leave alone is left alone, by all gateways.</summary>
internal sealed class TelegramApi : IDisposable
{
    private readonly TelegramSettings settings;
    private readonly IInbox inbox;
    private readonly TimeProvider time;
    private readonly HttpClient http;

    /// <summary>Connects when it is first used.</summary>
    public TelegramApi(TelegramSettings settings, IInbox inbox, TimeProvider time)
    {
        (this.settings, this.inbox, this.time) = (settings, inbox, time);
        http = NewHttp();
        Bot = NewBot(settings, http);
    }

    /// <summary>The client, for what goes to no chat.</summary>
    public TelegramBotClient Bot { get; }

    /// <summary>A client for one who holds no inbox.</summary>
    public static TelegramBotClient NewBot(TelegramSettings settings, HttpClient http) =>
        // It would wait by itself, without telling anybody else.
        new(new TelegramBotClientOptions(settings.Token, settings.Api == TelegramSettings.PublicApi ? null : settings.Api.ToString().TrimEnd('/')) { RetryCount = 0, RetryThreshold = 0 }, http);

    /// <summary>A client for the connection. Long polls take a minute.</summary>
    public static HttpClient NewHttp() => new(Outgoing.NewHandler()) { Timeout = TimeSpan.FromSeconds(100) };

    /// <summary>Says something to a chat; in a group that has moved, there.</summary>
    /// <exception cref="TelegramFault">It was not said.</exception>
    public async Task<T> SayAsync<T>(long chat, Func<TelegramBotClient, long, Task<T>> say, CancellationToken cancel)
    {
        try
        {
            return await SayToAsync(chat, say, cancel);
        }
        catch (TelegramFault moved) when (moved.MovedTo is { } now)
        {
            return await SayToAsync(now, say, cancel);
        }
    }

    /// <summary>Says something to a chat that needs no answer.</summary>
    public Task SayAsync(long chat, Func<TelegramBotClient, long, Task> say, CancellationToken cancel) =>
        SayAsync(chat, async (bot, to) =>
        {
            await say(bot, to);
            return true;
        }, cancel);

    /// <summary>Makes a call that goes to no chat.</summary>
    /// <exception cref="TelegramFault">It was not done.</exception>
    public Task<T> CallAsync<T>(Func<TelegramBotClient, Task<T>> call, CancellationToken cancel) => CallAsync(Bot, settings, call, cancel);

    /// <summary>As the other, with any client.</summary>
    public static async Task<T> CallAsync<T>(TelegramBotClient bot, TelegramSettings settings, Func<TelegramBotClient, Task<T>> call, CancellationToken cancel)
    {
        try
        {
            return await call(bot);
        }
        catch (Exception error) when (!cancel.IsCancellationRequested && TelegramFault.Of(error, settings) is not null)
        {
            throw TelegramFault.Of(error, settings)!;
        }
    }

    /// <summary>Streams a file that somebody sent.</summary>
    /// <exception cref="TelegramFault">It can't be had.</exception>
    public async Task DownloadAsync(TGFile file, Stream destination, CancellationToken cancel)
    {
        // A server of one's own says where the file lies, and sends none.
        if (settings.Api != TelegramSettings.PublicApi && Path.IsPathRooted(file.FilePath))
        {
            await CopyAsync(file.FilePath!, destination, cancel);
            return;
        }
        if (string.IsNullOrEmpty(file.FilePath))
            throw TelegramFault.NoFile("The Bot API server does not say where the file is.");
        try
        {
            await CallAsync(
                async bot =>
                {
                    await bot.DownloadFile(file, destination, cancel);
                    return true;
                },
                cancel);
        }
        // Where calls are made, 404 would be the token's fault; calls are made before this.
        catch (TelegramFault gone) when (gone.Status is >= 400 and < 500 and not 429)
        {
            throw TelegramFault.NoFile("Telegram has no such file any more.");
        }
    }

    /// <summary>Leaves a chat alone for as long as Telegram asked, whoever was asked.</summary>
    private async Task<T> SayToAsync<T>(long chat, Func<TelegramBotClient, long, Task<T>> say, CancellationToken cancel)
    {
        var conversation = new ChatAddress(chat, null, 0).Conversation;
        if (await inbox.HeldUntilAsync(settings.Box, conversation, cancel) is { } until)
            throw TelegramFault.Held(until - time.GetUtcNow());
        try
        {
            return await CallAsync(bot => say(bot, chat), cancel);
        }
        catch (TelegramFault wait) when (wait.Kind == FaultKind.Wait)
        {
            await inbox.HoldAsync(settings.Box, conversation, time.GetUtcNow() + wait.Wait, cancel);
            throw;
        }
    }

    /// <summary>Reads a file where the Bot API server keeps it: in a folder of the bot, named by its token. What it says may not lead anywhere else.</summary>
    private async Task CopyAsync(string path, Stream destination, CancellationToken cancel)
    {
        if (Path.GetFullPath(path) != path || !path.Split(Path.DirectorySeparatorChar).Contains(settings.Token, StringComparer.Ordinal))
            throw TelegramFault.NoFile("The Bot API server keeps it outside of the bot's folder.");
        FileStream file;
        try
        {
            file = RegularFile.Open(path);
        }
        catch (Exception missing) when (missing is IOException or UnauthorizedAccessException)
        {
            // The path holds the token, so it is not repeated.
            throw TelegramFault.NoFile("The Bot API server keeps it in a folder that Spotter can't read.");
        }
        await using (file)
            await file.CopyToAsync(destination, cancel);
    }

    /// <inheritdoc/>
    public void Dispose() => http.Dispose();
}
