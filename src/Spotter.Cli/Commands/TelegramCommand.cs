using System.CommandLine;
using System.Text.Json;
using Spotter.Cli.Settings;
using Spotter.Core;
using Spotter.Gateway.Telegram;

namespace Spotter.Cli.Commands;

/// <summary><c>telegram</c>: what Telegram knows of the bot, and how it brings updates.</summary>
internal static class TelegramCommand
{
    private static readonly Option<bool> Json = new("--json") { Description = "Print JSON." };
    private static readonly Option<string?> Data = DataOption.For($"where the token may lie in {TelegramSection.DefaultFile}");

    public static Command Create()
    {
        var flags = new SettingFlags(TelegramSection.All);
        var status = Add(new Command("status", "Show the bot's name, where its updates are sent, and what went wrong last.") { Json }, flags);
        status.SetAction(async (parsed, cancel) =>
        {
            var now = await TelegramRegistration.StatusAsync(Read(parsed, flags), cancel);
            Console.Out.WriteLine(parsed.GetValue(Json) ? JsonSerializer.Serialize(now, JsonSerializerOptions.Web) : Describe(now));
            return ExitStatus.Done;
        });
        var set = Add(new Command("set", "Have updates sent to the public URL of the settings. The service does so itself when it starts."), flags);
        set.SetAction(async (parsed, cancel) =>
        {
            var settings = Read(parsed, flags);
            if (settings.PublicUrl is null)
                throw new SpotterException(ErrorCodes.InvalidSettings, "Nothing says where Telegram reaches the service; give it with --telegram-public-url URL.");
            await TelegramRegistration.SetAsync(settings, cancel);
            Console.Out.WriteLine($"Telegram sends updates to {settings.PublicUrl.ToString().TrimEnd('/')}.");
            return ExitStatus.Done;
        });
        var remove = Add(new Command("remove", "Have updates kept by Telegram until they are fetched."), flags);
        remove.SetAction(async (parsed, cancel) =>
        {
            await TelegramRegistration.SetAsync(Read(parsed, flags) with { PublicUrl = null, CertificateFile = null }, cancel);
            Console.Out.WriteLine("Telegram sends no updates; they wait to be fetched.");
            return ExitStatus.Done;
        });
        return new Command("telegram", "See and change how Telegram brings updates to the bot.") { status, set, remove };
    }

    private static Command Add(Command command, SettingFlags flags)
    {
        command.Options.Add(Data);
        flags.AddTo(command);
        return command;
    }

    private static TelegramSettings Read(ParseResult parsed, SettingFlags flags)
    {
        var settings = SettingSources.Open(flags.Read(parsed));
        var telegram = TelegramSection.Read(settings, GatewaySection.DataFolderOf(parsed.GetValue(Data)));
        settings.ThrowIfWrong();
        if (telegram is null)
            throw new SpotterException(ErrorCodes.InvalidSettings, "There is no Telegram token; give it with --telegram-token-file FILE.");
        telegram.Validate();
        return telegram;
    }

    private static string Describe(TelegramStatus now)
    {
        var where = now.Url is { } url ? $"updates are sent to {url}" : "updates are fetched by the service";
        var wrong = now.LastError is { } error ? $"\nlast error{(now.LastErrorAt is { } at ? $" ({at:u})" : "")}: {error}" : "";
        return $"@{now.Name}: {where}\n{now.Pending} waiting{wrong}";
    }
}
