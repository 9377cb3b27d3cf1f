using Spotter.Core;
using Telegram.Bot;
using Telegram.Bot.Types;

namespace Spotter.Gateway.Telegram;

/// <summary>What Telegram knows of a bot.</summary>
/// <param name="Name">Its name, without the @.</param>
/// <param name="Url">Where its updates are sent; null when they are to be fetched.</param>
/// <param name="Pending">Updates that wait there.</param>
/// <param name="LastError">Why an update could not be sent last; null when all could.</param>
/// <param name="LastErrorAt">When that was.</param>
public sealed record TelegramStatus(string Name, string? Url, int Pending, string? LastError, DateTime? LastErrorAt);

/// <summary>How Telegram brings a bot's updates: it sends them to a public address, or keeps them to be fetched.</summary>
public static class TelegramRegistration
{
    // Each of them is answered within milliseconds.
    private const int Connections = 40;

    /// <summary>How it is now.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.StoreUnavailable"/>: Telegram does not say.</exception>
    public static Task<TelegramStatus> StatusAsync(TelegramSettings settings, CancellationToken cancel) => AskAsync(
        settings,
        async bot =>
        {
            var me = await TelegramApi.CallAsync(bot, settings, b => b.GetMe(cancel), cancel);
            var hook = await TelegramApi.CallAsync(bot, settings, b => b.GetWebhookInfo(cancel), cancel);
            // Other bots have addresses with their token in them.
            return new TelegramStatus(
                me.Username ?? settings.BotId, string.IsNullOrEmpty(hook.Url) ? null : settings.Redact(hook.Url), hook.PendingUpdateCount,
                hook.LastErrorMessage is { } error ? settings.Redact(Words.Plain(error)) : null, hook.LastErrorDate);
        });

    /// <summary>Has updates sent to the public URL of the settings, or kept to be fetched when they have none.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.StoreUnavailable"/>: Telegram did not do it.</exception>
    public static Task SetAsync(TelegramSettings settings, CancellationToken cancel) => AskAsync(
        settings,
        async bot =>
        {
            await SetAsync(bot, settings, cancel);
            return true;
        });

    /// <summary>Tells Telegram so, as the settings have it. What waits there is kept.</summary>
    internal static async Task SetAsync(TelegramBotClient bot, TelegramSettings settings, CancellationToken cancel)
    {
        await using var certificate = settings is { CertificateFile: { } file, PublicUrl: not null } ? File.OpenRead(file) : null;
        await TelegramApi.CallAsync(
            bot, settings,
            async b =>
            {
                if (settings.PublicUrl is not { } url)
                {
                    await b.DeleteWebhook(dropPendingUpdates: false, cancel);
                    return true;
                }
                await b.SetWebhook(
                    url.ToString().TrimEnd('/') + TelegramWebhook.Path, certificate is null ? null : new InputFileStream(certificate, "certificate.pem"),
                    maxConnections: Connections, allowedUpdates: IncomingMessage.Kinds, secretToken: settings.WebhookSecret, cancellationToken: cancel);
                return true;
            },
            cancel);
    }

    private static async Task<T> AskAsync<T>(TelegramSettings settings, Func<TelegramBotClient, Task<T>> ask)
    {
        using var http = TelegramApi.NewHttp();
        try
        {
            return await ask(TelegramApi.NewBot(settings, http));
        }
        catch (TelegramFault fault)
        {
            throw new SpotterException(
                fault.Kind == FaultKind.Token ? ErrorCodes.Unauthorized : ErrorCodes.StoreUnavailable,
                fault.Kind == FaultKind.Token ? $"The Bot API server at {settings.Api.Host} refuses the token; correct it." : fault.Message, fault);
        }
    }
}
