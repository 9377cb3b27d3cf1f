using Spotter.Cli.Settings;
using Spotter.Core;
using Spotter.Core.Files;
using Spotter.Core.Settings;
using Spotter.Gateway.Webhooks;

namespace Spotter.Cli.Serve;

/// <summary>
/// The service's own secret, from which that of every endpoint is made: from the environment or a file that it names, else
/// from <c>webhook.key</c> in the data folder, which is made at the first start and which only its owner may read. Several,
/// with white space between them, while one is being replaced: the first is the new one. Never an argument, since those
/// can be seen by everyone.
/// </summary>
internal static class WebhookKey
{
    /// <summary>The file's name in the data folder.</summary>
    public const string FileName = "webhook.key";

    private const UnixFileMode OwnersOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>The secrets, the one in use first; makes one if there is none yet.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidSettings"/>: what is there is no secret, or can't be read.</exception>
    public static IReadOnlyList<WebhookSecret> Open(SettingReader settings, string dataFolder, RandomSource random)
    {
        var given = settings.GetSecret(WebhookSection.Secret, WebhookSection.SecretFile);
        settings.ThrowIfWrong();
        if (given is not null)
            return Parse(given, settings.NameOf(settings.Has(WebhookSection.Secret) ? WebhookSection.Secret : WebhookSection.SecretFile));
        var file = Path.Combine(dataFolder, FileName);
        try
        {
            if (!File.Exists(file))
                Make(file, random);
            return Parse(RegularFile.ReadText(file, 64 * 1024), file);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new SpotterException(ErrorCodes.InvalidSettings,
                $"The secret that signs webhook deliveries can't be read from {file} ({unreadable.Message.TrimEnd('.')}); see to the file, or give the secret in {WebhookSection.Secret.Variable}.", unreadable);
        }
    }

    /// <summary>Whole or not at all: half a secret would keep the service from its next start.</summary>
    private static void Make(string file, RandomSource random)
    {
        var folder = Path.GetDirectoryName(file)!;
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(folder);
        else
            Directory.CreateDirectory(folder, OwnersOnly | UnixFileMode.UserExecute);
        var part = $"{file}.{random.NextHex(8)}";
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = OwnersOnly;
        try
        {
            using (var stream = new FileStream(part, options))
            {
                using var writer = new StreamWriter(stream);
                writer.WriteLine(WebhookSecret.New(random).Reveal());
                writer.Flush();
                stream.Flush(flushToDisk: true);
            }
            File.Move(part, file, overwrite: false);
        }
        catch (IOException) when (File.Exists(file))
        {
            // Somebody else was first; theirs it is.
        }
        finally
        {
            File.Delete(part);
        }
    }

    private static IReadOnlyList<WebhookSecret> Parse(string text, string where) =>
        WebhookSecret.TryParse(text, out var secrets)
            ? secrets
            : throw new SpotterException(ErrorCodes.InvalidSettings,
                $"What {where} holds is no secret for signing webhook deliveries; it is {WebhookSecret.Prefix} and {WebhookSecret.LeastBytes} to {WebhookSecret.MostBytes} bytes in Base64, or up to {WebhookSecret.MostAtOnce} of them with spaces between.");
}
