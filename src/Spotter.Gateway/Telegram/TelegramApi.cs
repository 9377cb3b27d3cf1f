using Spotter.Core;
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
        var conversation = new ChatAddress(chat, null, 0).Conversation;
        if (await inbox.HeldUntilAsync(settings.Box, conversation, cancel) is { } until)
            throw TelegramFault.Held(until - time.GetUtcNow());
        try
        {
            return await CallAsync(bot => say(bot, chat), cancel);
        }
        catch (TelegramFault moved) when (moved.MovedTo is { } now)
        {
            return await CallAsync(bot => say(bot, now), cancel);
        }
        catch (TelegramFault wait) when (wait.Kind == FaultKind.Wait)
        {
            await inbox.HoldAsync(settings.Box, conversation, time.GetUtcNow() + wait.Wait, cancel);
            throw;
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
    public async Task DownloadAsync(TGFile file, Stream destination, CancellationToken cancel) =>
        await CallAsync(
            async bot =>
            {
                await bot.DownloadFile(file, destination, cancel);
                return true;
            },
            cancel);

    /// <inheritdoc/>
    public void Dispose() => http.Dispose();
}
