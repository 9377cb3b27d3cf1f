using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Spotter.Core;
using Spotter.Jobs;
using Spotter.Jobs.Inboxes;
using Spotter.Scaling;
using Telegram.Bot;
using Telegram.Bot.Types;

namespace Spotter.Gateway.Telegram;

/// <summary>Runs the bot: has updates sent or fetches them, and deals with what came in.</summary>
internal sealed partial class TelegramService(
    TelegramBot bot, IServiceProvider services, IHostApplicationLifetime lifetime, StoreMonitor stores, ILogger<TelegramService> log, TimeProvider time, RandomSource random) : BackgroundService
{
    private static readonly BotCommand[] Commands =
    [
        new("help", "What the bot does"), new("models", "The models that find objects"), new("queue", "How many pictures wait"), new("cancel", "Cancel my pictures"),
    ];

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (bot.Settings is not { } settings)
            return;
        var reader = new InboxReader(settings.Box, bot.Inbox, bot.Handler, settings.Inbox, OnError, time, random);
        // Its messages are dealt with also while Telegram can't be asked for more.
        Task[] loops = [reader.RunAsync(stoppingToken), ReceiveAsync(settings, stoppingToken)];
        var failed = Supervision.FirstErrorAsync(loops);
        if (await Task.WhenAny(Task.WhenAll(loops), failed) == failed)
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(await failed);
    }

    private async Task ReceiveAsync(TelegramSettings settings, CancellationToken stopping)
    {
        try
        {
            await StartAsync(settings, stopping);
            if (settings.PublicUrl is not null)
                bot.Handler.BeginReceiving();
            else
                await new TelegramPolling(bot, services.GetService<IControllerLease>(), random, log).RunAsync(stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The end.
        }
    }

    /// <summary>Makes sure of the token, and tells Telegram how it is to bring updates. While Telegram can't be reached, it is tried again.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidSettings"/>: the token is refused.</exception>
    private async Task StartAsync(TelegramSettings settings, CancellationToken stopping)
    {
        for (var wait = TimeSpan.FromSeconds(1); ; wait = wait < TimeSpan.FromMinutes(1) ? wait * 2 : wait)
        {
            try
            {
                var me = await bot.Api.CallAsync(b => b.GetMe(stopping), stopping);
                await TelegramRegistration.SetAsync(bot.Api.Bot, settings, stopping);
                await bot.Api.CallAsync(
                    async b =>
                    {
                        await b.SetMyCommands(Commands, cancellationToken: stopping);
                        return true;
                    },
                    stopping);
                LogReady(me.Username ?? settings.BotId, settings.PublicUrl is null ? "updates are fetched" : "updates are sent here");
                return;
            }
            catch (TelegramFault token) when (token.Kind == FaultKind.Token)
            {
                // A service that fails while it starts looks as if somebody had stopped it.
                await Task.Delay(Timeout.InfiniteTimeSpan, time, lifetime.ApplicationStarted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                throw new SpotterException(ErrorCodes.InvalidSettings, $"The Bot API server at {settings.Api.Host} refuses the Telegram token; correct it, or leave it out to run without a bot.");
            }
            catch (TelegramFault fault)
            {
                LogUnreachable(fault.Message, wait.TotalSeconds);
                await Task.Delay(fault.Kind == FaultKind.Wait ? fault.Wait : wait, time, stopping);
            }
        }
    }

    private void OnError(Exception error, InboxEntry? entry, bool isLast)
    {
        if (stores.Note(error))
            return;
        // What the library says of an error may hold an address, and that the token.
        var said = bot.Settings!.Redact(error is TelegramFault or SpotterException ? error.Message : error.ToString());
        if (entry is null)
            LogInbox(said);
        else if (isLast)
            LogGivenUp(entry.Id, said);
        else
            LogFailed(entry.Id, entry.Attempt.ToString(CultureInfo.InvariantCulture), said);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "The Telegram bot @{Name} is ready; {How}")]
    private partial void LogReady(string name, string how);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The Telegram bot can't begin: {Detail} It is tried again in {Seconds:0} s")]
    private partial void LogUnreachable(string detail, double seconds);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The inbox can't be read or written; it is tried again: {Detail}")]
    private partial void LogInbox(string detail);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The Telegram message {Id} could not be dealt with at attempt {Attempt}; it is tried again: {Detail}")]
    private partial void LogFailed(string id, string attempt, string detail);

    [LoggerMessage(Level = LogLevel.Error, Message = "The Telegram message {Id} is given up: {Detail}")]
    private partial void LogGivenUp(string id, string detail);
}
