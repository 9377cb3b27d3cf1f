using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Spotter.Core;
using Spotter.Jobs;
using Spotter.Scaling;
using Telegram.Bot.Requests;
using Telegram.Bot.Types.Enums;

namespace Spotter.Gateway.Telegram;

/// <summary>
/// Fetches updates, by one gateway at a time: Telegram gives each bot one stream of them. An update is confirmed once it is
/// kept; after a restart those that were not are fetched again, and the inbox knows those that it has.
/// </summary>
/// <param name="bot">The bot.</param>
/// <param name="leases">Says which gateway fetches; null where there is only one.</param>
/// <param name="random">Names this gateway.</param>
/// <param name="log">Hears what goes wrong.</param>
internal sealed partial class TelegramPolling(TelegramBot bot, IControllerLease? leases, RandomSource random, ILogger log)
{
    private const int Seconds = 25;

    // A poll and what comes of it take less.
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan WhileAnother = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan WhileFull = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan AfterFault = TimeSpan.FromSeconds(3);

    private readonly string self = random.NextHex(8);

    /// <summary>Fetches until cancelled.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        var settings = bot.Settings!;
        var next = 0;
        try
        {
            while (true)
            {
                if (!await IsOursAsync(settings, stopping))
                {
                    // The other one has fetched what waits.
                    bot.Handler.BeginReceiving();
                    await Task.Delay(WhileAnother, TimeProvider.System, stopping);
                    continue;
                }
                try
                {
                    if (!await bot.Intake.HasRoomAsync(stopping))
                    {
                        await Task.Delay(WhileFull, TimeProvider.System, stopping);
                        continue;
                    }
                    var request = new UpdatesRequest { Offset = next, Limit = 100, Timeout = Seconds, AllowedUpdates = IncomingMessage.Kinds };
                    var updates = await bot.Api.CallAsync(b => b.SendRequest(request, stopping), stopping);
                    await KeepAsync(settings, updates, stopping);
                    bot.Handler.BeginReceiving();
                    // Said once, which confirms them: after a quiet week the numbers begin anew, and may be lower.
                    next = updates.Length > 0 ? IdOf(updates[^1]) + 1 : 0;
                }
                catch (Exception failed) when (failed is TelegramFault or SpotterException)
                {
                    LogFailed(failed.Message);
                    await Task.Delay(failed is TelegramFault { Kind: FaultKind.Wait } fault ? fault.Wait : AfterFault, TimeProvider.System, stopping);
                }
            }
        }
        finally
        {
            await GiveBackAsync(settings);
        }
    }

    private async Task<bool> IsOursAsync(TelegramSettings settings, CancellationToken cancel)
    {
        try
        {
            return leases is null || await leases.HoldAsync(settings.Box, self, Lease, cancel) == self;
        }
        catch (SpotterException)
        {
            return false;
        }
    }

    private async Task GiveBackAsync(TelegramSettings settings)
    {
        try
        {
            if (leases is not null)
                await leases.ReleaseAsync(settings.Box, self, CancellationToken.None);
        }
        catch (SpotterException)
        {
            // It ends by itself.
        }
    }

    private async Task KeepAsync(TelegramSettings settings, JsonElement[] updates, CancellationToken cancel)
    {
        var messages = new List<InboxMessage>();
        foreach (var update in updates)
        {
            var body = update.GetRawText();
            if (IncomingMessage.Parse(Encoding.UTF8.GetBytes(body)) is not { } read)
                LogUnreadable(IdOf(update));
            else if (IncomingMessage.Of(read) is { } incoming)
                messages.Add(IncomingMessage.Keep(IdOf(update).ToString(CultureInfo.InvariantCulture), incoming, body, settings));
        }
        if (messages.Count > 0)
            await bot.Intake.KeepAsync(messages, cancel);
    }

    private static int IdOf(JsonElement update) =>
        update.ValueKind == JsonValueKind.Object && update.TryGetProperty("update_id", out var id) && id.TryGetInt32(out var number) ? number : 0;

    [LoggerMessage(Level = LogLevel.Warning, Message = "Telegram's update {Id} can't be read, so it is left out")]
    private partial void LogUnreadable(int id);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Telegram's updates can't be fetched: {Detail} It is tried again")]
    private partial void LogFailed(string detail);

    /// <summary>
    /// Fetches updates as they were written. The library reads all of a page or none, so that one update of a later Bot API
    /// would keep all from coming; and it can't write every one that it can read.
    /// </summary>
    private sealed class UpdatesRequest() : RequestBase<JsonElement[]>("getUpdates")
    {
        public required int Offset { get; init; }

        public required int Limit { get; init; }

        public required int Timeout { get; init; }

        public required IEnumerable<UpdateType> AllowedUpdates { get; init; }
    }
}
