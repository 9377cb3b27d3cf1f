using System.CommandLine;
using Spotter.Cli.Serve;
using Spotter.Cli.Settings;
using Spotter.Core;

namespace Spotter.Cli.Commands;

/// <summary><c>callbacks</c>: what those who receive webhooks need.</summary>
internal static class CallbacksCommand
{
    private static readonly Argument<string> Url = new("URL")
    {
        Description = "The callback, or scheme and host of it.",
    };

    private static readonly Option<string?> Data = DataOption.For("where the service keeps its secret");

    public static Command Create()
    {
        var secret = new Command("secret", "Print the secret with which an endpoint verifies webhooks that came without a callback_secret of their own.") { Url, Data };
        secret.SetAction(parsed =>
        {
            var url = parsed.GetRequiredValue(Url);
            if (!Uri.TryCreate(url, UriKind.Absolute, out var endpoint) || endpoint.Scheme is not ("https" or "http"))
                throw new SpotterException(ErrorCodes.InvalidRequest, $"'{url}' is not an http(s) URL.");
            foreach (var own in WebhookKey.Open(SettingSources.Open(), GatewaySection.ExistingDataFolderOf(parsed.GetValue(Data)), RandomSource.System))
                Console.Out.WriteLine(own.ForUrl(url).Reveal());
            return ExitStatus.Done;
        });
        return new Command("callbacks", "Receive webhooks: the secrets that verify them.") { secret };
    }
}
