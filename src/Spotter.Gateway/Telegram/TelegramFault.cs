using System.Net;
using Telegram.Bot.Exceptions;

namespace Spotter.Gateway.Telegram;

/// <summary>What kept a call to the Bot API from being done.</summary>
internal enum FaultKind
{
    /// <summary>Telegram asked to wait.</summary>
    Wait,

    /// <summary>It can't be reached, or can't serve now.</summary>
    Away,

    /// <summary>Nobody is there to hear the answer: the bot was blocked or put out of the chat.</summary>
    Gone,

    /// <summary>There is nothing left to do: it has been done before.</summary>
    Done,

    /// <summary>The message that was to be changed is not there, or can't be changed.</summary>
    NotEditable,

    /// <summary>It is not taken as a photo.</summary>
    NotAPhoto,

    /// <summary>The token is refused.</summary>
    Token,

    /// <summary>Anything else that was refused.</summary>
    Refused,
}

/// <summary>A call to the Bot API that was not done. The message says nothing of the address, which holds the token.</summary>
internal sealed class TelegramFault : Exception
{
    private TelegramFault(FaultKind kind, string message, TimeSpan wait, long? movedTo, int? status)
        : base(message) => (Kind, Wait, MovedTo, Status) = (kind, wait, movedTo, status);

    /// <summary>What kind.</summary>
    public FaultKind Kind { get; }

    /// <summary>How long Telegram asked to wait.</summary>
    public TimeSpan Wait { get; }

    /// <summary>The chat that took the place of the one that was addressed.</summary>
    public long? MovedTo { get; }

    /// <summary>The status code; null without an answer.</summary>
    public int? Status { get; }

    /// <summary>True when the same call may be done later.</summary>
    public bool IsTransient => Kind is FaultKind.Wait or FaultKind.Away or FaultKind.Token;

    /// <summary>The chat is to be left alone for a while.</summary>
    public static TelegramFault Held(TimeSpan wait) => new(FaultKind.Wait, "Telegram asked to leave the chat alone for a while.", wait > TimeSpan.Zero ? wait : TimeSpan.FromMilliseconds(1), null, 429);

    /// <summary>A file that somebody sent can't be had, however often it is asked for.</summary>
    public static TelegramFault NoFile(string why) => new(FaultKind.Refused, why, default, null, 404);

    /// <summary>Reads an error of the client; null for one that is none of Telegram's.</summary>
    public static TelegramFault? Of(Exception error, TelegramSettings settings) => error switch
    {
        TelegramFault fault => fault,
        ApiRequestException { Parameters.RetryAfter: { } seconds } => new(
            FaultKind.Wait, $"Telegram asks to wait for {seconds} s.", TimeSpan.FromSeconds(Math.Max(1, seconds)), null, 429),
        ApiRequestException { Parameters.MigrateToChatId: { } chat } => new(FaultKind.Refused, "The group has become a supergroup.", default, chat, 400),
        ApiRequestException refused => new(KindOf(refused), $"Telegram refuses it: {settings.Redact(Words.Plain(refused.Message))}", default, null, refused.ErrorCode),
        RequestException { HttpStatusCode: HttpStatusCode.TooManyRequests } => new(FaultKind.Wait, "Telegram asks to wait.", TimeSpan.FromSeconds(5), null, 429),
        RequestException or HttpRequestException or IOException or TaskCanceledException => new(
            FaultKind.Away, $"The Bot API server at {settings.Api.Host} did not answer as it should ({settings.Redact(Inner(error))}).", default, null,
            (int?)(error as RequestException)?.HttpStatusCode),
        _ => null,
    };

    private static FaultKind KindOf(ApiRequestException refused)
    {
        bool Says(string words) => refused.Message.Contains(words, StringComparison.OrdinalIgnoreCase);
        return refused.ErrorCode switch
        {
            401 or 404 when Says("Unauthorized") || Says("Not Found") => FaultKind.Token,
            429 => FaultKind.Wait,
            >= 500 => FaultKind.Away,
            403 => FaultKind.Gone,
            _ when Says("not modified") => FaultKind.Done,
            _ when Says("chat not found") || Says("user is deactivated") || Says("PEER_ID_INVALID") || Says("not enough rights") || Says("TOPIC_CLOSED") => FaultKind.Gone,
            _ when Says("to edit") || Says("can't be edited") || Says("MESSAGE_ID_INVALID") || Says("no media in the message") => FaultKind.NotEditable,
            _ when Says("PHOTO_") || Says("IMAGE_PROCESS_FAILED") || Says("too big for a photo") => FaultKind.NotAPhoto,
            _ => FaultKind.Refused,
        };
    }

    private static string Inner(Exception error)
    {
        while (error.InnerException is { } inner)
            error = inner;
        return error.Message.TrimEnd('.');
    }
}
