using System.CommandLine;
using Spotter.Cli.Remote;

namespace Spotter.Cli.Commands;

/// <summary><c>health</c>: whether a service answers, for containers and scripts that have nothing else that speaks HTTP.</summary>
internal static class HealthCommand
{
    private static readonly Option<bool> Ready = new("--ready") { Description = "Ask whether it can take jobs: its job store has to answer as well." };

    public static Command Create()
    {
        var command = new Command("health", "Ask a running service whether it is healthy; exit status 0 says that it is.") { RemoteOptions.Url, RemoteOptions.Data, Ready };
        command.SetAction(async (parsed, cancel) =>
        {
            using var service = RemoteOptions.Client(parsed);
            var answer = await service.GetAsync(parsed.GetValue(Ready) ? "/readyz" : "/healthz", ServiceJson.Default.ServiceHealth, cancel);
            Console.Out.WriteLine(answer.Status);
            return ExitStatus.Done;
        });
        return command;
    }
}
