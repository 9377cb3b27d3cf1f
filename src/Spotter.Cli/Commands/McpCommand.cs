using System.CommandLine;
using Spotter.Cli.Mcp;
using Spotter.Cli.Remote;

namespace Spotter.Cli.Commands;

/// <summary><c>mcp</c>: the tools of a running service for an assistant that starts programs instead of calling addresses.</summary>
internal static class McpCommand
{
    public static Command Create()
    {
        var command = new Command("mcp", "Offer a running service's tools to an assistant (Model Context Protocol), on standard input and output.") { RemoteOptions.Url, RemoteOptions.Data, RemoteOptions.KeyFile };
        command.SetAction(async (parsed, cancel) =>
        {
            using var service = RemoteOptions.Client(parsed, connections: 16);
            await using var relay = await McpRelay.ConnectAsync(service, cancel);
            await relay.RunAsync(cancel);
            return ExitStatus.Done;
        });
        return command;
    }
}
