using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Spotter.Core;
using Spotter.Gateway.Access;

namespace Spotter.Gateway.Telegram;

/// <summary>
/// Takes in updates that Telegram sends. One is answered with 200 once it is kept, so that Telegram sends it again until then;
/// what becomes of it is not waited for.
/// </summary>
internal sealed class TelegramWebhook(TelegramBot bot, RandomSource random)
{
    /// <summary>The path; it says nothing of the token.</summary>
    public const string Path = "/telegram/webhook";

    private const int MostBytes = 1 << 20;
    private const int RetrySeconds = 5;

    /// <summary>An update from Telegram.</summary>
    public async Task<IResult> ReceiveAsync(HttpContext http, CancellationToken cancel)
    {
        var settings = bot.Settings!;
        // Before anything of the body is read.
        if (!IsSecret(settings, http.Request.Headers["X-Telegram-Bot-Api-Secret-Token"].ToString()))
            return TypedResults.Text("This address takes updates from Telegram only.", statusCode: StatusCodes.Status401Unauthorized);
        if (!IsSource(settings, http))
            return TypedResults.Text("Updates are taken from Telegram's networks only.", statusCode: StatusCodes.Status403Forbidden);
        return await KeepAsync(http, update => update.ToString(CultureInfo.InvariantCulture), cancel);
    }

    /// <summary>An update from one who tries what the bot stands: each is new.</summary>
    public Task<IResult> TryLoadAsync(HttpContext http, CancellationToken cancel) => KeepAsync(http, _ => $"load-{random.NextHex(16)}", cancel);

    /// <summary>True when a request comes from a network that updates are taken from. A private address that says for whom it asks is a proxy.</summary>
    internal static bool IsFrom(IReadOnlyList<IPNetwork> sources, IPAddress? peer, string forwardedFor)
    {
        if (sources.Count == 0)
            return true;
        if (forwardedFor.Length > 0 && ClientAddress.ClassOf(peer) != "internet")
            peer = ClientAddress.BehindProxy(forwardedFor);
        if (peer is null)
            return false;
        var plain = peer.IsIPv4MappedToIPv6 ? peer.MapToIPv4() : peer;
        return sources.Any(s => s.Contains(plain));
    }

    private static bool IsSource(TelegramSettings settings, HttpContext http) =>
        IsFrom(settings.Sources, http.Connection.RemoteIpAddress, http.Request.Headers["X-Forwarded-For"].ToString());

    // Of hashes, so that not even the length can be learned from the time that it takes.
    private static bool IsSecret(TelegramSettings settings, string shown) =>
        CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(shown)), SHA256.HashData(Encoding.UTF8.GetBytes(settings.WebhookSecret)));

    private async Task<IResult> KeepAsync(HttpContext http, Func<int, string> idOf, CancellationToken cancel)
    {
        var settings = bot.Settings!;
        if (await ReadAsync(http.Request.Body, cancel) is not { } body)
            return TypedResults.Text("The update is too large.", statusCode: StatusCodes.Status413PayloadTooLarge);
        if (IncomingMessage.Parse(body) is not { } update || IncomingMessage.Of(update) is not { } incoming)
            return TypedResults.Text("No message", statusCode: StatusCodes.Status400BadRequest);
        if (!await bot.Intake.HasRoomAsync(cancel))
        {
            http.Response.Headers.RetryAfter = RetrySeconds.ToString(CultureInfo.InvariantCulture);
            return TypedResults.Text("Too many messages wait already; send it again later.", statusCode: StatusCodes.Status503ServiceUnavailable);
        }
        await bot.Intake.KeepAsync([IncomingMessage.Keep(idOf(update.Id), incoming, Encoding.UTF8.GetString(body), settings)], cancel);
        return TypedResults.Text("Ok");
    }

    private static async Task<byte[]?> ReadAsync(Stream body, CancellationToken cancel)
    {
        using var bytes = new MemoryStream();
        var buffer = new byte[16 * 1024];
        for (int read; (read = await body.ReadAsync(buffer, cancel)) > 0;)
        {
            bytes.Write(buffer, 0, read);
            if (bytes.Length > MostBytes)
                return null;
        }
        return bytes.ToArray();
    }
}
