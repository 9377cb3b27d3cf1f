using System.Globalization;
using System.Net;
using Spotter.Core.Settings;
using Spotter.Gateway.Telegram;

namespace Spotter.Cli.Settings;

/// <summary>What the Telegram bot is told.</summary>
internal static class TelegramSection
{
    /// <summary>The file in the data folder that the token is read from when nothing else says it.</summary>
    public const string DefaultFile = ".telegramToken";

    private static readonly TelegramSettings Defaults = new() { Token = "0:00000" };

    private static readonly Setting<string?> Token = new(
        "telegram.token", "The token of a Telegram bot, which then serves chats. Others see what is typed: give it in the environment or a file.", SettingValues.OptionalText("TOKEN"), null) { IsSecret = true };

    private static readonly Setting<string?> TokenFile = new(
        "telegram.tokenFile", $"File with that token. Default: {DefaultFile} in the data folder, if it is there.", SettingValues.OptionalText("FILE"), null) { Flag = "--telegram-token-file" };

    private static readonly Setting<string?> Api = new(
        "telegram.api", "The Bot API server, as one of your own. Default: https://api.telegram.org.", SettingValues.HttpAddress, null) { Flag = "--telegram-api" };

    private static readonly Setting<string?> PublicUrl = new(
        "telegram.publicUrl", "Where Telegram reaches this service, as https://spotter.example.org; it then sends updates. Default: they are fetched, which works anywhere.", SettingValues.HttpAddress, null)
    { Flag = "--telegram-public-url" };

    private static readonly Setting<string?> Certificate = new(
        "telegram.certificate", "PEM file of the self-signed certificate of that address, for Telegram to trust it.", SettingValues.OptionalText("FILE"), null) { Flag = "--telegram-certificate" };

    private static readonly Setting<string> Chats = new(
        "telegram.chats", "The number of a chat that the bot serves; may be repeated. Default: all chats.", SettingValues.Text("NUMBER"), "") { Flag = "--telegram-chat", IsList = true };

    private static readonly Setting<string> Sources = new(
        "telegram.sources", "A network from which updates are taken, as 149.154.160.0/20, or `any`; may be repeated. Default: Telegram's networks; with a Bot API server of your own, any.", SettingValues.Text("NETWORK"), "")
    { Flag = "--telegram-source", IsList = true };

    private static readonly Setting<TimeSpan> AlbumWait = new(
        "telegram.albumWaitSeconds", "Seconds without another picture after which an album is complete.", SettingValues.Seconds(0.5, 60), Defaults.AlbumWait) { Flag = "--telegram-album-wait" };

    private static readonly Setting<TimeSpan> Lease = new(
        "telegram.leaseSeconds", "Seconds after which messages and answers of a gateway that is gone are taken up again; an answer has to be sent within two thirds of it.", SettingValues.Seconds(1, 3600), Defaults.Delivery.Lease);

    /// <summary>All of them.</summary>
    public static IReadOnlyList<Setting> All { get; } = [Token, TokenFile, Api, PublicUrl, Certificate, Chats, Sources, AlbumWait, Lease];

    /// <summary>The bot's settings; null without a token.</summary>
    /// <param name="settings">What was asked for.</param>
    /// <param name="dataFolder">Where the token may lie.</param>
    public static TelegramSettings? Read(SettingReader settings, string dataFolder)
    {
        var token = settings.GetSecret(Token, TokenFile);
        if (token is null && !settings.Has(Token) && !settings.Has(TokenFile) && File.Exists(Path.Combine(dataFolder, DefaultFile)))
            token = TokenIn(settings, Path.Combine(dataFolder, DefaultFile));
        if (string.IsNullOrEmpty(token))
        {
            if (All.FirstOrDefault(s => s != Token && s != TokenFile && settings.Has(s)) is { } alone)
                settings.Mistake($"{settings.NameOf(alone)} is for a Telegram bot, and there is no token; give it with {TokenFile.Flag} FILE, or leave this out.");
            return null;
        }
        if (!TelegramSettings.IsToken(token))
        {
            settings.Mistake("The Telegram token is not one; it is digits, a colon and letters, as @BotFather gives it.");
            return null;
        }
        if (settings.Get(Certificate) is { } certificate && !File.Exists(certificate))
            settings.Mistake($"There is no file {certificate}, which {settings.NameOf(Certificate)} names.");
        var api = settings.Get(Api) is { } own ? new Uri(own) : TelegramSettings.PublicApi;
        return new TelegramSettings
        {
            Token = token,
            Api = api,
            PublicUrl = settings.Get(PublicUrl) is { } url ? new Uri(url) : null,
            CertificateFile = settings.Get(Certificate) is { } file ? Path.GetFullPath(file) : null,
            Chats = [.. settings.GetList(Chats).Select(text => Chat(settings, text))],
            Sources = SourcesOf(settings, api),
            AlbumWait = settings.Get(AlbumWait),
            Inbox = Defaults.Inbox with { Lease = settings.Get(Lease) },
            Delivery = Defaults.Delivery with { Lease = settings.Get(Lease), Timeout = settings.Get(Lease) / 1.6 },
        };
    }

    private static string? TokenIn(SettingReader settings, string file)
    {
        try
        {
            return Core.Files.RegularFile.ReadText(file, 64 * 1024).Trim();
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            settings.Mistake($"The Telegram token in {file} can't be read ({unreadable.Message.TrimEnd('.')}); see to the file, or take it away to run without a bot.");
            return null;
        }
    }

    private static long Chat(SettingReader settings, string text)
    {
        if (!long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var chat))
            settings.Mistake($"The chat '{text}' of {settings.NameOf(Chats)} is not a number; the bot tells a chat its number when it doesn't serve it.");
        return chat;
    }

    private static IReadOnlyList<IPNetwork> SourcesOf(SettingReader settings, Uri api)
    {
        var asked = settings.GetList(Sources);
        if (asked.Count == 0)
            return api == TelegramSettings.PublicApi ? TelegramSettings.TelegramNetworks : [];
        if (asked.Contains("any", StringComparer.OrdinalIgnoreCase))
            return [];
        var networks = new List<IPNetwork>();
        foreach (var text in asked)
        {
            if (IPNetwork.TryParse(text, out var network))
                networks.Add(network);
            else
                settings.Mistake($"'{text}' of {settings.NameOf(Sources)} is not a network; write it as 149.154.160.0/20.");
        }
        return networks;
    }
}
